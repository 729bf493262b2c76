"""Mixed precision: a search for the bits of every layer and every tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hyq_hls.errors import ConversionError, QuantizationError
from hyq_hls.graph.types import MAX_BITS, MIN_BITS
from hyq_hls.quant.judge.bit_choice import (
    Array,
    BitChoice,
    average_bits,
    choose_bits,
    error_front,
    narrowest,
)
from hyq_hls.quant.judge.costs import CostModel
from hyq_hls.quant.judge.sensitivity import Sensitivity, count_of, sensitivity_curve, with_bits
from hyq_hls.quant.judge.width_usage import width_usage
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.traits import Codes, has_weights, traits_of

#: A budget counts as out of reach after this number of estimated designs.
_ROUNDS = 8
#: Distance in bits between the averages of the noted Pareto front.
_STEP = 0.25


@dataclass(frozen=True)
class MixedPrecision(Method):
    """Widths of weights and activations by an integer program over measured sensitivities.

    Kang, Choi and Kim (ICEIC 2024) report MobileViT at an average of 7.9 bits with Shift-Swish.
    Their rule for the choice of bits, and whether weights or activations are averaged, is not in
    any publication that we could read. **The rule here is our own**: for every layer's weights and
    every tensor, measure the error of the logits at every width
    (:mod:`hyq_hls.quant.judge.sensitivity`), and take the widths with the smallest sum of errors
    within the limits (:mod:`hyq_hls.quant.judge.bit_choice`).

    The average is ``sum(count * bits) / sum(count)`` over everything whose width is free. Every
    weight of a convolution or linear layer counts once; biases, and scales of LayerNorm, do not
    count. Every element of an activation tensor of one image counts once; data that only moves is
    the same tensor. Weights and tensors that keep their width (see
    :func:`~hyq_hls.quant.judge.sensitivity.sensitivity_curve`) do not count.

    The method assigns quantizations anew, so it comes before methods that choose tensors or
    weights, and after those that change the graph. Results are in
    ``plan.notes["mixed_precision"]``: ``sensitivity`` (node to ``weights`` and ``activations``,
    each width to error), ``bits`` (the same, to the chosen width), ``average_bits`` (averages over
    ``all`` that is free, over its ``weights`` and ``activations``, and over ``everything``, which
    has fixed widths too, but not the image), ``predicted_error`` (squared, relative to the power of
    the logits; functions such as Shift-Swish have errors of their own, which are not in it),
    ``pareto`` (a list of ``average_bits`` and ``predicted_error``), and with a budget ``resources``
    (``budget``, ``predicted``, ``actual`` by resource, ``cycles``, number of ``designs`` that were
    estimated).

    Attributes:
        average_bits: largest average; None sets no limit.
        budget: most of the resources that ``costs`` names, such as "lut", "ff", "dsp", "bram18"
            (halves of a 36 Kbit block). A value up to 1 is a share of the part, a value above 1 is
            a number. The key "cycles" is a number of cycles per frame, which widths do not change:
            resources are counted in the design of that speed, by default in the design that the
            machine builds first. Up to 8 bits, widths change no DSP slice of a convolution or
            linear layer, because two products share a slice at 8 bits already. ``average_bits``
            holds too, unless it is None.
        costs: model of the resources of designs on a part, for the budget. The streaming machine
            has ``hyq_hls.stream.choose.PartCosts("xc7z020")``.
        choices: widths in bits, for weights and activations.
        images: number of calibration images on which sensitivity is measured.

    Raises:
        QuantizationError: an argument is out of range, or contradicts another.
    """

    average_bits: float | None = 7.9
    budget: Mapping[str, float] = field(default_factory=dict)
    costs: CostModel | None = None
    choices: tuple[int, ...] = (4, 5, 6, 7, 8)
    images: int = 64

    def __post_init__(self) -> None:
        known = all(type(b) is int and MIN_BITS <= b <= MAX_BITS for b in self.choices)
        if not self.choices or not known or len(set(self.choices)) < len(self.choices):
            raise QuantizationError(
                f"choices={self.choices!r}: different integers from {MIN_BITS} to {MAX_BITS} are "
                "wanted"
            )
        if type(self.images) is not int or self.images < 1:
            raise QuantizationError(f"images={self.images!r}: an integer of 1 or more is wanted")
        if self.average_bits is None and not set(self.budget) - {"cycles"}:
            raise QuantizationError(
                "mixed precision without average_bits and without a budget of resources has "
                "nothing to keep; give one of them"
            )
        average = self.average_bits
        if average is not None and not (
            isinstance(average, int | float) and average >= min(self.choices)
        ):
            raise QuantizationError(
                f"average_bits={average!r}: a number is wanted, not below the narrowest of choices="
                f"{self.choices}; give a larger average or smaller choices"
            )
        if self.budget and self.costs is None:
            raise QuantizationError(
                f"budget={dict(self.budget)} without costs, which say what a design takes; give "
                "those of a part, as costs=hyq_hls.stream.choose.PartCosts('xc7z020')"
            )
        known_budgets = [*(self.costs.resources if self.costs else ()), "cycles"]
        for name, amount in self.budget.items():
            if name not in known_budgets:
                raise QuantizationError(
                    f"budget of {name!r} is unknown; {', '.join(known_budgets)} may have one"
                )
            number = isinstance(amount, int | float) and amount > 0
            if not number or (name == "cycles" and (amount < 1 or amount != int(amount))):
                wanted = "a whole number of 1 or more" if name == "cycles" else "a positive number"
                raise QuantizationError(f"budget of {name}: {wanted} is wanted, found {amount!r}")

    def apply(self, plan: Plan) -> Plan:
        """Return the plan with widths as overrides of its configuration.

        Raises:
            QuantizationError: nothing has a choice, an earlier method chose tensors or weights, or
                a budget cannot be kept; the message names the resource.
        """
        if plan.weights or plan.tensors != plan.with_config(plan.config).tensors:
            raise QuantizationError(
                "a method before MixedPrecision chose tensors or weights, which other widths would "
                "undo; put MixedPrecision before it"
            )
        curve = sensitivity_curve(plan, self.choices, self.images)
        if not curve:
            raise QuantizationError(
                "mixed precision: overrides fix the width of every layer and tensor; leave some out"
            )
        notes: dict[str, Any] = {}
        if self.costs is not None and set(self.budget) - {"cycles"}:
            search = _Search(self, self.costs, plan, curve)
            choice = search.run()
            notes["resources"] = search.notes
        else:
            assert self.average_bits is not None  # Without an average there is a budget.
            (choice,) = error_front(curve, [self.average_bits])
        least = narrowest(curve).average_bits
        steps = np.arange(min(self.choices), max(self.choices) + _STEP / 2, _STEP)
        front = error_front(curve, [float(step) for step in steps if step >= least])
        chosen = plan.with_config(with_bits(plan.config, choice.bits))
        notes |= {
            "sensitivity": _table({s.key: dict(s.errors) for s in curve}),
            "bits": _table(choice.bits),
            "average_bits": _averages(curve, choice) | {"everything": _average_of(chosen)},
            "predicted_error": choice.predicted_error,
            "pareto": [
                {"average_bits": c.average_bits, "predicted_error": c.predicted_error}
                for c in front
            ],
        }
        return chosen.noted(mixed_precision=notes)


class _Search:
    """A search for widths within a budget.

    A linear model predicts the usage; estimates of whole designs correct it.
    """

    def __init__(
        self,
        method: MixedPrecision,
        costs: CostModel,
        plan: Plan,
        curve: Sequence[Sensitivity],
    ) -> None:
        self.method, self.costs, self.plan, self.curve = method, costs, plan, curve
        cycles = method.budget.get("cycles")
        self.cycles = None if cycles is None else int(cycles)
        amounts = np.array([method.budget.get(name, np.inf) for name in costs.resources])
        self.limits: Array = np.where(amounts <= 1, amounts * costs.capacity(), amounts)
        self.notes: dict[str, Any] = {}

    def run(self) -> BitChoice:
        """Return the choice; raise ``QuantizationError`` where there is none."""
        widths = {s.key: list(s.errors) for s in self.curve}
        try:
            usage = width_usage(self.plan, widths, self.costs, self.cycles)
        except ConversionError as error:
            raise QuantizationError(f"budget of cycles: {error}") from error
        error_of_model: Array = np.zeros_like(self.limits)
        for designs in range(1, _ROUNDS + 1):
            room = self.limits - error_of_model
            choice = choose_bits(self.curve, self.method.average_bits, usage, room)
            last = choice is None
            if choice is None:  # The estimate of the narrowest design decides.
                choice = narrowest(self.curve)
            predicted, (actual, cycles) = usage.total(choice.bits), self._estimated(choice)
            if (actual <= self.limits).all():
                self.notes = {
                    "budget": self._named(self.limits),
                    "predicted": self._named(predicted),
                    "actual": self._named(actual),
                    "cycles": cycles,
                    "designs": designs,
                }
                return choice
            if last:
                raise QuantizationError(
                    f"budget on {self.costs.part} cannot be kept: with the fewest bits "
                    f"everywhere the design takes {self._over(actual)}; allow more, or more cycles "
                    "per frame"
                )
            # The share that the model missed is kept back; it grows where a resource is exceeded.
            error_of_model = np.maximum(error_of_model, actual - predicted)
        raise QuantizationError(
            f"budget on {self.costs.part}: {_ROUNDS} designs were predicted to keep it, and none "
            f"did; the last takes {self._over(actual)}; allow a little more"
        )

    def _over(self, actual: Array) -> str:
        """Return the resources that are exceeded, as text for messages."""
        return ", ".join(
            f"{amount:,.0f} {label} where {limit:,.0f} are allowed"
            for label, amount, limit in zip(
                self.costs.resources.values(), actual, self.limits, strict=True
            )
            if amount > limit
        )

    def _estimated(self, choice: BitChoice) -> tuple[Array, int]:
        """Return the estimate of the whole design with these widths, and its cycles per frame."""
        config = with_bits(self.plan.config, choice.bits)
        design = self.costs.design(self.plan.with_config(config).lowered(), self.cycles)
        return design.total, design.cycles

    def _named(self, amounts: Array) -> dict[str, float]:
        pairs = zip(self.costs.resources, amounts, strict=True)
        return {name: float(amount) for name, amount in pairs if np.isfinite(amount)}


def _averages(curve: Sequence[Sensitivity], choice: BitChoice) -> dict[str, float]:
    kinds = {k: [s for s in curve if s.kind == k] for k in ("weights", "activations")}
    apart = {k: average_bits(mine, choice.bits) for k, mine in kinds.items() if mine}
    return {"all": choice.average_bits, **apart}


def _average_of(plan: Plan) -> float:
    """Return the average bits of weights and tensors, fixed ones too, but not the image."""
    sizes: list[tuple[int, int]] = []
    for node in plan.graph:
        if has_weights(node):
            width = plan.config.for_node(node.name).weight_bits
            sizes.append((count_of(plan.graph, node.name, "weights"), width))
        traits = traits_of(node)
        if traits.codes is not Codes.IMAGE and not traits.keeps_scale:
            elements = count_of(plan.graph, node.name, "activations")
            sizes.append((elements, plan.tensors[node.name].bits))
    return sum(count * bits for count, bits in sizes) / sum(count for count, _ in sizes)


def _table(values: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    """Return the values by node, then by kind."""
    found: dict[str, dict[str, Any]] = {}
    for (node, kind), value in values.items():
        found.setdefault(node, {})[kind] = value
    return found
