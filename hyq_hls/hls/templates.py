"""Where the C++ headers are: inside the installed package, or beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from hyq_hls.errors import HyqError

_NAME = "hls_templates"


def template_dir() -> Path:
    """Folder of the C++ headers.

    A wheel carries them as ``hyq_hls/hls_templates``; a checkout, also when it is installed as
    editable, has them at its top level.

    Raises
    ------
    HyqError
        When neither place has headers.
    """
    package = Path(__file__).resolve().parents[1]
    packaged, beside = package / _NAME, package.parent / _NAME
    if _has_headers(packaged):
        return packaged
    # Only beside our own pyproject.toml: next to an installed package lie other people's folders.
    if (package.parent / "pyproject.toml").is_file() and _has_headers(beside):
        return beside
    raise HyqError(
        f"no C++ headers found: neither {packaged} nor {beside} (of a checkout) has *.h files; "
        "the installation is incomplete, so install hyq_hls again"
    )


def _has_headers(folder: Path) -> bool:
    return next(folder.glob("*.h"), None) is not None
