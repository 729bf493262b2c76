"""The interface of every method of quantization: a change of a plan, and a record of parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict
from typing import Any

from hyq_hls.errors import QuantizationError
from hyq_hls.quant.plan import Plan


class Method(ABC):
    """One published or own method of quantization. It is a frozen dataclass of its parameters."""

    @abstractmethod
    def apply(self, plan: Plan) -> Plan:
        """Return the changed plan; long work shows progress where the plan asks for it."""

    def check_counts(self, *names: str) -> None:
        """Raise ``QuantizationError`` unless these parameters are integers of at least 1."""
        for name in names:
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise QuantizationError(
                    f"{type(self).__name__}.{name}={value!r}: an integer from 1 is wanted"
                )

    def to_json(self) -> dict[str, Any]:
        """Return name and parameters, for the metadata of a saved graph."""
        return {"method": type(self).__name__, **asdict(self)}  # type: ignore[call-overload]
