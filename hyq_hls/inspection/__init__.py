"""An inspection says what a model would become on every level, before any work."""

from hyq_hls.support import needs

needs("torch")

from hyq_hls.inspection.levels import inspect
from hyq_hls.inspection.report import InspectedNode, Inspection, Missing

__all__ = ["InspectedNode", "Inspection", "Missing", "inspect"]
