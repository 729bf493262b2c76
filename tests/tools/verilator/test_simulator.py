"""A design by hand: ports, clock, registers, memories, traces, and wrong names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hyq_hls.errors import InputError, SimulationError
from hyq_hls.tools.verilator import Simulator
from tests.tools.verilator.conftest import ADD_ONE, NESTED, QUICK
from tests.tools.verilator.fst import fst_signals, fst_times

pytestmark = pytest.mark.slow

NO_ONE_BIT_INPUT = re.escape("no one-bit input for the clock 'wide_i'")


@pytest.fixture(scope="module")
def add_one_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("add_one")
    return Simulator.build_library(ADD_ONE, "add_one", {"Beats": 2}, folder=folder, flags=QUICK)


@pytest.fixture(scope="module")
def nested_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nested")
    return Simulator.build_library(str(NESTED), "nested", folder=folder, flags=QUICK)


@pytest.fixture
def adder(add_one_library: Path) -> Iterator[Simulator]:
    with Simulator(add_one_library) as sim:
        sim.reset()
        yield sim


@pytest.fixture
def nested(nested_library: Path) -> Iterator[Simulator]:
    with Simulator(nested_library) as sim:
        sim.reset()
        yield sim


# --- ports and clock ---


def test_a_beat_goes_through(adder: Simulator) -> None:
    io = adder.io
    assert (io.s_axis_tready, io.m_axis_tvalid) == (1, 0)
    io.s_axis_tdata = 0x80_05  # lanes 5 and -128
    io.s_axis_tvalid = 1
    adder.clock.tick()
    io.s_axis_tvalid = 0
    adder.clock.tick(2)
    assert io.m_axis_tvalid == 1
    assert io.m_axis_tdata == 0xFF81_0006, "-127 and 6, sign-extended to 16 bits"
    adder.clock.tick(5)
    assert io.m_axis_tvalid == 1, "held until it is taken"
    io.m_axis_tready = True
    assert io.m_axis_tvalid == 1, "a transfer needs an edge"
    adder.clock.tick()
    assert io.m_axis_tvalid == 0
    assert adder.clock.cycles == 2 + 1 + 2 + 5 + 1


def test_outputs_follow_inputs_without_a_clock(nested: Simulator) -> None:
    for value in (0, 1, 1 << 99, 0x123456789ABCDEF0123456789, (1 << 100) - 1):
        nested.io.wide_i = value
        assert nested.io.wide_i == value
        assert nested.io.wide_o == ~value & ((1 << 100) - 1)
    nested.io.wide_i = -2
    assert nested.io.wide_o == 1, "two's complement"
    nested.io["wide_i"] = np.int64(7)
    assert nested.io["leaves_o"] == 0x09_08_07


def test_reset_and_ticks(nested: Simulator) -> None:
    assert nested.io.rst == 0
    assert nested.io.count_o == 0
    nested.clock.tick(1000)
    assert nested.io.count_o == 1000
    nested.clock.tick(0)
    assert nested.io.count_o == 1000
    nested.reset()
    assert nested.io.count_o == 0


def test_ports_are_listed(nested: Simulator) -> None:
    ports = ["clk", "count_o", "leaves_o", "rst", "stop_i", "wide_i", "wide_o"]
    assert dir(nested.io) == list(nested.io) == ports
    nested.io.wide_i = 0xABC
    lines = repr(nested.io).splitlines()
    assert lines[0].split() == ["name", "bits", "kind", "value"]
    assert [line.split() for line in lines if "wide_i" in line] == [
        ["wide_i", "100", "input", "0xabc"]
    ]
    assert [line.split()[1:3] for line in lines if "count_o" in line] == [["64", "output"]]


def test_inputs_start_at_zero_and_registers_at_random(nested_library: Path) -> None:
    counts = set()
    for seed in (1, 2, 1):
        with Simulator(nested_library, seed=seed) as sim:
            assert (sim.io.clk, sim.io.rst, sim.io.stop_i, sim.io.wide_i) == (0, 0, 0, 0)
            counts.add(sim.io.count_o)
    assert len(counts) == 2


# --- inside ---


def test_hierarchy(nested: Simulator) -> None:
    top = nested.internals
    assert {"gen_leaf", "count_o", "wide_i"} <= set(dir(top))
    assert list(top.gen_leaf) == [0, 1, 2]
    leaf = top.gen_leaf[2].u_leaf
    assert [leaf.Offset, top.gen_leaf[1].u_leaf.Offset] == [2, 1]
    assert leaf.history_q == [[0, 1, 2], [10, 11, 12]]
    nested.io.wide_i = 99
    assert leaf.out_o == 101, "inner wires settle too"
    nested.clock.tick()
    assert leaf.history_q == [[0, 1, 2], [10, 11, 99]]
    table = repr(leaf)
    assert table.startswith("nested.gen_leaf[2].u_leaf\n")
    assert re.search(r"^history_q +8 x 2 x 3 +memory +\.\.\.$", table, re.MULTILINE)
    assert re.search(r"^Offset +32 +parameter +0x2$", table, re.MULTILINE)
    assert "gen_leaf[0]: instance" in repr(top)


def test_a_vector_whose_bits_depend_on_each_other(nested: Simulator) -> None:
    """Verilator takes it for a loop where it can be seen, and refused to build it."""
    for value, wanted in ((0b1011, 0b0011), (0b1111, 0b1111), (0b1110, 0)):
        nested.io.wide_i = value
        assert nested.internals.all_up_to == wanted


def test_registers_and_memories_of_an_instance(adder: Simulator) -> None:
    adder.io.s_axis_tvalid = 1
    for value in (0x1111, 0x2222, 0x3333):
        adder.io.s_axis_tdata = value
        adder.clock.tick()
    fifo = adder.internals.u_in_fifo
    assert fifo.memory_q[:3] == [0x1111, 0x2222, 0x3333]
    assert (fifo.write_q, fifo.read_q) == (3, 2)
    assert adder.internals.sum_wr_data == 0x23 << 9 | 0x23


# --- traces ---


def test_trace_from_here_on(add_one_library: Path, tmp_path: Path) -> None:
    path = tmp_path / "x.fst"
    with Simulator(add_one_library) as sim:
        assert sim.waves == "fst"
        sim.reset(10)
        sim.trace(path)
        sim.clock.tick(3)
        sim.stop_trace()
        sim.clock.tick(50)
        assert fst_times(path) == (100, 125)
        assert {"TOP.aclk", "TOP.add_one.u_in_fifo.read_q"} <= set(fst_signals(path))
        with pytest.raises(SimulationError, match="can be traced once"):
            sim.trace(tmp_path / "y.fst")


def test_close_finishes_a_trace(add_one_library: Path, tmp_path: Path) -> None:
    with Simulator(add_one_library) as sim:
        sim.trace(tmp_path / "x.fst", "u_in_fifo")
        sim.clock.tick(4)
    signals = fst_signals(tmp_path / "x.fst")
    assert signals
    assert all(".u_in_fifo." in name for name in signals)
    assert fst_times(tmp_path / "x.fst") == (0, 35)


def test_a_file_that_cannot_be_written(add_one_library: Path, tmp_path: Path) -> None:
    with Simulator(add_one_library) as sim:
        with pytest.raises(
            InputError, match=r"x\.vcd: this simulator writes FST, .* ends in \.fst"
        ):
            sim.trace("x.vcd")
        with pytest.raises(SimulationError, match=r"cannot write .*nowhere"):
            sim.trace(tmp_path / "nowhere" / "x.fst")
        if Path("/dev/full").exists():
            (tmp_path / "full.fst").symlink_to("/dev/full")
            sim.trace(tmp_path / "full.fst")
            sim.clock.tick(4)
            with pytest.raises(SimulationError, match="is the disk full"):
                sim.stop_trace()


def test_only_watched_instances_are_traced(tmp_path: Path) -> None:
    """The value changes of the other format are text, so they are compared too."""
    path = tmp_path / "x.vcd"
    with Simulator.build(
        str(NESTED),
        "nested",
        folder=tmp_path,
        wires=False,
        watch=["gen_leaf[1].u_leaf"],
        waves="vcd",
        flags=QUICK,
    ) as sim:
        with pytest.raises(
            InputError, match=r"gen_leaf\[0\] is not watched, only gen_leaf\[1\]\.u_leaf is"
        ):
            sim.trace(path, "gen_leaf[0]")
        sim.reset()
        sim.trace(path)
        sim.clock.tick(3)
        with Simulator(tmp_path / "libnested_simulator.so") as other:
            (tmp_path / "full.vcd").symlink_to("/dev/full")
            other.trace(tmp_path / "full.vcd")
            other.clock.tick(4)
            with pytest.raises(SimulationError, match="No space left on device"):
                other.stop_trace()
    text = path.read_text()
    assert len(re.findall(r"^#\d+$", text, re.MULTILINE)) == 6
    scopes = set(re.findall(r"\$scope module (\S+) \$end", text))
    assert scopes == {"TOP", "nested", "gen_leaf[1]", "u_leaf"}
    signals = set(re.findall(r"\$var wire +\d+ \S+ (\S+)", text))
    assert {"count_o", "history_q[1][2]"} <= signals


# --- what goes wrong ---


def test_unknown_names_come_with_near_ones(adder: Simulator) -> None:
    with pytest.raises(InputError, match=r"no port 's_axis_tdta'; did you mean s_axis_tdata"):
        _ = adder.io.s_axis_tdta
    with pytest.raises(InputError, match="no port 'm_axis_tredy'; did you mean m_axis_tready"):
        adder.io.m_axis_tredy = 1
    with pytest.raises(InputError, match="in add_one 'u_in_fif'; did you mean u_in_fifo"):
        _ = adder.internals.u_in_fif
    with pytest.raises(InputError, match=r"in add_one\.u_in_fifo 'mem'; did you mean memory_q"):
        _ = adder.internals.u_in_fifo.mem
    assert not hasattr(adder.io, "nope")
    assert not hasattr(adder.internals, "nope")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("wide_i", 1 << 100, "does not fit its 100 bits"),
        ("wide_i", -(1 << 99) - 1, "does not fit its 100 bits"),
        ("rst", 2, "rst: 2 does not fit its 1 bits"),
        ("wide_i", 1.5, "wide_i: an integer is wanted, found 1.5"),
        ("wide_i", "1", "an integer is wanted, found '1'"),
        ("wide_o", 1, "wide_o is an output, not an input"),
    ],
)
def test_unusable_values(nested: Simulator, name: str, value: object, message: str) -> None:
    before = nested.io.wide_o
    with pytest.raises(InputError, match=re.escape(message)):
        setattr(nested.io, name, value)
    assert nested.io.wide_o == before


def test_inner_signals_cannot_be_set(nested: Simulator) -> None:
    with pytest.raises(InputError, match=r"nested\.count_o: only ports can be set"):
        nested.internals.count_o = 5


def test_fatal_in_the_design(nested: Simulator) -> None:
    nested.io.stop_i = 1
    with pytest.raises(SimulationError, match=r"nested\.sv:\d+: the design called \$fatal"):
        nested.clock.tick()


def test_a_closed_simulation(add_one_library: Path) -> None:
    sim = Simulator(add_one_library)
    sim.close()
    sim.close()
    with pytest.raises(SimulationError, match="closed"):
        sim.clock.tick()
    with pytest.raises(SimulationError, match="closed"):
        _ = sim.io.s_axis_tready
    with pytest.raises(SimulationError, match="closed"):
        sim.io.s_axis_tvalid = 1
    with pytest.raises(SimulationError, match="closed"):
        _ = sim.internals.sum_q


def test_clock_and_reset_by_name(nested_library: Path) -> None:
    with Simulator(nested_library, clock="clk", reset="rst") as sim:
        sim.reset()
        assert sim.io.count_o == 0
    with pytest.raises(InputError, match=NO_ONE_BIT_INPUT):
        Simulator(nested_library, clock="wide_i")


def test_a_module_without_a_clock(tmp_path: Path) -> None:
    source = tmp_path / "sum.sv"
    source.write_text(
        "module sum (input logic [3:0] a, input logic [3:0] b, output logic [4:0] y);\n"
        "  assign y = {1'b0, a} + {1'b0, b};\nendmodule\n"
    )
    with Simulator.build(source, "sum", folder=tmp_path / "build", flags=QUICK) as sim:
        sim.io.a, sim.io.b = 9, 8
        assert sim.io.y == 17
        with pytest.raises(InputError, match="no clock found"):
            sim.clock.tick()
        with pytest.raises(InputError, match="no reset found"):
            sim.reset()
