"""Cost models: LUTs and flip-flops of a circuit, fitted to a table of synthesis results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.optimize import nnls

from hyq_hls.errors import ConversionError
from hyq_hls.stream.cost.features import Features, dsps_of, features_of, memory_total, model_of
from hyq_hls.stream.flow import OperationStage
from hyq_hls.stream.rtl.modules import module_file, needed_modules
from hyq_hls.stream.rtl.plumbing import Plumbing
from hyq_hls.tools.systemverilog import source_hash
from hyq_hls.tools.yosys import Utilization, points_of

#: ``benchmarks/characterize.py`` writes this file.
POINTS_FILE = Path(__file__).with_name("points.json")
#: The error of a small circuit is measured against at least this number of sites.
_SMALL = 20.0
#: Weight of the size of coefficients beside the errors, for features scaled to at most 1.
_RIDGE = 1e-4


@dataclass(frozen=True)
class Point:
    """A circuit and its result of synthesis.

    Attributes:
        model: name of its cost model.
        features: features of the instance.
        memory_luts, bram18, dsp: sites of its memories and products, by rule.
        utilization: utilization that Yosys found.
        origin: network, instance, and folding or parameters of the circuit, and whether it is in
            the usual design of the network.
    """

    model: str
    features: Features
    memory_luts: int
    bram18: int
    dsp: int
    utilization: Utilization
    origin: Mapping[str, Any]


@dataclass(frozen=True)
class CostModel:
    """Coefficients of the features of one module.

    Attributes:
        lut: LUTs per unit of a feature; those of memories come on top.
        ff: flip-flops per unit of a feature.
        delays: features and longest path in ns of every point.
    """

    lut: Mapping[str, float]
    ff: Mapping[str, float]
    delays: Sequence[tuple[Features, float]]

    def utilization(self, features: Features, memories: Utilization, dsp: int) -> Utilization:
        """Return the estimate of a circuit with these features, memories and DSP slices."""
        lut = sum(self.lut.get(name, 0.0) * value for name, value in features.items())
        ff = sum(self.ff.get(name, 0.0) * value for name, value in features.items())
        return Utilization(
            lut=round(lut) + memories.lut,
            ff=round(ff),
            dsp=dsp,
            bram18=memories.bram18,
            delay_ns=self._delay(features),
        )

    def _delay(self, features: Features) -> float:
        """Return the longest path of the most similar point.

        No sum of features gives the length of a path.
        """
        names, known = self._logarithms
        mine = np.log1p([features.get(name, 0.0) for name in names])
        return self.delays[int(((known - mine) ** 2).sum(axis=1).argmin())][1]

    @cached_property
    def _logarithms(self) -> tuple[list[str], np.ndarray[Any, Any]]:
        """Names of the points' features, and ``log(1 + feature)``, float64 (points, names)."""
        names = sorted({name for features, _ in self.delays for name in features})
        rows = [[features.get(name, 0.0) for name in names] for features, _ in self.delays]
        return names, np.log1p(rows)


def fitted(points: Iterable[Point]) -> dict[str, CostModel]:
    """Fit models, by name, by non-negative least squares of the points' relative errors."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(point.model, []).append(point)
    return {name: _fitted(group) for name, group in groups.items()}


@cache
def cost_models() -> dict[str, CostModel]:
    """Return the models of all modules, fitted to :data:`POINTS_FILE`.

    Raises:
        ConversionError: the file is damaged.
    """
    return fitted(read_points())


def read_points(
    path: Path = POINTS_FILE, script: str = "benchmarks/characterize.py"
) -> list[Point]:
    """Read a table of synthesis results that a script has made.

    Raises:
        ConversionError: the file is damaged.
    """
    return points_of(path, Point, script)


def compared_points() -> list[tuple[Utilization, Utilization]]:
    """Return what the cost models say of every synthesized circuit, and what synthesis found.

    DSP slices and block RAMs of the estimate follow from rules.

    Raises:
        ConversionError: the table of synthesis results is damaged.
    """
    models = cost_models()
    pairs = []
    for p in read_points():
        memories = Utilization(lut=p.memory_luts, bram18=p.bram18)
        pairs.append((models[p.model].utilization(p.features, memories, p.dsp), p.utilization))
    return pairs


def template_hash(module: str) -> str:
    """Hash a module and all that it contains, without comments.

    A synthesis result belongs to the hash.
    """
    return source_hash(module_file(name) for name in needed_modules({module}))


def estimate(circuit: OperationStage | Plumbing) -> Utilization:
    """Estimate without synthesis how much of a part a circuit takes.

    DSP slices and block RAMs follow from rules, LUTs and flip-flops from the cost model of its
    module; see docs/area.md for the errors.

    Raises:
        ConversionError: the module has no cost model.
    """
    models, name = cost_models(), model_of(circuit)
    if name not in models:
        node = f"{circuit.node.name}: " if isinstance(circuit, OperationStage) else ""
        raise ConversionError(
            f"{node}{name} has no cost model; add points of it with "
            "python -m benchmarks.characterize"
        )
    return models[name].utilization(features_of(circuit), memory_total(circuit), dsps_of(circuit))


def _fitted(points: list[Point]) -> CostModel:
    names = sorted({name for point in points for name in point.features})
    features = np.array([[point.features.get(name, 0.0) for name in names] for point in points])
    lut = np.array([max(0, p.utilization.lut - p.memory_luts) for p in points], dtype=float)
    ff = np.array([p.utilization.ff for p in points], dtype=float)
    return CostModel(
        _coefficients(names, features, lut),
        _coefficients(names, features, ff),
        [(point.features, point.utilization.delay_ns) for point in points],
    )


def _coefficients(
    names: list[str], features: np.ndarray[Any, Any], wanted: np.ndarray[Any, Any]
) -> dict[str, float]:
    """Fit relative errors; features that grow alike share what they explain.

    Without the small second term (a ridge), one of several proportional features would get it all.
    A circuit in which just that feature is zero would then seem to cost nothing more per lane.
    """
    weight = 1 / (wanted + _SMALL)
    scale = np.maximum(features.max(axis=0), 1.0)
    rows = np.vstack([features * weight[:, None] / scale, _RIDGE * np.eye(len(names))])
    solution, _ = nnls(rows, np.concatenate([wanted * weight, np.zeros(len(names))]))
    return {n: float(f"{c:.6g}") for n, c in zip(names, solution / scale, strict=True) if c > 0}
