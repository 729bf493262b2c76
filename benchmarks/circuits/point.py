"""One circuit of the area comparison: what is synthesized, how long it takes, how far it is off."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from hyq_hls.tools.systemverilog import Value

#: SystemVerilog of the circuits that only the comparison has.
CIRCUITS = Path(__file__).parent


@dataclass(frozen=True)
class Point:
    """A row of the comparison. ``kind``, ``circuit``, ``regime`` and ``n`` name it.

    Modules ``benchmarks/circuits/<kind>.py`` offer ``points() -> list[Point]``.

    Attributes:
        kind: what is compared: ``softmax``, ``unary``, ``requant`` or ``attention_v``.
        circuit: how it is computed, such as ``linear`` or ``table``.
        regime: ``published`` (widths as in the paper) or ``tight`` (smallest exact widths), or a
            variant of these that the kind's module describes.
        n: size of the problem: codes of a row, lanes or bits, as the kind's module says.
        sources: SystemVerilog files, those of ``rtl_templates`` among them.
        top: name of the module that is synthesized.
        parameters: parameters of ``top``.
        cycles: clock cycles from the first input beat to the last output beat of one problem, with
            no stalls, both counted: the latency and the beats that follow.
        errors: computes the worst and the mean absolute error against the true function.
        dsp: whether multiplications may become DSP blocks.
    """

    kind: str
    circuit: str
    regime: str
    n: int
    sources: tuple[Path, ...]
    top: str
    parameters: Mapping[str, Value]
    cycles: int
    errors: Callable[[], tuple[float, float]]
    dsp: bool = True

    @property
    def name(self) -> str:
        """Unique in the comparison."""
        return f"{self.kind}_{self.circuit}_{self.regime}_{self.n}"
