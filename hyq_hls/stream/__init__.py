"""The streaming machine: every node is a circuit of its own, with streams between them."""

from hyq_hls.stream.folding import Folding

__all__ = ["Folding"]
