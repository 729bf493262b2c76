"""Evaluation: how good a quantized network is, in records that outlive an interruption.

``hyq-hls evaluate`` and the benchmarks measure with the same functions.
"""

from hyq_hls.support import needs

needs("torch", "PIL")

from hyq_hls.evaluate.measurement import Measurement, class_count
from hyq_hls.evaluate.metrics import Accuracy, accuracy, logit_metrics
from hyq_hls.evaluate.predictions import Predictions
from hyq_hls.evaluate.recipes import Recipe, recipes
from hyq_hls.evaluate.records import KEYS, Records

__all__ = [
    "KEYS",
    "Accuracy",
    "Measurement",
    "Predictions",
    "Recipe",
    "Records",
    "accuracy",
    "class_count",
    "logit_metrics",
    "recipes",
]
