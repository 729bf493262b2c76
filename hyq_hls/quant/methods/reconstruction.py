"""Learned rounding: weights, biases and block outputs of the whole network, without labels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod

import torch
from tqdm import tqdm

from hyq_hls.errors import QuantizationError
from hyq_hls.quant.calibrate import to_float
from hyq_hls.quant.judge.simulate import Simulation
from hyq_hls.quant.methods.base import Method
from hyq_hls.quant.plan import Plan
from hyq_hls.quant.traits import has_weights, traits_of

#: Steps between two evaluations on the images that are held back.
_LOOK = 25
#: Bytes that gradients take for every value of an image (measured), and bytes that they may take.
_BYTES, _MEMORY = 10, 2 << 30


@dataclass(frozen=True)
class Reconstruction(Method):
    """Gradient descent on the rounding of weights and on biases, towards the float network.

    All layers learn together through the differentiable
    :class:`~hyq_hls.quant.judge.simulate.Simulation` of the integers, so that later layers respond
    to the rounding errors of earlier ones. The loss is the squared error of the logits and of the
    outputs of blocks, each relative to the mean square in the float network. Scales stay as they
    are. A part of the images is held back. The state with the smallest loss on them is kept, the
    first state included, and learning stops when that loss no longer falls.

    It unites two known ideas: learned rounding by reconstruction (AdaRound, Nagel et al. 2020;
    BRECQ, Li et al. 2021), and fine-tuning of a whole network against its float outputs after
    quantization (QFT, Finkelstein et al. 2022).

    Attributes:
        steps: most steps of gradient descent.
        batch: images of a step; batches of a large network pass in parts of some 2 GiB.
        weight_rate: learning rate of weights, in steps of their codes; it falls as a cosine.
        bias_rate: learning rate of biases, in steps of the layer's output codes.
        features: weight of the loss of block outputs beside that of the logits.
        held_back: share of the calibration images that judge.
        patience: number of evaluations (one every 25 steps) without improvement after which
            learning stops.
        seed: seed of the order of images.
    """

    steps: int = 300
    batch: int = 32
    weight_rate: float = 0.02
    bias_rate: float = 0.005
    features: float = 1.0
    held_back: float = 1 / 8
    patience: int = 6
    seed: int = 0

    def __post_init__(self) -> None:
        self.check_counts("steps", "batch", "patience")
        if not 0 <= self.held_back <= 0.5:
            raise QuantizationError(
                f"Reconstruction.held_back={self.held_back}: 0 to 0.5 is wanted"
            )

    def apply(self, plan: Plan) -> Plan:
        """Return the plan with chosen codes for every layer, and biases; note the losses."""
        simulation = Simulation(plan)
        judge = _Judge(plan, simulation, self.features)
        if not judge.weights:  # Every block and the logits are dead.
            return plan.noted(reconstruction={"before": 0.0, "after": 0.0})
        images = to_float(plan.images)
        order = torch.randperm(len(images), generator=torch.Generator().manual_seed(self.seed))
        held = int(self.held_back * len(images))
        # Where there are too few images to hold some back, all of them learn and judge.
        judges, learners = images[order[:held] if held else order], images[order[held:]]

        at_once = _at_once(plan)
        layers = list(simulation.all_layers())
        optimizer = torch.optim.Adam(
            [
                {"params": [layer.weight for layer in layers], "lr": self.weight_rate},
                {"params": [layer.bias for layer in layers], "lr": self.bias_rate},
            ]
        )
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.steps)
        first = least = judge.mean(judges, self.batch)
        best, idle = _state(simulation), 0
        bar = tqdm(
            self._batches(learners), "learn rounding", self.steps, disable=not plan.progress or None
        )
        for step, batch in enumerate(bar, 1):
            optimizer.zero_grad()
            for part in batch.split(at_once):
                (judge(part) * (len(part) / len(batch))).backward()
            optimizer.step()
            schedule.step()
            if step % _LOOK and step != self.steps:
                continue
            now = judge.mean(judges, self.batch)
            bar.set_postfix(loss=f"{now:.4f}", before=f"{first:.4f}")
            idle = 0 if now < least else idle + 1
            if now < least:
                best, least = _state(simulation), now
            if idle >= self.patience:
                break
        simulation.load_state_dict(best)
        return _learned(plan, simulation).noted(reconstruction={"before": first, "after": least})

    def _batches(self, images: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield ``steps`` batches.

        No image comes twice in an epoch, and the incomplete end of an epoch is left out.
        """
        generator = torch.Generator().manual_seed(self.seed + 1)
        size = min(self.batch, len(images))
        order = torch.empty(0, dtype=torch.int64)
        for _ in range(self.steps):
            if len(order) < size:
                order = torch.randperm(len(images), generator=generator)
            yield images[order[:size]]
            order = order[size:]


class _Judge:
    """The loss of a simulation on images."""

    def __init__(self, plan: Plan, simulation: Simulation, features: float) -> None:
        graph = self.graph = plan.graph
        self.simulation = simulation
        # Outputs of blocks must stay like the float network's, as the logits must.
        names = [n.name for n in graph if traits_of(n).block_output and n.name != graph.output]
        self.weights = {name: features / len(names) for name in names} | {graph.output: 1.0}
        power = {name: plan.statistics[name].power.mean() for name in self.weights}
        # A dead tensor has no power, and must not count.
        self.weights = {n: w / float(power[n]) for n, w in self.weights.items() if power[n] > 0}

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            wanted = self.graph.run(images, keep=self.weights)
        found = self.simulation.values(images, keep=self.weights)
        losses = [w * ((found[n] - wanted[n]) ** 2).mean() for n, w in self.weights.items()]
        return torch.stack(losses).sum()

    def mean(self, images: torch.Tensor, batch: int) -> float:
        """Return the loss over all images, without gradients."""
        with torch.no_grad():
            parts = [float(self(part)) * len(part) for part in images.split(batch)]
        return sum(parts) / len(images)


def _at_once(plan: Plan) -> int:
    """Return the number of images whose values fit the memory together."""
    values = sum(prod(plan.graph.shape(node.name)) for node in plan.graph)
    return max(1, _MEMORY // (_BYTES * values))


def _state(simulation: Simulation) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in simulation.state_dict().items()}


def _learned(plan: Plan, simulation: Simulation) -> Plan:
    """Return the plan with the simulation's codes and biases."""
    weights, biases = dict(plan.weights), dict(plan.biases)
    for node in plan.graph:
        if has_weights(node):
            layer = simulation.layer(node.name)
            weights[node.name] = layer.weights()
            biases[node.name] = layer.real_bias()
    return replace(plan, weights=weights, biases=biases)
