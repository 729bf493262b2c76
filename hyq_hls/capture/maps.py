"""Work on several maps of one image, such as the windows that a model puts into the batch axis."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from hyq_hls.capture.call import Call
from hyq_hls.capture.drafts import View
from hyq_hls.capture.layouts import seen
from hyq_hls.capture.positions import ConcatPositions


def over_maps(call: Call, view: View, work: Callable[[View], View]) -> View:
    """Do some work on every map ``(C, H, W)`` of a view ``(B, C, H, W)`` of one image.

    A circuit knows no borders inside of a map. So each of several maps gets a node of its own, and
    their results become one map again, one below the other.

    Args:
        call: the exported call.
        view: the maps.
        work: makes a map of one, as a view ``(1, O, H', W')`` of all that it makes.
    """
    if len(view.shape) != 4 or view.shape[0] == 1:
        return work(view)
    results = [work(replace(view, index=index[None])) for index in view.index]
    joined = results[0].source
    for result in results[1:]:
        joined = call.add(ConcatPositions(0), (joined, result.source), "concat", own=False)
    size = results[0].source.size
    index = torch.cat([result.index + i * size for i, result in enumerate(results)])
    return seen(joined, index)
