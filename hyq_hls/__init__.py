"""Integer-only CNN-Transformer hybrids, from PyTorch to bit-exact HLS C++."""

__version__ = "0.1.0"
