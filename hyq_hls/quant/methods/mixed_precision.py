"""Mixed precision: every layer and every tensor gets the bits that it deserves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hyq_hls.capture.float_ops import Input
from hyq_hls.errors import ConversionError, QuantizationError
from hyq_hls.graph.types import MAX_BITS, MIN_BITS
from hyq_hls.quant.judge.bit_choice import (
    Array,
    BitChoice,
    average_bits,
    choose_bits,
    narrowest,
    pareto,
)
from hyq_hls.quant.judge.sensitivity import Sensitivity, count_of, sensitivity_curve, with_bits
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.assign import MOVES
from hyq_hls.quant.scales.weights import has_weights

#: What a budget may limit; ``cycles`` is the frame time at which the rest is counted.
BUDGETS = ("lut", "ff", "dsp", "bram18", "cycles")
#: Designs that are estimated before a budget counts as out of reach.
_ROUNDS = 8
#: Distance of the averages of the noted Pareto front, in bits.
_STEP = 0.25


@dataclass(frozen=True)
class MixedPrecision(Method):
    """Widths of weights and activations by an integer program over measured sensitivities.

    Kang, Choi and Kim (ICEIC 2024) report MobileViT at an average of 7.9 bits with Shift-Swish. How
    they choose bits, and whether weights or activations are averaged, is not published where we
    could read it; **the rule here is our own**: for every layer's weights and every tensor,
    measure the error of the logits at every width (:mod:`hyq_hls.quant.judge.sensitivity`), and
    take the widths of the smallest sum of errors within the limits
    (:mod:`hyq_hls.quant.judge.bit_choice`).

    The average is ``sum(count * bits) / sum(count)`` over all that is free to choose: every weight
    of a convolution or linear layer counts once (biases, and scales of LayerNorm, do not), and
    every element of an activation tensor of one image counts once (data that only moves is the
    same tensor). What keeps its width (see
    :func:`~hyq_hls.quant.judge.sensitivity.sensitivity_curve`) is not in it.

    It assigns quantizations anew, so it comes before methods that choose tensors or weights, and
    after those that change the graph. Results are in ``plan.notes["mixed_precision"]``:
    ``sensitivity`` (node to ``weights`` and ``activations``, each width to error), ``bits`` (the
    same, to the chosen width), ``average_bits`` (``all`` that is free, its ``weights`` and
    ``activations``, and ``everything``: with what keeps its width, but without the image),
    ``predicted_error`` (squared, relative to the power of the logits; functions such as
    Shift-Swish have errors of their own, which are not in it), ``pareto`` (a list of
    ``average_bits`` and ``predicted_error``), and with a budget ``resources`` (``budget``,
    ``predicted``, ``actual`` by resource, ``cycles``, ``designs`` that were estimated).

    Args:
        average_bits: at most; None: no limit.
        budget: most of "lut", "ff", "dsp", "bram18" (halves of a 36 Kbit block): up to 1 a share
            of the part, above 1 a number; and "cycles" per frame, a number, which widths do not
            change: resources are counted in the balanced design of that speed, by default in that
            which ``convert`` tries first. Up to 8 bits, widths change no DSP slice of a
            convolution or linear layer: two products share one at 8 bits already. The average
            holds beside it, unless it is None.
        part: for the budget; part, device or board.
        choices: widths in bits, for weights and activations.
        images: calibration images that sensitivity is measured on.

    Raises:
        QuantizationError: an argument is out of range, or contradicts another.
    """

    average_bits: float | None = 7.9
    budget: Mapping[str, float] = field(default_factory=dict)
    part: str = "xc7z020"
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
        for name, amount in self.budget.items():
            if name not in BUDGETS:
                raise QuantizationError(
                    f"budget of {name!r} is unknown; {', '.join(BUDGETS)} may have one"
                )
            number = isinstance(amount, int | float) and amount > 0
            if not number or (name == "cycles" and (amount < 1 or amount != int(amount))):
                wanted = "a whole number of 1 or more" if name == "cycles" else "a positive number"
                raise QuantizationError(f"budget of {name}: {wanted} is wanted, found {amount!r}")

    def apply(self, plan: Plan) -> Plan:
        """The plan with widths as overrides of its configuration.

        Raises:
            QuantizationError: nothing has a choice, a method before chose tensors or weights, or a
                budget cannot be kept; the message names the resource.
            ConversionError: the part is unknown.
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
        if set(self.budget) - {"cycles"}:
            search = _Search(self, plan, curve)
            choice = search.run()
            notes["resources"] = search.notes
        else:
            assert self.average_bits is not None  # or there is a budget
            (choice,) = pareto(curve, [self.average_bits])
        least = narrowest(curve).average_bits
        steps = np.arange(min(self.choices), max(self.choices) + _STEP / 2, _STEP)
        front = pareto(curve, [float(step) for step in steps if step >= least])
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
    """Widths within a budget: predicted by a linear model, which estimates of designs correct."""

    def __init__(self, method: MixedPrecision, plan: Plan, curve: Sequence[Sensitivity]) -> None:
        # Here, because costs know circuits, and quantizing alone needs none.
        from hyq_hls.machine.budget import RESOURCES, capacity  # noqa: PLC0415
        from hyq_hls.parts import part  # noqa: PLC0415

        self.method, self.plan, self.curve = method, plan, curve
        self.part = part(method.part)
        self.labels = RESOURCES
        cycles = method.budget.get("cycles")
        self.cycles = None if cycles is None else int(cycles)
        has = capacity(self.part)
        amounts = {r: method.budget.get(r, np.inf) for r in RESOURCES}
        self.limits = np.array([v * has[r] if v <= 1 else v for r, v in amounts.items()])
        self.notes: dict[str, Any] = {}

    def run(self) -> BitChoice:
        """The choice; raises ``QuantizationError`` where there is none."""
        from hyq_hls.quant.judge.width_usage import width_usage  # noqa: PLC0415

        widths = {s.key: list(s.errors) for s in self.curve}
        try:
            usage = width_usage(self.plan, widths, self.part, self.cycles)
        except ConversionError as error:
            raise QuantizationError(f"budget of cycles: {error}") from error
        error_of_model: Array = np.zeros_like(self.limits)
        for designs in range(1, _ROUNDS + 1):
            room = self.limits - error_of_model
            choice = choose_bits(self.curve, self.method.average_bits, usage, room)
            last = choice is None
            if choice is None:  # by the model; the narrowest design has the last word
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
                    f"budget on {self.part.name} cannot be kept: with the fewest bits "
                    f"everywhere the design takes {self._over(actual)}; allow more, or more cycles "
                    "per frame"
                )
            # What the model missed is kept back; it grows where a resource is exceeded.
            error_of_model = np.maximum(error_of_model, actual - predicted)
        raise QuantizationError(
            f"budget on {self.part.name}: {_ROUNDS} designs were predicted to keep it, and none "
            f"did; the last takes {self._over(actual)}; allow a little more"
        )

    def _over(self, actual: Array) -> str:
        """What is exceeded, for messages."""
        return ", ".join(
            f"{amount:,.0f} {label} where {limit:,.0f} are allowed"
            for label, amount, limit in zip(self.labels.values(), actual, self.limits, strict=True)
            if amount > limit
        )

    def _estimated(self, choice: BitChoice) -> tuple[Array, int]:
        """Estimate of the whole design with these widths, and its cycles per frame."""
        from hyq_hls.stream.choose.widths import as_array, balanced_design  # noqa: PLC0415
        from hyq_hls.stream.cost.design import estimate_design  # noqa: PLC0415

        config = with_bits(self.plan.config, choice.bits)
        flow = balanced_design(self.plan.with_config(config).lowered(), self.part, self.cycles)
        return as_array(estimate_design(flow).total), flow.cycles_per_frame

    def _named(self, amounts: Array) -> dict[str, float]:
        return {r: float(a) for r, a in zip(self.labels, amounts, strict=True) if np.isfinite(a)}


def _averages(curve: Sequence[Sensitivity], choice: BitChoice) -> dict[str, float]:
    kinds = {k: [s for s in curve if s.kind == k] for k in ("weights", "activations")}
    apart = {k: average_bits(mine, choice.bits) for k, mine in kinds.items() if mine}
    return {"all": choice.average_bits, **apart}


def _average_of(plan: Plan) -> float:
    """Bits per weight and element of tensors, with those that had no choice, but not the image."""
    sizes: list[tuple[int, int]] = []
    for node in plan.graph:
        if has_weights(node):
            width = plan.config.for_node(node.name).weight_bits
            sizes.append((count_of(plan.graph, node.name, "weights"), width))
        if not isinstance(node.op, (Input, *MOVES)):
            elements = count_of(plan.graph, node.name, "activations")
            sizes.append((elements, plan.tensors[node.name].bits))
    return sum(count * bits for count, bits in sizes) / sum(count for count, _ in sizes)


def _table(values: Mapping[Any, Any]) -> dict[str, dict[str, Any]]:
    """By node, then by kind."""
    found: dict[str, dict[str, Any]] = {}
    for (node, kind), value in values.items():
        found.setdefault(node, {})[kind] = value
    return found
