"""From a graph to a program, node by node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.attention import Attention, compile_attention
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.rows import compile_norm, compile_patches
from hyq_hls.engine.compiler.storage import Scratch
from hyq_hls.engine.compiler.sums import compile_sums
from hyq_hls.engine.forms import (
    AttendedSums,
    Form,
    NormRows,
    Patches,
    SoftmaxRows,
    forms_of,
)
from hyq_hls.engine.forms.output_stage import TABLE_BITS
from hyq_hls.engine.layout import Place, TensorLayout
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Program, Tag
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Node


def compile_graph(graph: Graph, sizes: Sizes, *, observed: bool = False) -> Program:
    """Return the program of a graph.

    Args:
        graph: the integer graph.
        sizes: the machine.
        observed: whether every tensor stays in DRAM until the frame ends, at the place that
            ``stored`` tells, so that all can be looked at. Only the scores and probabilities of
            attention never lie there. The program is slower, and needs more scratch.

    Raises:
        ConversionError: a node has no form, or does not fit the machine. The message names it.
    """
    return _Compiler(graph, sizes, observed).run()


class _Compiler:
    def __init__(self, graph: Graph, sizes: Sizes, observed: bool) -> None:
        self.graph = graph
        self.observed = observed
        self.emitter = Emitter(sizes)
        self.forms: Mapping[str, Form] = forms_of(graph)
        self.scratch = Scratch()
        self.places: dict[str, Place] = {}
        self.starts: dict[str, int] = {}
        self.stored: dict[str, tuple[str, Place]] = {}
        self.newest = (graph.input_name, Place(isa.INPUT, 0, TensorLayout.of(graph.input_type)))
        self.done: set[str] = set()

    def run(self) -> Program:
        graph = self.graph
        self.places[graph.input_name] = self.newest[1]
        for node in graph.nodes.values():
            if node.name in self.done:
                continue
            start = len(self.emitter.instructions)
            try:
                self._compile(node)
            except ConversionError as error:
                raise ConversionError(f"{node.name}: {error}") from error
            if len(self.emitter.instructions) > start:
                self.starts[node.name] = start
                self.stored[node.name] = self.newest
            self._release()
        emitter = self.emitter
        return Program(
            sizes=emitter.sizes,
            instructions=tuple(emitter.instructions),
            constants=emitter.constants,
            scratch=self.scratch.size,
            input=TensorLayout.of(graph.input_type),
            output=TensorLayout.of(graph.output_type),
            nodes=self.starts,
            stored=self.stored,
            tags=emitter.tags,
            forgotten={k: tuple(v) for k, v in emitter.forgotten.items()},
        )

    def _compile(self, node: Node) -> None:
        form = self.forms[node.name]
        if isinstance(form, AttendedSums) and form.values:
            self._compile_attention(node, form)
            return
        if isinstance(form, AttendedSums | SoftmaxRows):
            readers = self.graph.consumers(node.name)
            wanted = SoftmaxRows if isinstance(form, AttendedSums) else AttendedSums
            # Values are computed in between; the whole follows with attention_values.
            if len(readers) != 1 or not isinstance(self.forms[readers[0].name], wanted):
                raise _apart(node)
            return
        found = [self.places[name] for name in node.inputs]
        tag = self._tag(node)
        if isinstance(form, tuple):
            behind = self._table_behind(node)
            if behind is not None:
                table = self.forms[behind.name]
                assert isinstance(table, tuple)
                values = table[0].stage.table
                assert values is not None
                form = tuple(replace(s, stage=s.stage.with_table(values)) for s in form)
                tag = replace(
                    tag, behind_table=behind.name, table_qmin=behind.type.quantization.qmin
                )
            elif form[0].stage.table is not None:
                tag = replace(self._tag(node), node="", behind_table=node.name)
                tag = replace(tag, table_qmin=node.type.quantization.qmin)
            compile_sums(self.emitter, form, found, self._place(behind or node), tag)
            self._finish(*([node, behind] if behind else [node]))
            return
        if isinstance(form, NormRows):
            compile_norm(self.emitter, form, found[0], self._place(node), tag)
        else:
            assert isinstance(form, Patches)
            compile_patches(self.emitter, form, found[0], self._place(node))
        self._finish(node)

    def _table_behind(self, node: Node) -> Node | None:
        """Return the only reader of a node, where it is a table that fits behind the sum."""
        readers = self.graph.consumers(node.name)
        if self.observed or len(readers) != 1 or node.type.quantization.bits > TABLE_BITS:
            return None
        own, form = self.forms[node.name], self.forms[readers[0].name]
        if not isinstance(form, tuple) or form[0].stage.table is None:
            return None
        assert isinstance(own, tuple)
        return None if own[0].stage.table is not None else readers[0]

    def _compile_attention(self, node: Node, values: AttendedSums) -> None:
        """Emit scores, softmax and values, once all that they read is there."""
        softmax = self.graph.nodes.get(node.inputs[0])
        scores = self.graph.nodes.get(softmax.inputs[0]) if softmax is not None else None
        rows = self.forms[softmax.name] if softmax is not None else None
        attended = self.forms[scores.name] if scores is not None else None
        if (
            softmax is None
            or scores is None
            or not isinstance(rows, SoftmaxRows)
            or not isinstance(attended, AttendedSums)
            or node.inputs[1] not in self.places
        ):
            raise _apart(node)
        query, key = (self.places[name] for name in scores.inputs)
        compile_attention(
            self.emitter,
            Attention(attended, rows, values, tuple(map(self._tag, (scores, softmax, node)))),
            query,
            key,
            self.places[node.inputs[1]],
            self._place(node),
        )
        self._finish(scores, softmax, node)

    def _tag(self, node: Node) -> Tag:
        return Tag(node.name, (), (0, 0), qmin=node.type.quantization.qmin)

    def _place(self, node: Node) -> Place:
        """Return the place of a node's output, which is taken now."""
        layout = TensorLayout.of(node.type)
        if node.name == self.graph.output_name:
            place = Place(isa.OUTPUT, 0, layout)
        else:
            place = Place(isa.SCRATCH, self.scratch.take(layout.size), layout)
        self.places[node.name] = place
        self.newest = (node.name, place)
        return place

    def _finish(self, *nodes: Node) -> None:
        self.done.update(node.name for node in nodes)

    def _release(self) -> None:
        """Give back the places of tensors that no later node reads."""
        if self.observed:
            return
        for name, place in list(self.places.items()):
            readers = self.graph.consumers(name)
            if not readers or any(reader.name not in self.done for reader in readers):
                continue
            del self.places[name]
            if place.base == isa.SCRATCH:
                self.emitter.forget("scratch", *self.scratch.give(place.offset))


def _apart(node: Node) -> ConversionError:
    return ConversionError(
        f"{node.operation.name} stands apart; the engine computes attention_scores, a softmax that "
        "alone reads them, and attention_values that alone read the softmax, as one piece; choose "
        "the streaming architecture"
    )
