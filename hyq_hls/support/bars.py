"""A progress bar, for which tqdm is imported only where one is shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

Item = TypeVar("Item")


class Bar(Protocol):
    """A progress bar, as far as this package uses it.

    Attributes:
        total: number of units; None where it is not known.
    """

    total: float | None

    def update(self, n: float | None = 1) -> object:
        """Count ``n`` more units."""


class _NoBar:
    total: float | None = None

    def update(self, n: float | None = 1) -> object:
        return None


@contextmanager
def progress_bar(
    shown: bool, description: str, total: int | None = None, unit: str = "it"
) -> Iterator[Bar]:
    """Show a progress bar on the error stream while the block runs.

    Args:
        shown: whether there is one at all.
        description: text in front of it.
        total: number of units, if it is known.
        unit: name of a unit.
    """
    if not shown:
        yield _NoBar()
        return
    from tqdm import tqdm  # noqa: PLC0415  (numpy alone does where no bar is shown)

    with tqdm(total=total, desc=description, unit=unit) as bar:
        yield bar


def counted(items: Iterable[Item], shown: bool, description: str, total: int) -> Iterator[Item]:
    """Yield items and count them with a progress bar."""
    with progress_bar(shown, description, total) as bar:
        for item in items:
            yield item
            bar.update()
