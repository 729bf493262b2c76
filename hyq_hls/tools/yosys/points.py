"""Tables of synthesis results, from which cost models are made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from hyq_hls.errors import ConversionError
from hyq_hls.tools.yosys.utilization import Utilization

PointT = TypeVar("PointT")


def points_of(path: Path, point: Callable[..., PointT], script: str) -> list[PointT]:
    """Read the points of a table.

    Args:
        path: of the table, JSON with the list ``points``.
        point: makes a point of the fields of an entry; ``utilization`` is a :class:`Utilization`.
        script: what makes the table, for the message of an error.

    Raises:
        ConversionError: the file is damaged.
    """
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["points"]
        return [point(**{**e, "utilization": Utilization(**e["utilization"])}) for e in entries]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConversionError(f"{path} is damaged ({error}); {script} makes it again") from error
