"""Parts of the schedule check: the worst cycle, widths of operations, delays, addresses."""

from __future__ import annotations

from fractions import Fraction

import networkx as nx
import numpy as np
import pytest

from verif.intervals.addresses import address_of, sum_of
from verif.intervals.delays import delays
from verif.intervals.dependences import _worst
from verif.intervals.ir import Constant, Function, Instruction, Module, parse
from verif.intervals.loops import find_loops
from verif.intervals.memories import Directives, accesses_of, most_words
from verif.intervals.widths import Widths

_HEAD = 'target datalayout = "e-m:e-i64:64-n8:16:32:64"\n'


def function_of(body: str, arguments: str = "i32 %a, i32 %b, ptr %p") -> tuple[Function, Module]:
    module = parse(f"{_HEAD}define i32 @f({arguments}) {{\n{body}\n}}\n")
    return module.functions[0], module


def named(function: Function) -> dict[str, Instruction]:
    return {i.name: i for i in function.instructions() if i.name}


@pytest.mark.parametrize("seed", range(20))
def test_worst_cycle_equals_enumeration(seed: int) -> None:
    rng = np.random.default_rng(seed)
    graph = nx.DiGraph()
    size = int(rng.integers(2, 8))
    for node in range(size):
        graph.add_node(node, delay=int(rng.integers(0, 5)))
        graph.add_edge(node, (node + 1) % size, distance=int(node == size - 1))
    for u, v in rng.integers(0, size, (size, 2)).tolist():
        graph.add_edge(u, v, distance=int(u >= v) * int(rng.integers(1, 4)))
    ratios = []
    for cycle in nx.simple_cycles(graph):
        edges = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        distance = sum(graph.edges[e]["distance"] for e in edges)
        ratios.append(Fraction(sum(graph.nodes[n]["delay"] for n in cycle), distance))
    found = _worst(graph)
    assert found is not None
    assert found[0] == max(ratios)


def test_widths_of_shifts_by_variables_and_of_signs() -> None:
    function, _ = function_of(
        """
        %x = and i32 %a, 255
        %y = trunc i32 %b to i9
        %z = sext i9 %y to i32
        %right = ashr i32 %z, %x
        %logical = lshr i32 %x, %z
        %up = shl i32 %z, 9
        %pair = add i32 %up, %z
        %r1 = add i32 %right, %logical
        %r2 = add i32 %r1, %pair
        ret i32 %r2"""
    )
    widths, values = Widths(function.instructions(), {}), named(function)
    assert widths.bits(values["right"]) == 9
    assert widths.is_signed(values["right"])
    assert widths.bits(values["logical"]) == 8
    assert not widths.is_concatenation(values["pair"]), "a negative number has ones above"


def test_widths_are_those_of_a_circuit() -> None:
    function, _ = function_of(
        """
        %x = and i32 %a, 255
        %y = trunc i32 %b to i9
        %z = sext i9 %y to i32
        %sum = add i32 %x, %z
        %shifted = shl i32 %sum, 4
        %far = add i32 %shifted, %x
        %cut = add i32 %a, %b
        %low = trunc i32 %cut to i12
        %wide = sext i12 %low to i32
        %joined = or i32 %shifted, 3
        %r1 = add i32 %far, %wide
        %r2 = add i32 %r1, %joined
        ret i32 %r2"""
    )
    widths, values = Widths(function.instructions(), {}), named(function)
    assert widths.result(values["sum"]) == 10  # 0..255 plus -256..255
    assert widths.result(values["far"]) == 11  # 15 bits, four of them taken over
    assert widths.result(values["cut"]) == 12  # nobody reads more
    assert widths.is_concatenation(values["joined"])
    assert not widths.is_concatenation(values["far"])


def test_a_phi_is_as_wide_as_what_comes_back() -> None:
    function, _ = function_of(
        """
        entry:
          br label %loop
        loop:
          %x = phi i32 [ 0, %entry ], [ %next, %loop ]
          %i = phi i32 [ 0, %entry ], [ %more, %loop ]
          %sum = add i32 %x, %a
          %up = shl i32 %sum, 22
          %next = ashr i32 %up, 22
          %more = add i32 %i, 1
          %end = icmp eq i32 %more, %b
          br i1 %end, label %out, label %loop
        out:
          ret i32 %next"""
    )
    values = named(function)
    widths = Widths(function.instructions(), {values["i"]: 100})
    assert widths.result(values["sum"]) == 10
    assert widths.result(values["x"]) == 10
    assert widths.result(values["more"]) == 8
    assert Widths(function.instructions(), {}).result(values["more"]) == 32


def test_delays_lie_on_the_lines_of_the_table() -> None:
    table = delays()
    assert table.of_kind("add", 32) == 2550
    assert table.of_kind("add", 24) == 2310
    assert table.of_kind("select", 20) == 700
    assert table.of_kind("add", 100) == 3520
    assert table.budget(150) == 4866


@pytest.mark.parametrize(
    ("text", "picoseconds"),
    [
        ("%x = icmp slt i32 %a, 0", 0),
        ("%x = icmp sgt i32 %a, -1", 0),
        ("%x = icmp sgt i32 %a, 1", 2470),
        ("%x = icmp slt i32 %a, %b", 2470),
        ("%x = and i32 %a, 7", 0),
        ("%x = and i32 %a, %b", 980),
        ("%x = lshr i32 %a, 7", 0),
        ("%x = lshr i32 %a, %b", 4400),
    ],
)
def test_wiring_takes_no_time(text: str, picoseconds: int) -> None:
    read = f"{text}\n%t = freeze {'i1' if 'icmp' in text else 'i32'} %x"
    function, _ = function_of(
        f"{read}\nstore {'i1' if 'icmp' in text else 'i32'} %t, ptr %p\nret i32 0"
    )
    widths = Widths(function.instructions(), {})
    assert delays().of(named(function)["x"], widths) == picoseconds


def test_addresses_are_sums() -> None:
    function, module = function_of(
        """
        %twice = shl i32 %a, 1
        %next = add i32 %twice, 3
        %index = zext i32 %next to i64
        %row = getelementptr inbounds [4 x i16], ptr %buffer.i, i64 %index
        %cell = getelementptr inbounds nuw i8, ptr %row, i64 6
        ret i32 0""",
        "i32 %a, ptr %buffer.i",
    )
    found = address_of(named(function)["cell"], module.sizes)
    assert found.memory == "buffer"
    assert found.place.constant == 3 * 8 + 6
    assert list(found.place.terms.values()) == [2 * 8]
    assert sum_of(Constant(-4)).constant == -4


def test_a_way_that_meets_again_decides_nothing() -> None:
    function, _ = function_of(
        """
        entry:
          br label %loop
        loop:
          %x = phi i32 [ 0, %entry ], [ %z, %done ]
          %first = icmp eq i32 %a, 1
          br i1 %first, label %one, label %two
        one:
          br label %two
        two:
          %y = phi i32 [ %x, %loop ], [ %b, %one ]
          %second = icmp eq i32 %a, 2
          br i1 %second, label %three, label %done
        three:
          br label %done
        done:
          %z = phi i32 [ %y, %two ], [ %a, %three ]
          br i1 %second, label %loop, label %out
        out:
          ret i32 %z"""
    )
    (loop,) = find_loops(function)
    assert loop.blocks == {"loop", "one", "two", "three", "done"}
    assert [c.name for c in loop.conditions("two")] == ["first"]
    assert [c.name for c in loop.conditions("done")] == ["second"]


@pytest.mark.parametrize(("second", "words"), [("%b", 2), ("%a", 3), ("%c", 3)])
def test_a_store_of_two_branches_has_one_address_on_each(second: str, words: int) -> None:
    """Clang makes one store of the last one of both branches; its address is a phi."""
    function, module = function_of(
        f"""
        entry:
          %table = alloca [256 x i16]
          br label %loop
        loop:
          %i = phi i32 [ 0, %entry ], [ %more, %done ]
          %first = icmp eq i32 %i, %a
          br i1 %first, label %one, label %two
        one:
          %pa = getelementptr [2 x i8], ptr %table, i32 %a
          store i8 1, ptr %pa
          br label %last
        two:
          %second = icmp eq i32 %i, %b
          br i1 %second, label %three, label %done
        three:
          %pb = getelementptr [2 x i8], ptr %table, i32 %b
          store i8 2, ptr %pb
          br label %last
        last:
          %at = phi i32 [ %a, %one ], [ {second}, %three ]
          %pc = getelementptr [2 x i8], ptr %table, i32 %at
          %pd = getelementptr i8, ptr %pc, i32 1
          store i8 3, ptr %pd
          br label %done
        done:
          %pe = getelementptr [2 x i8], ptr %table, i32 %i
          %read = load i8, ptr %pe
          %more = add i32 %i, 1
          %end = icmp eq i32 %more, 9
          br i1 %end, label %out, label %loop
        out:
          ret i32 0""",
        "i32 %a, i32 %b, i32 %c",
    )
    (loop,) = find_loops(function)
    directives = Directives(reshapes={"table": [(2, 1)]})
    # Words of branch one: a and i. Of branch three: b, what the last store gets there, and i.
    assert most_words(loop, accesses_of(loop, module), directives) == {"table": words}
