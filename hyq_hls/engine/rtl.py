"""The RTL of an engine: its files, and its parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.support import template_dir

TOP = "hyq_engine"
_USED = re.compile(r"^\s*(hyq_\w+)\s*(?:#\s*\(|\w+\s*\()|\b(\w+_pkg)::", re.MULTILINE)


def rtl_folders() -> tuple[Path, ...]:
    """Return the folders in which the modules of the engine lie."""
    templates = template_dir("rtl_templates")
    return (templates / "engine", templates)


def module_file(module: str, folders: Sequence[Path]) -> Path:
    """Return the file of a module, in whichever folder it lies."""
    (path,) = (p for folder in folders if (p := folder / f"{module}.sv").is_file())
    return path


def module_sources(modules: Sequence[str], folders: Sequence[Path]) -> list[Path]:
    """Return the files of modules and of all that they need, packages first."""
    done: set[str] = set()
    waiting = [*modules]
    while waiting:
        module = waiting.pop()
        if module not in done:
            done.add(module)
            text = module_file(module, folders).read_text(encoding="utf-8")
            waiting += ["".join(names) for names in _USED.findall(text)]
    ordered = sorted(done, key=lambda name: (not name.endswith("_pkg"), name != "hyq_pkg", name))
    return [module_file(name, folders) for name in ordered]


def rtl_parameters(sizes: Sizes) -> dict[str, int]:
    """Return the parameters of the top module, by name."""
    return {
        "Pixels": sizes.pixels,
        "FeatureWords": sizes.feature_words,
        "WeightWords": sizes.weight_words,
        "ParameterGroups": sizes.parameter_groups,
        "NormChannels": sizes.norm_channels,
        "NormLanes": sizes.norm_lanes,
        "SoftmaxLength": sizes.softmax_length,
        "SoftmaxLanes": sizes.softmax_lanes,
        "Multiply": int(sizes.multiplier),
    }
