"""The look of all plots, and matplotlib, which is imported when the first plot is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from hyq_hls.plots import palette
from hyq_hls.support import needs

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

#: Width of a figure in inches: that of a text column in a notebook.
WIDTH = 9.2


def _matplotlib(module: str) -> Any:
    """Import a module of matplotlib.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    needs("matplotlib")
    return import_module(module)


def settings() -> dict[str, Any]:
    """Return the settings of matplotlib (rcParams) that all plots are drawn with."""
    return {
        "figure.dpi": 110,
        "figure.facecolor": "white",
        "figure.constrained_layout.use": True,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.prop_cycle": _matplotlib("matplotlib").cycler(color=palette.OKABE_ITO),
        "grid.color": palette.PALE_GREY,
        "legend.frameon": False,
        "legend.fontsize": 8,
        "font.size": 9,
    }


@contextmanager
def style() -> Iterator[None]:
    """Draw in the look of the package within a ``with`` block; the settings before return after it.

    The functions of this package draw with it themselves. A figure that is made elsewhere, and
    whose axes are given to them, has the same look when it is made within such a block.

    Raises:
        MissingPackageError: matplotlib is not installed.
    """
    # rc_context would restore all settings, also the one by which the first figure of a notebook
    # makes the next ones appear by themselves.
    params, wanted = _matplotlib("matplotlib").rcParams, settings()
    before = {name: params[name] for name in wanted}
    params.update(wanted)
    try:
        yield
    finally:
        params.update(before)


def new_axes(axes: Axes | None, height: float = 3.2, width: float = WIDTH) -> Axes:
    """Return the axes, or those of a new figure of this size in inches where there are none."""
    if axes is not None:
        return axes
    _, made = _matplotlib("matplotlib.pyplot").subplots(figsize=(width, height))
    return made  # type: ignore[no-any-return]  # pyplot is imported by its name


def new_figure(
    figure: Figure | SubFigure | None, height: float = 3.2, width: float = WIDTH
) -> Figure | SubFigure:
    """Return the figure, or a new one of this size in inches where there is none."""
    if figure is not None:
        return figure
    made = _matplotlib("matplotlib.pyplot").figure(figsize=(width, height))
    return made  # type: ignore[no-any-return]  # pyplot is imported by its name
