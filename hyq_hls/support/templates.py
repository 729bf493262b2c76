"""Find the templates inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from hyq_hls.errors import HyqError


def template_dir(name: str = "hls_templates") -> Path:
    """Find the folder of the C++ headers, or of the SystemVerilog modules.

    A wheel carries them inside the package; a checkout, also when it is installed as editable, has
    them at its top level.

    Args:
        name: ``hls_templates``, ``rtl_templates`` or ``board_templates``.

    Raises:
        HyqError: neither place has files.
    """
    package = Path(__file__).resolve().parents[1]
    packaged, beside = package / name, package.parent / name
    if _has_files(packaged):
        return packaged
    # Only beside our own pyproject.toml: next to an installed package lie other people's folders.
    if (package.parent / "pyproject.toml").is_file() and _has_files(beside):
        return beside
    raise HyqError(
        f"no templates found: neither {packaged} nor {beside} (of a checkout) has files; the "
        "installation is incomplete, so install hyq_hls again"
    )


def _has_files(folder: Path) -> bool:
    return next(folder.glob("*.*"), None) is not None
