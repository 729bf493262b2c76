"""The HLS back end: an hls4ml backend plugin, C++ projects and their C simulation."""
