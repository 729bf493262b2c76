"""Benchmarks of accuracy, area and speed; each runs as ``python -m benchmarks.NAME``."""
