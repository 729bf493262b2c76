"""Imports that the processes of all networks share: one server forks them all."""

import torch

import benchmarks._families_levels  # noqa: F401  (a process that finds it need not read it)
from hyq_hls.capture import capture
from hyq_hls.models.timm_compat import import_timm

torch.set_num_threads(1)
import_timm()
# The first export imports some 400 modules more.
capture(torch.nn.Conv2d(3, 1, 1).eval(), (3, 4, 4))
