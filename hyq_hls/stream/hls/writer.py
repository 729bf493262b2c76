"""Writes an HLS project: our own C++ files, hls4ml's project scripts."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import hls4ml
from hls4ml.writer.vitis_writer import VitisWriter

from hyq_hls.errors import ConversionError
from hyq_hls.stream.hls import text
from hyq_hls.stream.hls.testbench import testbench_cpp
from hyq_hls.support import template_dir

#: C++14 is what Vitis HLS compiles by default. ``-fno-gnu-unique`` lets a library be unloaded.
CSIM_FLAGS = "-std=c++14 -O3 -fPIC -fno-gnu-unique -Ifirmware -Ifirmware/ap_types"
_HLS4ML_TEMPLATES = Path(hls4ml.__file__).parent / "templates" / "vivado"


class HyqWriter(VitisWriter):
    """Writer of backend ``HyQ``."""

    def write_hls(self, model: Any) -> None:
        """Write the whole project into the model's output folder."""
        folder = Path(model.config.get_output_dir())
        project = model.config.get_project_name()
        banner = f"// {model.config.get_config_value('HyqBanner')}"
        firmware = folder / "firmware"
        (firmware / "weights").mkdir(parents=True)
        shutil.copytree(template_dir(), firmware / "hyq")
        shutil.copytree(_HLS4ML_TEMPLATES / "ap_types", firmware / "ap_types")
        # g++ must find the strict stream of ours; Vitis HLS never looks into ap_types.
        shutil.copy(template_dir() / "csim" / "hls_stream.h", firmware / "ap_types")
        files = {
            f"firmware/{project}.cpp": text.top_cpp(model, banner),
            f"firmware/{project}.h": text.top_h(model, banner),
            "firmware/defines.h": text.defines_h(model, banner),
            "firmware/parameters.h": text.parameters_h(model, banner),
            f"{project}_bridge.cpp": text.bridge_cpp(model, banner),
            f"{project}_test.cpp": testbench_cpp(model, banner),
        }
        for layer in text.operations(model):
            stage = layer.get_attr("stage")
            if stage.kernel.roms:
                files[f"firmware/weights/{stage.name}.h"] = text.weights_h(stage, banner)
        for name, content in files.items():
            (folder / name).write_text(content, encoding="utf-8")
        self.write_build_script(model)
        self.write_board_script_override(model)
        self.write_build_prj_override(model)
        self.write_build_opts(model)
        self._use_template_includes(folder / "build_prj.tcl")
        script = folder / "build_lib.sh"
        script.write_text(text.build_lib_sh(project, banner, CSIM_FLAGS), encoding="utf-8")
        script.chmod(0o755)

    @staticmethod
    def _use_template_includes(script: Path) -> None:
        """hls4ml's script compiles C++11 without include paths; ours is C++14 in firmware/."""
        content = script.read_text()
        wanted = "-std=c++0x"
        if wanted not in content:
            raise ConversionError(
                f"{script.name} of this hls4ml has no {wanted}; version 1.3.0 does"
            )
        content = content.replace(wanted, "-std=c++14 -Ifirmware")
        content = content.replace("add_files -tb firmware/weights\n", "")
        script.write_text(content)
