"""``python -m hyq_hls.cli``."""

import sys

from hyq_hls.cli import main

sys.exit(main())
