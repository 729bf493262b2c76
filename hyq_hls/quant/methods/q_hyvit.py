"""Q-HyViT: quantization of hybrids with bridge blocks in mind (Lee et al., arXiv 2303.12557)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from hyq_hls.capture.float_graph import FloatGraph, FloatNode
from hyq_hls.errors import QuantizationError
from hyq_hls.graph import Quantization
from hyq_hls.quant.judge.bridges import bridge_blocks
from hyq_hls.quant.judge.second_order import Chain, Choice, sample_chains
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.scales.homogeneous import factors_behind_functions, scaled
from hyq_hls.quant.scales.ranges import covering_exponent
from hyq_hls.quant.scales.readers import (
    reads_fraction_bits,
    real_readers,
    step_exponents,
    takes_channels,
)
from hyq_hls.quant.traits import Codes, has_weights, traits_of

Array = NDArray[np.float64]

#: Ends of the candidates' scales, relative to the scale that covers the range (released code,
#: PTQ4ViT).
_ALPHA, _BETA = 0.01, 1.2
#: Powers of two that are tried where scales lie on a lattice.
_LATTICE: Array = np.array([1.0, 0.5, 0.25])
#: A channel is not finer than this share of the tensor. A dead channel may become active later, and
#: sums of channels of very different scale are wide.
_FINEST = 2.0**-10
#: A tensor of zeros still gets a scale.
_TINY = 2.0**-20


@dataclass(frozen=True)
class QHyViT(Method):
    """Search of scale, granularity and scheme by the cost in the network's answer.

    The cost of a quantization is ``E[dO^T diag((dL/dO)**2) dO]``. ``O`` is the output of the bridge
    block (see :mod:`hyq_hls.quant.judge.bridges`) for everything inside one, else of the operation
    that reads the tensor. ``L`` is the divergence of the quantized network's probabilities from the
    float network's. See :mod:`hyq_hls.quant.judge.second_order`. Layers and tensors are searched in
    turn.
    For every layer the scales of its rows of weights are chosen. For every tensor that goes into
    sums (of a convolution, a linear layer, an attention product, an addition or concatenation, a
    mean) the choice is among

    - scales: ``candidates`` shares from 0.01 to 1.2 of the scale that covers the range. Where
      scales are bound to a lattice (``config.scale`` is not ``dyadic``, or the operation reads
      fraction bits), the few sensible members of the lattice;
    - granularities: per tensor, and per channel where neither writer nor readers pay for it
      (``config.activation_granularity`` ``absorbed``, or ``channel`` if configured so); behind a
      function, which pays with a requantization, where that is worth ``function_price``;
    - schemes: unsigned codes with a zero point, and signed codes without.

    The quantization that the plan had is a candidate too, so that the cost on the sample never
    grows. The paper searches the operands of multiplications. Here additions work on codes too, and
    one operand with outlier channels would spoil their sum. Tensors that only functions or
    LayerNorm read keep the quantization of the configuration. A range per channel always holds
    zero: the range of a channel with positive values only would need a zero point below the codes
    (the paper's zero-point overflow).

    Rows of a layer that is not the last of its bridge block mix before they are judged. Either they
    share a candidate, or each takes the best one at the layer's own sums, whichever is better.

    Codes that earlier methods chose are rounded to nearest again.

    Attributes:
        rounds: passes over all layers and tensors.
        candidates: number of real-valued scales.
        images: number of calibration images that are used, evenly spaced.
        function_price: share of the whole network's cost that a scale per channel behind a
            function, such as SiLU, must save; None means that such scales are not tried.

    Raises:
        QuantizationError: a number below 1, or a price that is not a share.
    """

    rounds: int = 3
    candidates: int = 100
    images: int = 32
    function_price: float | None = None

    def __post_init__(self) -> None:
        self.check_counts("rounds", "candidates", "images")
        price = self.function_price
        if price is not None and not 0 <= price <= 1:
            raise QuantizationError(
                f"QHyViT function_price={price!r}: a share from 0 to 1 is wanted"
            )

    def apply(self, plan: Plan) -> Plan:
        """Return the plan with other tensors and weights.

        The notes name bridge blocks, and the cost before and after.
        """
        search = _Search(plan, self)
        before = search.cost()
        search.run(self.rounds)
        note = {
            "bridge_blocks": [list(block) for block in search.blocks],
            "cost_before": before,
            "cost_after": search.cost(),
        }
        found = plan.with_tensors(search.choice.tensors)
        weights = {name: search.choice.weights(plan.graph[name]) for name in search.choice.shares}
        return replace(found, weights=weights).noted(q_hyvit=note)


class _Search:
    """The state of the search: its items, its judges, and the best choice so far.

    Attributes:
        blocks: bridge blocks.
        choice: the best choice so far; it changes.
        readers: names of the nodes that compute with each tensor that is searched.
    """

    def __init__(self, plan: Plan, method: QHyViT) -> None:
        self.plan = plan
        self.choice = Choice.of(plan)
        self.blocks = bridge_blocks(plan.graph)
        self.readers = {
            node.name: [r.name for r in real_readers(plan.graph, node.name)]
            for node in plan.graph
            if _is_searched(plan.graph, node)
        }
        self._price = method.function_price
        self._total = 0.0  # This is the cost before a round.
        self._factors = factors_behind_functions(plan.graph, plan.tensors)
        self._shares: Array = np.linspace(_ALPHA, _BETA, method.candidates)
        self._fractions = set(reads_fraction_bits(plan.graph, plan.config))
        block_of = {name: block for block in self.blocks for name in block}
        names = [*self.choice.shares, *(r for readers in self.readers.values() for r in readers)]
        nodes, self._key = {}, {}
        for name in names:
            block = block_of.get(name, (name,))
            self._key[name] = block[-1]
            nodes[block[-1]] = [plan.graph[n] for n in block]
        count = min(method.images, len(plan.images))
        rows = np.linspace(0, len(plan.images) - 1, count).round().astype(int)
        self._chains = sample_chains(plan, nodes, plan.images[rows])

    def cost(self) -> float:
        """Return the sum over all chains of the network."""
        return sum(chain.error(self.choice) for chain in self._chains.values())

    def run(self, rounds: int) -> None:
        """Choose everything in turn, and again where something that it depends on has changed."""
        items = [(name, self._choose_weights, [name]) for name in self.choice.shares]
        items += [(name, self._choose_tensor, self._judges(name)) for name in self.readers]
        order = {node.name: index for index, node in enumerate(self.plan.graph)}
        items.sort(key=lambda item: order[item[0]])  # Weights of a layer come before its output.
        settled: dict[int, tuple[Any, ...]] = {}
        total, silent = rounds * len(items), not self.plan.progress
        with tqdm(total=total, desc="Q-HyViT", unit="item", disable=silent) as bar:
            for _ in range(rounds):
                self._total = self.cost()
                for index, (name, choose, judges) in enumerate(items):
                    chains = self._chains_of(judges)
                    if settled.get(index) != self._state(chains):
                        choose(name, chains)
                        settled[index] = self._state(chains)
                    bar.update()

    def _judges(self, name: str) -> list[str]:
        """Return the names of operations whose output depends on a tensor's quantization."""
        config = self.plan.config.for_node(name)
        # One scale for all rows of weights depends on the scales of the layer's output.
        writer = name in self.choice.shares and config.weight_granularity == "tensor"
        return [*self.readers[name], *([name] if writer else [])]

    def _chains_of(self, names: Iterable[str]) -> list[Chain]:
        return [self._chains[key] for key in dict.fromkeys(self._key[name] for name in names)]

    def _state(self, chains: list[Chain]) -> tuple[Any, ...]:
        """Return everything that the errors of some chains depend on."""
        nodes = [node for chain in chains for node in chain.nodes]
        tensors = [self.choice.tensors[n] for node in nodes for n in (node.name, *node.inputs)]
        shares = [self.choice.shares[n.name].tobytes() for n in nodes if has_weights(n)]
        return tensors, shares

    def _choose_weights(self, name: str, chains: list[Chain]) -> None:
        (chain,) = chains
        config = self.plan.config.for_node(name)
        rows = len(self.choice.shares[name])
        shares = self._shares if config.scale == "dyadic" else _LATTICE
        proposals = np.array([self.choice.shares[name], *(np.full(rows, s) for s in shares)])
        rowwise = config.weight_granularity == "channel"
        if chain.nodes[-1].name == name:  # Every row makes a channel of the output.
            errors = np.array([self._with(name, s, chain.errors) for s in proposals])
        else:
            exact = chain.sums(None, name)
            errors = np.array([self._with(name, s, chain.squares, name, exact) for s in proposals])
            if rowwise:
                proposals = np.concatenate([proposals, [_each_best(proposals, errors)]])
            errors = np.array([self._with(name, s, chain.errors) for s in proposals])
            rowwise = False
        best = np.argmin(errors.sum(axis=1))
        self.choice.shares[name] = _each_best(proposals, errors) if rowwise else proposals[best]

    def _with(self, name: str, shares: Array, judge: Callable[..., Array], *args: Any) -> Array:
        """Return the errors with other scales of a layer's weights."""
        kept = self.choice.shares[name]
        self.choice.shares[name] = shares
        found = judge(self.choice, *args)
        self.choice.shares[name] = kept
        return found

    def _choose_tensor(self, name: str, chains: list[Chain]) -> None:
        best = self.choice.tensors[name]
        least = self._cost(name, best, chains)
        for candidate in self._candidates(name):
            cost = self._cost(name, candidate, chains)
            if cost < least:
                best, least = candidate, cost
        self._set(name, best)

    def _cost(self, name: str, quantization: Quantization, chains: list[Chain]) -> float:
        """Return the errors of some chains, plus the price of additional operations."""
        self._set(name, quantization)
        extra = (
            quantization.per_channel
            and traits_of(self.plan.graph[name]).function
            and name not in self._factors
        )
        price = (self._price or 0.0) * self._total if extra else 0.0
        return price + sum(chain.error(self.choice) for chain in chains)

    def _set(self, name: str, quantization: Quantization) -> None:
        self.choice.tensors[name] = quantization
        for reader in self.plan.graph.consumers(name):
            if traits_of(self.plan.graph[reader]).keeps_scale:
                self._set(reader, quantization)

    def _candidates(self, name: str) -> Iterator[Quantization]:
        node, config = self.plan.graph[name], self.plan.config.for_node(name)
        readers = real_readers(self.plan.graph, name)
        data, before = self.plan.statistics[name], self.plan.tensors[name]
        lattice = config.scale != "dyadic" or name in self._fractions
        base = before.scale[0] if lattice else None
        shares = _LATTICE if lattice else self._shares
        least, most = (2.0**exponent for exponent in step_exponents(readers, config))
        factors = self._factors.get(name)
        if factors is not None:
            data = data.divided(factors)
        granularities = [(data.low.min(keepdims=True), data.high.max(keepdims=True))]
        free = config.activation_granularity == "channel" or not traits_of(node).function
        behind = factors is None and (free or self._price is not None)
        if takes_channels(node, readers) and behind:
            granularities.append((data.low, data.high))
        for low, high in granularities:
            for signed in (False, True):
                for found in candidates(low, high, before.bits, signed, base, shares):
                    own = found if factors is None else scaled(found, factors)
                    if least <= min(own.scale) and max(own.scale) <= most:
                        yield own


def _each_best(proposals: Array, errors: Array) -> Array:
    """Return, for each row of weights, the proposal of (n, O) with the least error of (n, O)."""
    best: Array = proposals[np.argmin(errors, axis=0), np.arange(proposals.shape[1])]
    return best


def _is_searched(graph: FloatGraph, node: FloatNode) -> bool:
    if traits_of(node).codes is not Codes.CHOSEN:
        return False
    return any(traits_of(reader).linear for reader in real_readers(graph, node.name))


def candidates(
    low: Array, high: Array, bits: int, signed: bool, base: float | None, shares: Array
) -> Iterator[Quantization]:
    """Yield quantizations of a range, or of a range per channel; zero is inside every one.

    Args:
        low: smallest value, (1,) or (C,).
        high: largest value, likewise.
        bits: width of a code.
        signed: whether codes are signed without a zero point, else unsigned with one.
        base: scales are ``base * 2**k``; None allows any real scale.
        shares: scales relative to the scale that covers the range.
    """
    low, high = np.minimum(low, 0.0), np.maximum(high, 0.0)
    width = high - low
    width = np.maximum(width, max(_FINEST * float(width.max()), _TINY))
    levels = (1 << bits) - 1
    # Half a step beyond the largest signed code is still rounded to it.
    span = np.maximum(np.maximum(-low, high), width / 2)
    covering = (
        span / (levels / 2 if base is not None else levels // 2) if signed else width / levels
    )
    if base is not None:
        covering = base * 2.0 ** covering_exponent(covering / base)
    for share in shares:
        scale = covering * share
        steps = tuple(float(s) for s in scale)
        if signed:
            yield Quantization(bits, True, steps, (0,))
            continue
        # Real scales cut both ends alike; on a lattice the codes left over may go to either.
        ends = np.array([-low / scale, levels - high / scale])
        zeros = [-low / covering] if base is None else [*ends, ends.mean(axis=0)]
        for zero in np.unique(np.clip(np.rint(zeros), 0, levels), axis=0):
            yield Quantization(bits, False, steps, tuple(int(z) for z in zero))
