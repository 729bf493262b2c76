"""Names that the command line shows before anything slow is imported."""

from __future__ import annotations

from typing import Literal

#: The configuration file, where no other is given.
FILE = "hyq.toml"

#: The steps in the order in which they run.
StepName = Literal[
    "quantize",
    "evaluate",
    "onnx",
    "convert",
    "csim",
    "cosim",
    "estimate",
    "synthesize",
    "vendor",
    "report",
]
