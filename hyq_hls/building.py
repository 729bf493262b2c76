"""Hand the HLS C++ of a project to its compiler, Vitis HLS or Bambu."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hyq_hls.errors import InputError
from hyq_hls.machine import BuildReport
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.stream.machine import StreamMachine
from hyq_hls.tools.bambu import run_bambu
from hyq_hls.tools.vitis import Steps, require_vitis, run_vitis, write_test_data


def build_cpp(
    machine: StreamMachine,
    folder: Path,
    qmodel: QuantizedModel,
    images: Any,
    *,
    cosim: bool,
    export: bool,
) -> BuildReport | Path:
    """Synthesize the C++ with the compiler that it was written for.

    Arguments, result and errors are those of :meth:`hyq_hls.Accelerator.build`.
    """
    if machine.hls == "bambu":
        if images is not None or cosim:
            raise InputError("Bambu runs no test bench: give neither images nor cosim")
        return run_bambu(folder, machine.project)
    require_vitis()
    pixels = qmodel.image_bytes(images)
    write_test_data(folder, pixels.astype(np.int64), qmodel.stream_codes(pixels))
    run_vitis(folder, Steps(cosim=cosim, export=export))
    report = machine.build_report(folder)
    print(report)
    return report
