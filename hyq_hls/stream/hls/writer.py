"""Writes an HLS project: our own C++ files, hls4ml's project scripts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import hls4ml
from hls4ml.writer.vitis_writer import VitisWriter

from hyq_hls.errors import ConversionError
from hyq_hls.stream.hls.check import check_streams
from hyq_hls.stream.hls.compilers import target_header
from hyq_hls.stream.hls.csim import build_lib_sh
from hyq_hls.stream.hls.layers import COMPILER, dataflow_of
from hyq_hls.stream.hls.testbench import testbench_cpp
from hyq_hls.stream.hls.text import project_files
from hyq_hls.support import template_dir

_HLS4ML_TEMPLATES = Path(hls4ml.__file__).parent / "templates" / "vivado"


class HyqWriter(VitisWriter):
    """Writer of backend ``HyQ``."""

    def write_hls(self, model: Any) -> None:
        """Write the whole project into the model's output folder.

        Raises:
            ConversionError: the model is no longer the image of its dataflow, or the scripts of
                this hls4ml are unknown.
        """
        flow = dataflow_of(model)
        check_streams(flow, model)
        folder = Path(model.config.get_output_dir())
        project = model.config.get_project_name()
        firmware = folder / "firmware"
        (firmware / "weights").mkdir(parents=True)
        compiler = model.config.get_config_value(COMPILER)
        shutil.copytree(template_dir(), firmware / "hyq", ignore=shutil.ignore_patterns("targets"))
        shutil.copy(target_header(compiler), firmware / "hyq" / "target.h")
        shutil.copytree(_HLS4ML_TEMPLATES / "ap_types", firmware / "ap_types")
        # g++ must find the strict stream of ours; Vitis HLS never looks into ap_types.
        shutil.copy(template_dir() / "csim" / "hls_stream.h", firmware / "ap_types")
        self.write_build_script(model)
        self.write_board_script_override(model)
        self.write_build_prj_override(model)
        self.write_build_opts(model)
        self._use_template_includes(folder / "build_prj.tcl")
        files = project_files(flow, project, compiler)
        files[f"{project}_test.cpp"] = testbench_cpp(flow, project)
        files["build_lib.sh"] = build_lib_sh(flow, project)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
        (folder / "build_lib.sh").chmod(0o755)

    @staticmethod
    def _use_template_includes(script: Path) -> None:
        """Compile C++14 with the includes of ``firmware/``, where hls4ml's script has C++11."""
        content = script.read_text()
        wanted = "-std=c++0x"
        if wanted not in content:
            raise ConversionError(
                f"{script.name} of this hls4ml has no {wanted}; version 1.3.0 does"
            )
        content = content.replace(wanted, "-std=c++14 -Ifirmware")
        content = content.replace("add_files -tb firmware/weights\n", "")
        script.write_text(content)
