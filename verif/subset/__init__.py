"""Checks that C++ stays inside what Vitis HLS synthesizes; see ``verif/vitis_subset.py``."""
