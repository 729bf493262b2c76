"""Networks, their weights and the bundled data set.

``mobilevit_digits()`` is the small trained default, ``mobilevit_clutter()`` the trained network of
the notebooks. ``mobilevit_xxs/xs/s`` and
``mobile_former_26m`` to ``mobile_former_508m`` take public weights by their names.
``hyq_hls.models.digits`` and ``hyq_hls.models.clutter`` are the data sets, on which
``hyq_hls.models.train`` trains.
"""

from hyq_hls.support import needs

needs("torch")

from hyq_hls.models.checkpoint import load_weights, save_weights
from hyq_hls.models.config import MobileViTConfig, StageConfig, TransformerConfig
from hyq_hls.models.mobile_former import (
    MobileFormer,
    mobile_former_26m,
    mobile_former_52m,
    mobile_former_96m,
    mobile_former_151m,
    mobile_former_214m,
    mobile_former_294m,
    mobile_former_508m,
)
from hyq_hls.models.mobile_former_config import MobileFormerBlockConfig, MobileFormerConfig
from hyq_hls.models.mobilevit import (
    MobileViT,
    mobilevit_clutter,
    mobilevit_digits,
    mobilevit_s,
    mobilevit_xs,
    mobilevit_xxs,
)
from hyq_hls.models.outliers import with_outliers

__all__ = [
    "MobileFormer",
    "MobileFormerBlockConfig",
    "MobileFormerConfig",
    "MobileViT",
    "MobileViTConfig",
    "StageConfig",
    "TransformerConfig",
    "load_weights",
    "mobile_former_26m",
    "mobile_former_52m",
    "mobile_former_96m",
    "mobile_former_151m",
    "mobile_former_214m",
    "mobile_former_294m",
    "mobile_former_508m",
    "mobilevit_clutter",
    "mobilevit_digits",
    "mobilevit_s",
    "mobilevit_xs",
    "mobilevit_xxs",
    "save_weights",
    "with_outliers",
]
