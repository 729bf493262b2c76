"""Members of the five families with a few channels, and every kind of operation of their family.

The RTL of each is compiled and simulated in about a minute. The modules have the names and the
operations of the public networks; tests take them from here too.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from benchmarks.reduced import (
    efficientformer,
    efficientformerv2,
    mobile_former,
    mobilevit,
    mobilevitv2,
)

#: What builds each member, by name; random weights, evaluation mode is not set.
REDUCED: dict[str, Callable[[], nn.Module]] = {
    "reduced_mobilevit": mobilevit.small,
    "reduced_mobilevitv2": mobilevitv2.small,
    "reduced_efficientformer": efficientformer.small,
    "reduced_efficientformerv2": efficientformerv2.small,
    "reduced_mobile_former": mobile_former.small,
}
