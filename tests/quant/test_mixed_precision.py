"""Mixed precision: limits are kept exactly, and no other choice of bits would be better."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from hyq_hls import NodeBits, QuantConfig, quantize
from hyq_hls.capture.float_ops import Fold, Unfold
from hyq_hls.errors import QuantizationError
from hyq_hls.parts import part
from hyq_hls.quant.config import Scale
from hyq_hls.quant.judge.bit_choice import (
    BitChoice,
    WidthUsage,
    average_bits,
    choose_bits,
    error_front,
)
from hyq_hls.quant.judge.sensitivity import Sensitivity, sensitivity_curve, with_bits
from hyq_hls.quant.judge.width_usage import width_usage
from hyq_hls.quant.methods.mixed_precision import MixedPrecision
from hyq_hls.quant.pipeline import float_graph_of
from hyq_hls.quant.plan import Plan
from hyq_hls.stream.choose import PartCosts
from hyq_hls.stream.choose.design import design
from hyq_hls.stream.choose.widths import as_array, balanced_design
from hyq_hls.stream.cost import estimate_design
from tests.capture.hybrids import Hybrid, settle
from tests.quant.networks import DeadBranch, Tiny, lean
from tests.quant.test_bit_choice import every_choice

IMAGES = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
COSTS = PartCosts("xc7z020")
PART = part("xc7z020")


def plan_of(model: nn.Module, config: QuantConfig | None = None, images: int = 4) -> Plan:
    graph, _ = float_graph_of(model, (8, 8, 3))
    return Plan.of(graph, config or lean(), IMAGES[:images], False)


def small() -> Hybrid:
    return settle(Hybrid(channels=4, dim=8, heads=2, depth=1), 5)


@pytest.fixture(scope="module")
def small_plan() -> Plan:
    return plan_of(small())


@pytest.fixture(scope="module")
def curve(small_plan: Plan) -> list[Sensitivity]:
    return sensitivity_curve(small_plan, (3, 4, 6, 8))


@pytest.mark.parametrize("average", [2.0, 3.1, 4.7, 5, 7.9, 8.0, 12.0])
def test_no_choice_of_a_tiny_network_is_better(average: float) -> None:
    found = sensitivity_curve(plan_of(settle(Tiny())), (2, 5, 8))
    assert [s.kind for s in found] == ["weights", "activations"] + ["activations"] * 2 + ["weights"]
    assert [s.count for s in found] == [4 * 3 * 9, 6 * 6 * 4, 6 * 6 * 4, 4, 4 * 3]
    choice = choose_bits(found, average)
    assert choice is not None
    assert choice.average_bits <= average
    allowed = [c for c in every_choice(found) if c.average_bits <= average]
    assert choice.predicted_error == min(c.predicted_error for c in allowed)


@pytest.mark.slow
def test_fewer_bits_do_more_harm(curve: list[Sensitivity]) -> None:
    """Of everything together; single roundings may be lucky."""
    sums = {b: sum(s.errors[b] for s in curve) for b in (3, 4, 6, 8)}
    assert sums[3] > sums[4]
    assert sums[4] > 8 * sums[6] > 64 * sums[8] > 0
    assert all(s.errors[8] < s.errors[3] for s in curve)


def test_what_has_no_choice_is_not_asked(small_plan: Plan, curve: list[Sensitivity]) -> None:
    asked = {s.key for s in curve}
    graph = small_plan.graph
    kinds = {graph[name].op.kind for name, kind in asked if kind == "activations"}
    assert not kinds & {"Input", "Softmax", "OctaveSoftmax", "Unfold", "Fold"}
    assert (graph.output, "activations") not in asked
    assert (graph.output, "weights") in asked
    # Every tensor but those, and every layer.
    assert len(asked) == sum(
        node.op.kind not in ("Input", "OctaveSoftmax", "Unfold", "Fold") for node in graph
    ) - 1 + sum(node.op.kind in ("Conv2d", "Linear") for node in graph)


@pytest.mark.slow
def test_overrides_keep_their_bits() -> None:
    fixed = {"block.*": NodeBits(activation_bits=7), "stem.0": NodeBits(5, None)}
    plan = plan_of(small(), lean(overrides=fixed))
    mixed = MixedPrecision(4.5, choices=(4, 6)).apply(plan)
    bits = mixed.notes["mixed_precision"]["bits"]
    assert set(bits["stem.0"]) == {"activations"}
    assert mixed.config.for_node("stem.0").weight_bits == 5
    inside = [name for name in bits if name.startswith("block.")]
    assert inside
    for name in inside:
        assert set(bits[name]) == {"weights"}
        assert mixed.tensors[name].bits == 7
    with pytest.raises(QuantizationError, match="overrides fix the width of every layer"):
        MixedPrecision(5).apply(plan.with_config(lean(overrides={"*": NodeBits(8, 8)})))


@pytest.mark.slow
def test_preactivations_have_a_choice_too() -> None:
    """A width that is said of one tensor holds, whatever others of its kind have at least."""
    plan = plan_of(small(), lean(preactivation_bits=8))
    assert ("stem.0", "activations") in {s.key for s in sensitivity_curve(plan, (4, 8))}
    assert MixedPrecision(4.0, choices=(4, 8)).apply(plan).tensors["stem.0"].bits == 4


def test_overrides_mean_one_node_whatever_its_name() -> None:
    old = {"blocks*": NodeBits(6, 6), "blocks[[]1]": NodeBits(3, None), "*[]]": NodeBits(7, None)}
    keys = {("blocks[1]", "activations"): 4, ("a*", "weights"): 2, ("a?", "weights"): 9}
    config = with_bits(lean(overrides=old), keys)  # type: ignore[arg-type]

    def bits(name: str) -> tuple[int, int]:
        node = config.for_node(name)
        return node.weight_bits, node.activation_bits

    assert bits("blocks[1]") == (7, 4)
    assert bits("blocks1") == (6, 6)
    assert bits("blocks2") == (6, 6)
    assert (bits("a*"), bits("a?"), bits("ab")) == ((2, 8), (9, 8), (8, 8))


def test_what_does_not_matter_gets_the_fewest_bits() -> None:
    model = settle(DeadBranch())
    nn.init.zeros_(model.zero.weight)
    nn.init.zeros_(model.zero.bias)
    mixed = MixedPrecision(8.0, choices=(3, 5, 8)).apply(plan_of(model))
    bits = mixed.notes["mixed_precision"]["bits"]
    assert bits["dead"] == bits["zero"] == {"weights": 3, "activations": 3}
    assert bits["act"] == {"activations": 3}
    assert bits["fc"] == {"weights": 8}


@pytest.mark.slow
@pytest.mark.parametrize("scale", ["power_of_two", "shift", "dyadic"])
def test_the_average_is_kept_and_the_integers_agree(scale: Scale) -> None:
    config = lean(scale=scale, methods=(MixedPrecision(5.3, choices=(4, 5, 6, 8)),))
    qmodel = quantize(small(), IMAGES, config, progress=False)
    graph = qmodel.graph
    codes = dict(graph.reference(IMAGES.astype(np.int64)))
    assert np.array_equal(qmodel.codes(IMAGES), codes[graph.output_name])
    floats = qmodel.float_graph
    assert floats is not None
    total = bits = 0
    for node in floats:
        if node.op.kind in ("Conv2d", "Linear"):
            total += node.op.weight.size  # type: ignore[attr-defined]
            width = graph.nodes[node.name].operation.weight_bits  # type: ignore[attr-defined]
            bits += width * node.op.weight.size  # type: ignore[attr-defined]
        if isinstance(node.op, Unfold | Fold):
            assert graph.type(node.name).quantization == graph.type(node.inputs[0]).quantization
        elif node.op.kind not in ("Input", "OctaveSoftmax") and node.name != floats.output:
            total += graph.type(node.name).size
            bits += graph.type(node.name).quantization.bits * graph.type(node.name).size
    assert 5.0 < bits / total <= 5.3
    assert graph.output_type.quantization.bits == config.output_bits
    assert graph.input_type.quantization.bits == 8
    assert graph.metadata["config"]["methods"][0]["average_bits"] == 5.3


@pytest.mark.slow
def test_mixed_bits_are_nearer_than_as_many_uniform_ones(default_model: nn.Module) -> None:
    from hyq_hls.models import digits  # noqa: PLC0415

    graph, _ = float_graph_of(default_model, (32, 32, 3))
    plan = Plan.of(graph, lean(swish="table"), digits.calibration(32), False)
    mixed = MixedPrecision(6.0, choices=(4, 8), images=4).apply(plan)
    uniform = plan.with_config(replace(plan.config, weight_bits=6, activation_bits=6))
    images = digits.test().images[:40]
    with torch.no_grad():
        wanted = graph(digits.as_input(images)).double().numpy()

    def noise(plan: Plan) -> float:
        from hyq_hls import QuantizedModel  # noqa: PLC0415

        return float(((QuantizedModel(plan.lowered())(images) - wanted) ** 2).sum())

    assert noise(mixed) < 0.7 * noise(uniform)


@pytest.mark.slow
def test_notes_say_what_was_found(small_plan: Plan, curve: list[Sensitivity]) -> None:
    mixed = MixedPrecision(5.0, choices=(3, 4, 6, 8)).apply(small_plan)
    notes = mixed.notes["mixed_precision"]
    assert json.loads(json.dumps(notes)).keys() == notes.keys()
    for s in curve:
        assert notes["sensitivity"][s.node][s.kind] == s.errors
    chosen = {s.key: notes["bits"][s.node][s.kind] for s in curve}
    assert notes["average_bits"]["all"] == average_bits(curve, chosen) <= 5.0
    for kind in ("weights", "activations"):
        mine = [s for s in curve if s.kind == kind]
        assert notes["average_bits"][kind] == average_bits(mine, chosen)
    assert notes["predicted_error"] == sum(s.errors[chosen[s.key]] for s in curve)
    front = [(p["average_bits"], p["predicted_error"]) for p in notes["pareto"]]
    assert front == sorted(front, key=lambda p: (p[0], -p[1]))
    assert front[0][0] == 3.0
    graph = mixed.lowered()
    sizes = [
        (node.type.size, node.type.quantization.bits)
        for node in graph.nodes.values()
        if node.operation.name not in ("fold", "unfold")
    ]
    for node in graph.nodes.values():
        if node.operation.name in ("conv2d", "depthwise_conv2d", "dense"):
            operation: Any = node.operation
            sizes.append((operation.weight.size, operation.weight_bits))
    bits = sum(count * width for count, width in sizes) / sum(count for count, _ in sizes)
    assert notes["average_bits"]["everything"] == bits
    assert [p.predicted_error for p in error_front(curve, (4, 6, 8))] == sorted(
        (p.predicted_error for p in error_front(curve, (8, 6, 4))), reverse=True
    )
    for name, kinds in notes["bits"].items():
        own = mixed.config.for_node(name)
        found = {"weights": own.weight_bits, "activations": own.activation_bits}
        assert kinds == {k: found[k] for k in kinds}


@pytest.mark.slow
def test_deterministic(small_plan: Plan) -> None:
    method = MixedPrecision(5.0, choices=(4, 8), images=3)
    first, second = method.apply(small_plan), method.apply(plan_of(small()))
    assert first.notes == second.notes
    assert first.config == second.config


@pytest.mark.slow
def test_one_calibration_image_is_enough() -> None:
    mixed = MixedPrecision(6.0, choices=(4, 8)).apply(plan_of(small(), images=1))
    assert mixed.notes["mixed_precision"]["average_bits"]["all"] <= 6.0
    mixed.lowered()


def test_methods_before_are_not_undone_in_silence(small_plan: Plan) -> None:
    method = MixedPrecision(6.0)
    name = small_plan.graph.output
    weights = {name: small_plan.weights_of(small_plan.graph[name])}
    tensors = {name: replace(small_plan.tensors[name], scale=(0.5,))}
    for changed in (replace(small_plan, weights=weights), small_plan.with_tensors(tensors)):
        with pytest.raises(QuantizationError, match="put MixedPrecision before it"):
            method.apply(changed)


@pytest.fixture(scope="module")
def usage(small_plan: Plan, curve: list[Sensitivity]) -> WidthUsage:
    return width_usage(small_plan, {s.key: (4, 8) for s in curve}, COSTS)


def estimated(plan: Plan, choice: BitChoice) -> np.ndarray:
    graph = plan.with_config(with_bits(plan.config, choice.bits)).lowered()
    return as_array(estimate_design(balanced_design(graph, PART)).total)


@pytest.mark.slow
def test_costs_of_single_changes_are_those_of_designs(
    small_plan: Plan, curve: list[Sensitivity], usage: WidthUsage
) -> None:
    wide = {s.key: 8 for s in curve}
    found = estimated(small_plan, BitChoice.of(curve, wide))
    assert np.array_equal(usage.total(wide), found)
    for key in [s.key for s in curve][::3]:
        one = BitChoice.of(curve, {**wide, key: 4})
        change = np.abs(usage.total(one.bits) - estimated(small_plan, one))
        # LUTs and FFs of an estimate are rounded module by module.
        assert (change <= [3, 3, 0, 0]).all(), key


@pytest.mark.slow
def test_a_function_in_two_steps_costs_both() -> None:
    """SiLU per channel is a table and a requantization, which reads the table's codes."""
    plan = plan_of(small(), lean(activation_granularity="channel", swish="table"))
    graph = plan.lowered()
    assert any(name.endswith(".table") for name in graph.nodes)
    keys = [s.key for s in sensitivity_curve(plan, (4, 8))]
    usage = width_usage(plan, dict.fromkeys(keys, (4, 8)), COSTS)
    found = as_array(estimate_design(balanced_design(graph, PART)).total)
    assert np.array_equal(usage.total(dict.fromkeys(keys, 8)), found)


@pytest.mark.slow
@pytest.mark.parametrize("resource", ["lut", "ff"])
def test_a_budget_is_kept_by_the_design_that_is_built(
    small_plan: Plan, curve: list[Sensitivity], usage: WidthUsage, resource: str
) -> None:
    index = ("lut", "ff", "dsp", "bram18").index(resource)
    most = usage.widest[index]
    least = usage.total({s.key: 4 for s in curve})[index]
    assert least < 0.95 * most
    limit = float(round((most + least) / 2))
    method = MixedPrecision(None, {resource: limit}, COSTS, choices=(4, 8))
    mixed = method.apply(small_plan)
    built = estimate_design(design(mixed.lowered(), PART, 150)).total
    assert getattr(built, resource) <= limit
    notes = mixed.notes["mixed_precision"]
    resources = notes["resources"]
    assert resources["budget"] == {resource: limit}
    assert resources["actual"] == dict(
        zip(("lut", "ff", "dsp", "bram18"), as_array(built), strict=True)
    )
    assert resources["predicted"][resource] <= limit
    assert abs(resources["predicted"][resource] / resources["actual"][resource] - 1) < 0.03
    assert 4 < notes["average_bits"]["all"] < 8


@pytest.mark.slow
def test_a_share_of_a_part_and_a_frame_time(small_plan: Plan) -> None:
    board = PartCosts("pynq-z2")
    method = MixedPrecision(None, {"lut": 1.0, "cycles": 20_000}, board, choices=(4, 8))
    slow = method.apply(small_plan)
    found = slow.notes["mixed_precision"]["resources"]
    assert found["budget"] == {"lut": PART.luts}
    assert found["cycles"] <= 20_000
    fast = MixedPrecision(5.0, {"lut": 1.0}, COSTS, choices=(4, 8)).apply(small_plan)
    quick = fast.notes["mixed_precision"]
    assert quick["resources"]["cycles"] < found["cycles"]
    assert quick["average_bits"]["all"] <= 5.0


@pytest.mark.slow
def test_a_budget_out_of_reach_names_the_resource(small_plan: Plan) -> None:
    with pytest.raises(
        QuantizationError, match=r"fewest bits everywhere .* LUT where 100 are allowed"
    ):
        MixedPrecision(None, {"lut": 100, "ff": 1.0}, COSTS, choices=(4, 8)).apply(small_plan)
    with pytest.raises(QuantizationError, match=r"budget of cycles: .* cycles per frame"):
        MixedPrecision(None, {"lut": 1.0, "cycles": 1}, COSTS, choices=(4, 8)).apply(small_plan)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"choices": ()}, r"choices=\(\): different integers from 2 to 16"),
        ({"choices": (4, 4)}, "different integers"),
        ({"choices": (1, 8)}, "different integers from 2 to 16"),
        ({"choices": (4.0, 8)}, "different integers"),
        ({"images": 0}, "images=0: an integer of 1 or more"),
        ({"average_bits": 3.9}, "average_bits=3.9: a number is wanted, not below the narrowest"),
        ({"average_bits": float("nan")}, "average_bits=nan"),
        ({"average_bits": "8"}, "average_bits='8': a number is wanted"),
        (
            {"budget": {"lut": "half"}},
            "budget of lut: a positive number is wanted, found 'half'",
        ),
        ({"average_bits": None}, "nothing to keep"),
        ({"average_bits": None, "budget": {"cycles": 100}}, "nothing to keep"),
        (
            {"budget": {"uram": 3}},
            "budget of 'uram' is unknown; lut, ff, dsp, bram18, cycles",
        ),
        ({"budget": {"lut": 1}, "costs": None}, r"budget=\{'lut': 1\} without costs, .*PartCosts"),
        (
            {"budget": {"lut": 0}},
            "budget of lut: a positive number is wanted, found 0",
        ),
        ({"budget": {"lut": float("nan")}}, "a positive number"),
        ({"budget": {"lut": 1, "cycles": 0.5}}, "budget of cycles: a whole number"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(QuantizationError, match=message):
        MixedPrecision(**{"costs": COSTS, **arguments})


def test_an_average_below_every_choice(curve: list[Sensitivity]) -> None:
    with pytest.raises(QuantizationError, match="average of 2 bits: the narrowest"):
        error_front(curve, (5, 2))
