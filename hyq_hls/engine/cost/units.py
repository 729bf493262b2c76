"""The units of ``hyq_engine``: their modules, with the parameters that sizes give them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hyq_hls.engine.fields import QUEUES
from hyq_hls.engine.machine_sizes import INPUTS, LANES, OUTPUTS, TABLE_ENTRIES, WORD, Sizes
from hyq_hls.engine.rtl import rtl_parameters
from hyq_hls.tools.yosys import block_rams

#: Rows of a report by queue: the units that run instructions.
ROWS = dict(
    zip(
        QUEUES,
        ("load unit", "store unit", "array", "move unit", "softmax unit", "norm unit"),
        strict=True,
    )
)
#: Where only the bits of a bank depend on the pixels: up to 2 % of a unit.
_BANK = ("Pixels",)
#: Latencies that ``hyq_engine`` fixes.
_READ, _RECORD = 5, 3
#: Words of four codes that a bank of the feature memory reads at a time.
_SUB_BANKS = 4
#: Two lanes share a word of the weight memory, and two codes a table, by its two ports.
_PAIR = 2


@dataclass(frozen=True)
class BlockMemory:
    """Equal memories in block RAM.

    Attributes:
        count: how many.
        words, width: words of each, and bits of a word.
        two_readers: whether each is read at two addresses in a cycle.
    """

    count: int
    words: int
    width: int
    two_readers: bool = False

    @property
    def bram18(self) -> int:
        """Halves of block RAMs that all take."""
        return self.count * block_rams(self.words, self.width, two_readers=self.two_readers)


@dataclass(frozen=True)
class Unit:
    """A module of the engine with parameters.

    Attributes:
        row: the row of a report that it belongs to.
        module: name of the module.
        parameters: all of its parameters.
        scaled: parameters with which its logic grows: pixels, lanes, words of memories.
        ignored: parameters that change its own logic by no more than some bits of an address.
        memories: its block RAM.
        apart: modules inside it that are units of their own.
    """

    row: str
    module: str
    parameters: Mapping[str, int]
    scaled: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    memories: tuple[BlockMemory, ...] = ()
    apart: tuple[str, ...] = ()

    @property
    def bram18(self) -> int:
        """Halves of block RAMs."""
        return sum(memory.bram18 for memory in self.memories)


def units(sizes: Sizes) -> tuple[Unit, ...]:
    """Return all modules of an engine of these sizes; each row of a report has one or more."""
    whole_engine = rtl_parameters(sizes)
    inside, whole = _array_units(sizes), _units(sizes)
    array_unit = Unit(
        "array control",
        "hyq_engine_array_unit",
        {
            name: whole_engine[name]
            for name in ("Pixels", "WeightWords", "ParameterGroups", "Multiply")
        },
        ignored=("Pixels", "WeightWords", "ParameterGroups", "Multiply"),
        apart=tuple(unit.module for unit in inside),
    )
    top = Unit(
        "ports of the memories",
        "hyq_engine",
        whole_engine,
        ignored=tuple(whole_engine),
        apart=(*(unit.module for unit in whole), array_unit.module),
    )
    return (*inside, *whole, array_unit, top)


def _array_units(sizes: Sizes) -> tuple[Unit, ...]:
    """Return the modules inside the array unit."""
    pixels, records = {"Pixels": sizes.pixels}, sizes.parameter_groups * OUTPUTS
    word_bits = (sizes.weight_words - 1).bit_length()
    return (
        Unit(ROWS["array"], "hyq_engine_array", pixels, scaled=("Pixels",)),
        Unit(
            "array control",
            "hyq_engine_sequencer",
            pixels | {"WordBits": word_bits},
            scaled=("WordBits",),
            ignored=_BANK,
        ),
        Unit("array control", "hyq_engine_writer", pixels, ignored=_BANK),
        Unit("operand path", "hyq_engine_operands", pixels, scaled=("Pixels",)),
        Unit(
            "output stage",
            "hyq_engine_output",
            {"Multiply": int(sizes.multiplier)},
            memories=(BlockMemory(OUTPUTS // _PAIR, 2 * TABLE_ENTRIES, 8, two_readers=True),),
        ),
        Unit(
            "weight memory",
            "hyq_engine_weights",
            {"Words": sizes.weight_words},
            scaled=("Words",),
            memories=(BlockMemory(LANES // _PAIR, sizes.weight_words, _PAIR * 9),),
        ),
        Unit(
            "parameter memory",
            "hyq_engine_parameters",
            {"Groups": sizes.parameter_groups},
            scaled=("Groups",),
            memories=(BlockMemory(1, records, 64), BlockMemory(1, records, 6)),
        ),
    )


def _units(sizes: Sizes) -> tuple[Unit, ...]:
    """Return the other units that ``hyq_engine`` has."""
    pixels = {"Pixels": sizes.pixels}
    bank = BlockMemory(sizes.pixels * _SUB_BANKS, -(-sizes.feature_words // _SUB_BANKS), 8 * WORD)
    reader = pixels | {"ReadLatency": _READ}
    row_words = -(-sizes.softmax_length // WORD)
    return (
        Unit(ROWS["load"], "hyq_engine_load", pixels, ignored=_BANK),
        Unit(ROWS["store"], "hyq_engine_store", pixels, ignored=_BANK),
        Unit(ROWS["move"], "hyq_engine_move", reader | {"RecordLatency": _RECORD}, ignored=_BANK),
        Unit(
            ROWS["softmax"],
            "hyq_engine_softmax",
            reader | {"Length": sizes.softmax_length, "Lanes": sizes.softmax_lanes},
            scaled=("Length", "Lanes"),
            ignored=_BANK,
            memories=(
                BlockMemory(4, 128, 32, two_readers=True),
                BlockMemory(1, 2 << (row_words - 1).bit_length(), 32 * WORD),
            ),
        ),
        Unit(
            ROWS["norm"],
            "hyq_engine_norm",
            reader | {"Channels": sizes.norm_channels, "Lanes": sizes.norm_lanes},
            scaled=("Channels", "Lanes"),
            ignored=_BANK,
            memories=(
                BlockMemory(sizes.norm_lanes, sizes.norm_channels // sizes.norm_lanes, 64),
                BlockMemory(sizes.norm_lanes, sizes.norm_channels // sizes.norm_lanes, 24),
            ),
        ),
        Unit(
            "feature memory",
            "hyq_engine_feature",
            pixels | {"Words": sizes.feature_words},
            scaled=("Pixels", "Words"),
            memories=(bank,),
        ),
        Unit("registers and control", "hyq_engine_registers", pixels, ignored=_BANK),
        Unit("registers and control", "hyq_engine_control", {}),
        Unit("registers and control", "hyq_engine_bursts", {}),
    )


def multipliers(sizes: Sizes) -> int:
    """Return the products that the array computes in a cycle."""
    return OUTPUTS * INPUTS * sizes.pixels
