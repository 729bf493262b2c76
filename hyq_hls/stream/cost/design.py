"""Estimate of a whole design, in milliseconds."""

from __future__ import annotations

from hyq_hls.machine import DesignUtilization
from hyq_hls.stream.cost.costs import estimate
from hyq_hls.stream.flow import Dataflow
from hyq_hls.stream.rtl.instances import instances
from hyq_hls.stream.synthesis import gathered


def estimate_design(flow: Dataflow) -> DesignUtilization:
    """Estimate without synthesis how much of a part a design takes.

    Raises:
        ConversionError: a module has no cost model.
    """
    return gathered((i, estimate(i.circuit)) for i in instances(flow))
