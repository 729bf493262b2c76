"""Instructions: every field survives a round trip, and nothing else is accepted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hyq_hls.engine import isa
from hyq_hls.engine.fields import FIELDS, QUEUES
from hyq_hls.engine.isa import View
from hyq_hls.errors import ConversionError

KINDS = (isa.LoadMap, isa.LoadBlock, isa.Store, isa.Array, isa.Move, isa.Softmax, isa.Norm)


def random_instruction(cls: type[isa.Instruction], rng: np.random.Generator) -> isa.Instruction:
    """An instruction whose fields take any values, the extremes often."""
    values: dict[str, Any] = {}
    for field in FIELDS[cls.kind_name]:
        ends = (field.smallest, field.largest)
        value = int(rng.choice([*ends, int(rng.integers(ends[0], ends[1] + 1))]))
        head, _, part = field.name.partition(".")
        if part:
            values.setdefault(head, {})[part] = value
        else:
            values[head] = value
    if cls is isa.LoadMap:
        values["target"] = isa.FEATURES
    if cls is isa.LoadBlock:
        values["target"] = int(rng.integers(1, 6))
    values = {k: View(**v) if isinstance(v, dict) else v for k, v in values.items()}
    waits = tuple(int(w) for w in rng.integers(0, 1 << 16, len(QUEUES)))
    return cls(waits=waits, **values)


@pytest.mark.parametrize("cls", KINDS)
def test_round_trip(cls: type[isa.Instruction]) -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        instruction = random_instruction(cls, rng)
        data = isa.encode(instruction)
        assert len(data) == isa.BYTES
        assert isa.decode(data) == instruction


@pytest.mark.parametrize("kind", FIELDS)
def test_fields_do_not_overlap(kind: str) -> None:
    taken: set[tuple[int, int]] = {(0, bit) for bit in range(16)}
    taken |= {(word, bit) for word in (1, 2, 3) for bit in range(32)}
    for field in FIELDS[kind]:
        bits = {(field.word, bit) for bit in range(field.low, field.low + field.width)}
        assert field.low + field.width <= 32
        assert not bits & taken, field
        taken |= bits


def test_a_foreign_version_and_unknown_bits_are_refused() -> None:
    data = bytearray(isa.encode(isa.Norm(src=View(), dst=View(), rows=1, pixels=1, bits=8)))
    data[1] = 2
    with pytest.raises(ConversionError, match="version 2"):
        isa.decode(bytes(data))
    data[1], data[60] = 1, 1
    with pytest.raises(ConversionError, match="no field names"):
        isa.decode(bytes(data))


def test_a_value_that_does_not_fit_names_its_field() -> None:
    with pytest.raises(ConversionError, match="norm: rows is 65536"):
        isa.encode(isa.Norm(src=View(), dst=View(), rows=1 << 16, pixels=1, bits=8))
