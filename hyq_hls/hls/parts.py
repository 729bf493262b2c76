"""Short part names to the full device names that vendor tools want."""

from __future__ import annotations

import re
from difflib import get_close_matches

from hyq_hls.errors import ConversionError

#: One common package and speed grade of each part.
PARTS = {
    "xc7z010": "xc7z010clg400-1",
    "xc7z020": "xc7z020clg400-1",
    "xc7z045": "xc7z045ffg900-2",
    "xczu3eg": "xczu3eg-sbva484-1-e",
    "xczu7ev": "xczu7ev-ffvc1156-2-e",
    "xczu9eg": "xczu9eg-ffvb1156-2-e",
    "xcku040": "xcku040-ffva1156-2-e",
    "xcu250": "xcu250-figd2104-2L-e",
}


def device(part: str) -> str:
    """Full device name of a short part name; a full name of a known part is returned as it is.

    Raises:
        ConversionError: the part is unknown; the nearest names are given.
    """
    name = part.lower()
    if name in PARTS:
        return PARTS[name]
    package_and_grade = r"-?[a-z]+\d+(-[a-z0-9]+)+"
    if any(re.fullmatch(known + package_and_grade, name) for known in PARTS):
        return part
    near = get_close_matches(name, PARTS, n=3, cutoff=0.4) or sorted(PARTS)
    raise ConversionError(f"unknown part {part!r}; did you mean {', '.join(near)}?")
