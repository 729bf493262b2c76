"""Counts the logic of the HLS C++: LUTs and flip-flops of its operators and pipelines."""
