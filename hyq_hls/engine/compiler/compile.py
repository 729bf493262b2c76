"""From a graph to a program: units, segments, instructions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hyq_hls.engine import isa
from hyq_hls.engine.compiler.attention import AttentionUnit
from hyq_hls.engine.compiler.chain import apart, attention_of, is_scores
from hyq_hls.engine.compiler.emitter import Emitter
from hyq_hls.engine.compiler.order import Cut, Network, cut
from hyq_hls.engine.compiler.storage import Scratch
from hyq_hls.engine.compiler.sums import SumsUnit
from hyq_hls.engine.compiler.tiled import emit_tiled
from hyq_hls.engine.compiler.unit import Unit
from hyq_hls.engine.compiler.unit_of import unit_of
from hyq_hls.engine.compiler.upsample import UpsampleUnit
from hyq_hls.engine.forms import (
    AttendedSums,
    ConstantCodes,
    Form,
    Moves,
    PooledSums,
    Sums,
    forms_of,
)
from hyq_hls.engine.forms.output_stage import TABLE_BITS
from hyq_hls.engine.layout import Place, TensorLayout
from hyq_hls.engine.machine_sizes import Sizes
from hyq_hls.engine.program import Program, Tag
from hyq_hls.errors import ConversionError
from hyq_hls.graph import Graph, Node
from hyq_hls.graph.operation import Codes


def compile_graph(graph: Graph, sizes: Sizes, *, observed: bool = False) -> Program:
    """Return the program of a graph.

    Args:
        graph: the integer graph.
        sizes: the machine.
        observed: whether every tensor stays in DRAM until the frame ends, at the place that
            ``places`` tells, so that all can be looked at. Only the scores and probabilities of
            attention never lie there. The program is slower, and needs more scratch.

    Raises:
        ConversionError: a node has no form, or does not fit the machine. The message names it.
    """
    network = _Units(graph, sizes, observed).network()
    return _Compiler(graph, network, sizes).run(cut(network, sizes))


class _Compiler:
    """Emits the segments of a network, with places in DRAM for the tensors between them."""

    def __init__(self, graph: Graph, network: Network, sizes: Sizes) -> None:
        self.graph, self.network = graph, network
        self.emitter = Emitter(sizes)
        self.scratch = Scratch()
        place = Place(isa.INPUT, 0, TensorLayout.of(graph.input_type))
        self.places = {graph.input_name: place}
        self.all_places: dict[str, Place] = {}
        for name, data in network.constants.items():
            offset = self.emitter.constant(data)
            self.places[name] = Place(isa.CONSTANTS, offset, network.layouts[name])
            if name in graph.nodes:
                self.all_places[name] = self.places[name]

    def run(self, cuts: list[Cut]) -> Program:
        """Return the program."""
        emitter, graph = self.emitter, self.graph
        for piece in cuts:
            self._compile(piece)
        # What lies between two sums of a node is no tensor of the graph.
        lying = {
            index: [codes for codes in found if codes.tensor in graph.nodes]
            for index, found in emitter.lying.items()
        }
        return Program(
            sizes=emitter.sizes,
            instructions=tuple(emitter.instructions),
            constants=emitter.constants,
            scratch=self.scratch.size,
            input=TensorLayout.of(graph.input_type),
            output=TensorLayout.of(graph.output_type),
            nodes=emitter.nodes,
            places=self.all_places,
            stored={k: name for k, name in emitter.stored.items() if name in graph.nodes},
            lying=lying,
            tags=emitter.tags,
            forgotten={k: tuple(v) for k, v in emitter.forgotten.items()},
        )

    def _compile(self, piece: Cut) -> None:
        units = self.network.units[piece.start : piece.stop]
        exported = self.network.exported(piece.start, piece.stop)
        for unit in units:
            if unit.output in exported or piece.segment is None:
                self._take(unit)
        try:
            if piece.segment is not None:
                piece.segment.emit(self.emitter, self.places)
            else:
                (unit,) = units
                sources = [self.places[name] for name in unit.inputs]
                emit_tiled(self.emitter, unit, sources, self.places[unit.output])
        except ConversionError as error:
            raise ConversionError(f"{self.emitter.node}: {error}") from error
        self._release(piece.stop)

    def _take(self, unit: Unit) -> None:
        """Give a tensor its place in DRAM."""
        layout = unit.layout
        if unit.output == self.graph.output_name:
            place = Place(isa.OUTPUT, 0, layout)
        else:
            place = Place(isa.SCRATCH, self.scratch.take(layout.size), layout)
        self.places[unit.output] = place
        if unit.output in self.graph.nodes:
            self.all_places[unit.output] = place

    def _release(self, stop: int) -> None:
        """Give back the places of tensors that no later unit reads."""
        for name, place in list(self.places.items()):
            if self.network.observed or any(r >= stop for r in self.network.readers[name]):
                continue
            del self.places[name]
            if place.base == isa.SCRATCH:
                self.emitter.forget("scratch", *self.scratch.give(place.offset))


class _Units:
    """Turns nodes into units: a table joins the sum before it, attention is one."""

    def __init__(self, graph: Graph, sizes: Sizes, observed: bool) -> None:
        self.graph, self.sizes, self.observed = graph, sizes, observed
        self.forms: Mapping[str, Form] = forms_of(graph)
        self.layouts = {graph.input_name: TensorLayout.of(graph.input_type)}
        self.units: list[Unit] = []
        self.constants: dict[str, bytes] = {}
        self.done: set[str] = set()

    def network(self) -> Network:
        """Return all units."""
        for node in self.graph.nodes.values():
            if node.name in self.done:
                continue
            try:
                unit = self._unit(node)
                if unit is not None:
                    unit.prepare(self.sizes)
            except ConversionError as error:
                raise ConversionError(f"{node.name}: {error}") from error
            if unit is not None:
                self.units.append(unit)
                self.layouts[unit.output] = unit.layout
        for node in self.graph.nodes.values():
            if node.name not in self.done:
                raise ConversionError(f"{node.name}: {apart(node)}")
        readers: dict[str, list[int]] = {name: [] for name in self.layouts}
        for index, unit in enumerate(self.units):
            for name in unit.inputs:
                readers[name].append(index)
        output = self.graph.output_name
        return Network(self.units, self.layouts, readers, output, self.observed, self.constants)

    def _unit(self, node: Node) -> Unit | None:
        form = self.forms[node.name]
        if isinstance(form, AttendedSums) and form.values:
            return self._attention(node)
        if is_scores(node):
            return None  # Values are computed in between; the whole follows with attention_values.
        if any(name not in self.layouts for name in node.inputs):
            raise apart(node)
        self.done.add(node.name)
        layout = TensorLayout.of(node.type)
        if isinstance(form, ConstantCodes):
            self._keep(node.name, layout, form.codes)
            return None
        inputs = self._inputs(node, form)
        if isinstance(form, tuple):
            return self._sums(node, form, inputs)
        if isinstance(form, PooledSums):
            return self._pooled(node, form)
        unit = unit_of(node.name, form, inputs, self.layouts, layout, self._tag(node))
        if unit is None:
            raise apart(node)
        return unit

    def _sums(self, node: Node, form: tuple[Sums, ...], inputs: tuple[str, ...]) -> SumsUnit:
        """Return a node of sums, perhaps with the table behind it, as a unit."""
        tag = self._tag(node)
        behind = self._table_behind(node)
        if behind is not None:
            table = self.forms[behind.name]
            assert isinstance(table, tuple)
            values = table[0].stage.table
            assert values is not None
            form = tuple(replace(s, stage=s.stage.with_table(values)) for s in form)
            tag = replace(tag, behind_table=behind.name, table_qmin=behind.type.quantization.qmin)
            self.done.add(behind.name)
        elif form[0].stage.table is not None:
            tag = replace(tag, node="", behind_table=node.name, qmin=0)
            tag = replace(tag, table_qmin=node.type.quantization.qmin)
        output = behind or node
        spread = form[0].region is not None and form[0].region.step > 1
        unit = UpsampleUnit if spread else SumsUnit
        return unit(node.name, inputs, output.name, TensorLayout.of(output.type), form, tag)

    def _pooled(self, node: Node, form: PooledSums) -> SumsUnit:
        """Return the sum of the sums of lines, which are a unit and a tensor of their own."""
        source, layout = self.layouts[node.inputs[0]], TensorLayout.of(node.type)
        rows, pixels = form.lines.sliding.output(source.rows, source.pixels)
        name, tag = f"{node.name}: sums", self._tag(node)
        between = replace(layout, rows=rows, pixels=pixels, planes=form.whole.planes, qmin=0)
        nobody = replace(tag, node="")
        lines = SumsUnit(node.name, node.inputs, name, between, (form.lines,), nobody)
        lines.prepare(self.sizes)
        self.units.append(lines)
        self.layouts[name] = between
        return SumsUnit(node.name, (name,), node.name, layout, (form.whole,), tag)

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

    def _attention(self, node: Node) -> AttentionUnit:
        """Return all nodes from scores to values as one unit."""
        attention, names = attention_of(self.graph, self.forms, node)
        if any(name not in self.layouts for name in names):
            raise apart(node)
        self.done.update(attention.nodes)
        layout = TensorLayout.of(node.type)
        return AttentionUnit(node.name, names, layout, self.layouts[names[1]], attention)

    def _keep(self, name: str, layout: TensorLayout, stored: Codes) -> None:
        """Keep stored codes in DRAM as a tensor."""
        self.layouts[name] = layout
        self.constants[name] = replace(layout, qmin=0).pack(stored).tobytes()

    def _inputs(self, node: Node, form: Form) -> tuple[str, ...]:
        """Return the inputs of a node; constants of its positions are one more."""
        name = f"{node.name}: constants"
        if isinstance(form, tuple) and form[0].summand is not None:
            source = self.layouts[node.inputs[0]]
            layout = replace(source, planes=len(form[0].weight), qmin=0)
            self._keep(name, layout, form[0].summands(source.rows, source.pixels))
        elif isinstance(form, Moves) and form.constant is not None:
            layout = TensorLayout.of(node.type)
            layout = replace(layout, rows=1, pixels=len(form.constant))
            self._keep(name, layout, form.constant)
        return (*node.inputs, name) if name in self.constants else node.inputs

    @staticmethod
    def _tag(node: Node) -> Tag:
        return Tag(node.name, (), (0, 0), qmin=node.type.quantization.qmin)
