"""The HLS back end: an hls4ml backend plugin, C++ projects and their C simulation."""

from hyq_hls.support import needs

needs("hls4ml")
