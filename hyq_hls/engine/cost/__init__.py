"""The cost of an engine: sites of a part by unit, the engine for a part, and its report."""

from hyq_hls.engine.cost.choice import program_for
from hyq_hls.engine.cost.report import engine_report
from hyq_hls.engine.cost.utilization import engine_utilization, synthesize_engine

__all__ = ["engine_report", "engine_utilization", "program_for", "synthesize_engine"]
