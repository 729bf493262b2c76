"""Package list and data files; everything else stands in pyproject.toml.

pyproject.toml can either find packages or map folders to packages, not both. The templates live in
top-level folders and ship as data inside the package, so that needs these lines of Python.
"""

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
# Every top-level folder *_templates becomes hyq_hls/*_templates in the wheel, with all its files.
DATA = {p.name: p.name for p in sorted(ROOT.glob("*_templates")) if p.is_dir()}

setup(
    packages=find_packages(include=["hyq_hls", "hyq_hls.*"]) + [f"hyq_hls.{name}" for name in DATA],
    package_dir={f"hyq_hls.{name}": folder for name, folder in DATA.items()},
    package_data={f"hyq_hls.{name}": ["**/*"] for name in DATA}
    | {
        "hyq_hls.models": ["checkpoints/*.npz", "checkpoints/*.json"],
        "hyq_hls.parts": ["*.json"],
        "hyq_hls.engine.cost": ["*.json"],
        "hyq_hls.report": ["templates/*"],
        "hyq_hls.stream.cost": ["*.json"],
        "hyq_hls.tools.verilator": ["drivers/*", "drivers/fst/*", "drivers/fst/fstcpp/*"],
    },
    include_package_data=False,  # the lists above are complete; MANIFEST.in only feeds the sdist
)
