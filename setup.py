"""Package list, data files and the readme; everything else stands in pyproject.toml.

pyproject.toml can either find packages or map folders to packages, not both. The templates live in
top-level folders and ship as data inside the package, so that needs these lines of Python.
"""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
# Every top-level folder *_templates becomes hyq_hls/*_templates in the wheel, with all its files.
DATA = {p.name: p.name for p in sorted(ROOT.glob("*_templates")) if p.is_dir()}
# An image or a link of Markdown to a file of the repository, and the source of an <img>.
_LINK = re.compile(
    r"(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)\s]+)\)" r'|(<img[^>]*src=")(?!https?:)'
)


def readme(text: str, address: str) -> str:
    """Return the readme as a package index can show it, where there are no files beside it.

    Args:
        text: README.md.
        address: web address of the repository; without one, links become their text, and a
            picture becomes the text that describes it.
    """

    def absolute(match: re.Match[str]) -> str:
        image, title, path, tag = match.groups()
        if tag:
            return f"{tag}{address}/raw/HEAD/" if address else tag
        if not address:
            return f"*{title}*" if image else title
        return f"{image}[{title}]({address}/{'raw' if image else 'blob'}/HEAD/{path})"

    text = _LINK.sub(absolute, text)
    if address:
        return text
    text = re.sub(r"<img[^>]*>", "", text)
    return f"{text}\nThe pages and pictures named here are in the source distribution.\n"


def repository() -> str:
    """Return the web address of the repository: ``Repository`` of [project.urls], or nothing."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^Repository = "([^"]+?)/?"', text, re.MULTILINE)
    return found[1] if found else ""


if __name__ == "__main__":
    setup(
        long_description=readme((ROOT / "README.md").read_text(encoding="utf-8"), repository()),
        long_description_content_type="text/markdown",
        packages=find_packages(include=["hyq_hls", "hyq_hls.*"])
        + [f"hyq_hls.{name}" for name in DATA],
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
        exclude_package_data={"": ["__pycache__/*", "*.py[cod]"]},
        include_package_data=False,  # the lists are complete; MANIFEST.in only feeds the sdist
    )
