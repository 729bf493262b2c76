"""Writes an HLS project: C++ files, and the script that Vitis HLS takes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import hls4ml
from hls4ml.writer.vitis_writer import VitisWriter

from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.hls.check import check_streams
from hyq_hls.stream.hls.compilers import target_header
from hyq_hls.stream.hls.layers import compiler_of, dataflow_of
from hyq_hls.stream.hls.testbench import testbench_cpp
from hyq_hls.stream.hls.text import project_files
from hyq_hls.support import template_dir
from hyq_hls.tools.gxx import build_lib_sh
from hyq_hls.tools.vitis.run import SCRIPT, Steps

_HLS4ML_TEMPLATES = Path(hls4ml.__file__).parent / "templates" / "vivado"


class HyqWriter(VitisWriter):
    """Writer of backend ``HyQ``."""

    def write_hls(self, model: Any) -> None:
        """Write the whole project into the model's output folder.

        Raises:
            ConversionError: the model is no longer the image of its dataflow.
        """
        flow = dataflow_of(model)
        check_streams(flow, model)
        folder = Path(model.config.get_output_dir())
        project = model.config.get_project_name()
        firmware = folder / "firmware"
        (firmware / "weights").mkdir(parents=True)
        compiler = compiler_of(model)
        apart = shutil.ignore_patterns("engine", "targets", SCRIPT)
        shutil.copytree(template_dir(), firmware / "hyq", ignore=apart)
        shutil.copy(target_header(compiler), firmware / "hyq" / "target.h")
        shutil.copytree(_HLS4ML_TEMPLATES / "ap_types", firmware / "ap_types")
        # g++ must find the strict stream of ours; Vitis HLS never looks into ap_types.
        shutil.copy(template_dir() / "csim" / "hls_stream.h", firmware / "ap_types")
        shutil.copy(template_dir() / SCRIPT, folder)
        files = project_files(flow, project, compiler)
        files["project.tcl"] = _project_tcl(flow, model.config)
        files["build_opt.tcl"] = Steps().tcl
        files[f"{project}_test.cpp"] = testbench_cpp(flow, project)
        files["build_lib.sh"] = build_lib_sh(flow.banner, project)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
        (folder / "build_lib.sh").chmod(0o755)


def _project_tcl(flow: Dataflow, config: Any) -> str:
    """Return ``project.tcl``, which says what ``build_prj.tcl`` builds."""
    settings = {
        "project_name": f'"{config.get_project_name()}"',
        "part": f'"{config.get_config_value("Part")}"',
        "clock_period": config.get_config_value("ClockPeriod"),
        "clock_uncertainty": config.get_config_value("ClockUncertainty", "27%"),
        "version": '"1.0.0"',
    }
    lines = [f"# {flow.banner}", *(f"set {name} {value}" for name, value in settings.items())]
    return "\n".join([*lines, ""])
