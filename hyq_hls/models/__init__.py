"""Networks, their weights and the bundled data set.

``mobilevit_digits()`` is the small trained default; ``mobilevit_xxs/xs/s`` take public weights by
their names. ``hyq_hls.models.digits`` is the data set, ``hyq_hls.models.train`` trains on it.
"""

from hyq_hls.models.checkpoint import load_weights, save_weights
from hyq_hls.models.config import MobileViTConfig, StageConfig, TransformerConfig
from hyq_hls.models.mobilevit import (
    MobileViT,
    mobilevit_digits,
    mobilevit_s,
    mobilevit_xs,
    mobilevit_xxs,
)

__all__ = [
    "MobileViT",
    "MobileViTConfig",
    "StageConfig",
    "TransformerConfig",
    "load_weights",
    "mobilevit_digits",
    "mobilevit_s",
    "mobilevit_xs",
    "mobilevit_xxs",
    "save_weights",
]
