"""Files for the tools and boards of a vendor, and what the vendor reports of a design."""

from hyq_hls.stream.board.project import write_board_files
from hyq_hls.stream.board.resources import csynth_cycles, csynth_stages, csynth_utilization

__all__ = ["csynth_cycles", "csynth_stages", "csynth_utilization", "write_board_files"]
