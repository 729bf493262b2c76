"""Walk over the exported graph: a node becomes drafts, a view, a constant, or a complaint."""

from __future__ import annotations

import operator
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import fx
from torch.utils._pytree import tree_leaves

from hyq_hls.capture import arithmetic, attention, compute, float_ops, joining, pooling
from hyq_hls.capture.advice import interpolation, unknown_operation
from hyq_hls.capture.assignment import ASSIGNMENTS, assign
from hyq_hls.capture.call import Call
from hyq_hls.capture.channel_constants import batch_norm
from hyq_hls.capture.constant_values import OF_SHAPE, computed, of_shape, refuse_random
from hyq_hls.capture.division import rms_norm, vector_norm
from hyq_hls.capture.drafts import Draft, Drafts, LayoutUnsupported, Unsupported, View
from hyq_hls.capture.einsum import as_matmul
from hyq_hls.capture.export import Exported
from hyq_hls.capture.group_norm import group_norm
from hyq_hls.capture.in_place import write_back
from hyq_hls.capture.layouts import output
from hyq_hls.capture.movement import MOVEMENTS, PASSED_THROUGH, move, pass_through
from hyq_hls.capture.nodes import is_mutable, module_path, operation
from hyq_hls.capture.outcome import Outcome, Traced
from hyq_hls.capture.padding import pad
from hyq_hls.capture.report import Status
from hyq_hls.capture.stand_in import Missing, stand_in
from hyq_hls.capture.transposed_conv import conv_transpose
from hyq_hls.capture.upsample import upsample
from hyq_hls.capture.written import written_functions

_IGNORED = ("_assert_tensor_metadata", "_assert_scalar", "_assert_async", "sym_size", "sym_numel")
#: Arguments of ``Drafts``, the usual reading first.
_READINGS: tuple[dict[str, bool], ...] = ({}, {"sequence_first": False}, {"windows": True})
_RESIZES = ("upsample", "_upsample", "interpolate", "grid_sampler")


def _matmul(call: Call) -> View:
    names = ("self", "other") if call.get("other") is not None else ("self", "mat2")
    a, b = (call.get(name) for name in names)
    if isinstance(a, View) and isinstance(b, torch.Tensor) and b.ndim == 2:
        return compute.matmul_constant(call, call.as_view(a), b)
    return attention.matmul(call, attention.operand(call, a), call.pending(b))


def _addmm(call: Call) -> View:
    bias, weight = call.get("self"), call.get("mat2")
    if not isinstance(bias, torch.Tensor) or not isinstance(weight, torch.Tensor):
        raise unknown_operation("addmm of activations", ())
    if bias.ndim != 1:
        raise unknown_operation("addmm with a matrix of summands", ())
    parameters = {"weight": call.get("alpha") * weight.T, "bias": call.get("beta") * bias}
    linear = replace(call, arguments={"input": call.get("mat1"), **parameters})
    return compute.linear(linear)


def _einsum(call: Call) -> View:
    a, b = (call.pending(value) for value in call.get("tensors"))
    plan = as_matmul(call.get("equation"), a.index.ndim, b.index.ndim)
    if plan is None:
        raise unknown_operation(f"einsum {call.get('equation')}", ())
    product = attention.matmul(
        call,
        replace(a, index=a.index.permute(plan.first)),
        replace(b, index=b.index.permute(plan.second)),
    )
    return replace(product, index=product.index.permute(plan.result))


HANDLERS: Mapping[str, Callable[[Call], View | torch.Tensor]] = {
    "conv2d": compute.conv2d,
    "conv1d": compute.conv1d,
    **dict.fromkeys(("conv_transpose2d", "conv_transpose1d"), conv_transpose),
    "linear": compute.linear,
    "batch_norm": batch_norm,
    "layer_norm": compute.layer_norm,
    "group_norm": group_norm,
    "rms_norm": rms_norm,
    **dict.fromkeys(("linalg_vector_norm", "norm"), vector_norm),
    **dict.fromkeys(compute.FUNCTION_OF, compute.function),
    **dict.fromkeys(ASSIGNMENTS, assign),
    "add": arithmetic.add,
    "addcdiv": arithmetic.add_quotient,
    "addcmul": arithmetic.add_product,
    "lerp": arithmetic.interpolate,
    **dict.fromkeys(("sub", "subtract"), arithmetic.subtract),
    "rsub": arithmetic.subtract_from,
    "maximum": arithmetic.maximum,
    **dict.fromkeys(("neg", "negative"), arithmetic.negate),
    **dict.fromkeys(("mul", "multiply", "div", "divide", "true_divide"), arithmetic.scale),
    **dict.fromkeys(("clamp", "clip", "clamp_min", "clamp_max", "hardtanh"), arithmetic.clamp),
    **dict.fromkeys(("cat", "concat", "concatenate"), joining.concat),
    "stack": joining.stack,
    "mean": pooling.mean,
    "sum": pooling.total,
    **dict.fromkeys(("adaptive_avg_pool2d", "adaptive_avg_pool1d"), pooling.pool),
    **dict.fromkeys(("avg_pool2d", "avg_pool1d"), pooling.pool),
    **dict.fromkeys(("max_pool2d", "max_pool2d_with_indices"), pooling.max_pool),
    **dict.fromkeys(("adaptive_max_pool2d", "amax"), pooling.largest),
    **dict.fromkeys(("pow", "reciprocal", "rsqrt", "sqrt", "square"), arithmetic.power),
    **dict.fromkeys(("pad", "constant_pad_nd"), pad),
    **dict.fromkeys(("softmax", "_softmax"), attention.softmax),
    "scaled_dot_product_attention": attention.scaled_dot_product_attention,
    "masked_fill": attention.masked_fill,
    "where": attention.where,
    "baddbmm": attention.baddbmm,
    **dict.fromkeys(("matmul", "bmm", "mm"), _matmul),
    "addmm": _addmm,
    "einsum": _einsum,
}


class Tracing:
    """One walk over an exported graph; see ``trace``."""

    def __init__(self, exported: Exported, **reading: bool) -> None:
        self.exported = exported
        nodes = list(exported.graph.nodes)
        self.paths = {node.name: module_path(node) for node in exported.nodes}
        self.drafts = Drafts(self.paths, **reading)
        self.values: dict[fx.Node, Any] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.output: View | None = None
        self._changes = any(is_mutable(node) for node in nodes)
        self._last = {used: node for node in nodes for used in node.all_input_nodes}
        self._written = written_functions(exported)
        self._results: dict[fx.Node, fx.Node] = {}
        for result, written in self._written.items():
            self._results.update(dict.fromkeys(written.parts, result))
            self._keep(written.argument, result)
        self._makers = Counter(module_path(node) for node in nodes if self._makes(node))

    def _makes(self, node: fx.Node) -> bool:
        name = operation(node)
        if node in self._written or node in self._results:
            return node in self._written
        return node.op == "call_function" and name in HANDLERS

    def _alone(self, path: str) -> bool:
        """Return whether the path belongs to a childless module that makes a single node."""
        try:
            module = self.exported.module.get_submodule(path.partition("_call")[0])
        except AttributeError:
            return False
        return self._makers[path] == 1 and next(module.children(), None) is None

    def _keep(self, used: fx.Node, reader: fx.Node) -> None:
        """Keep the value of a node until ``reader`` has read it."""
        self._last[used] = max(self._last[used], reader)

    def run(self) -> Traced:
        """Trace every node in order."""
        for node in self.exported.nodes:
            # The walk below writes the fate of all nodes that the output depends on.
            whole = self.exported.parts.get(node)
            if whole is not None:
                self._note(node, "absorbed", f"part of the {operation(whole)} {whole.name}")
            else:
                self._note(node, "dropped", "dropped: the output does not depend on it")
        for node in self.exported.graph.nodes:
            if node.op == "placeholder":
                self._placeholder(node)
            elif node.op == "output":
                self._output(node)
            elif node.op == "get_attr":
                self._note(node, "constant", "part of the call that reads it")
            else:
                self._guarded(node)
            for used in node.all_input_nodes:
                # In-place operations look at values with later readers only, so the rest can go.
                if self._last[used] is node:
                    self.values.pop(used, None)
        return Traced(self.drafts, self.output, self.outcomes, self.paths)

    def _placeholder(self, node: fx.Node) -> None:
        if node.name == self.exported.image:
            channels, height, width = node.meta["val"].shape[1:]
            op = float_ops.Input((height, width, channels))
            draft = self.drafts.add(op, (), "input", node.name)
            index = torch.arange(draft.size).reshape(1, height, width, channels)
            self.values[node] = View(draft, index.permute(0, 3, 1, 2))
            self._note(node, "computed", "became {}", draft)
            return
        value = self.exported.constants.get(node.name)
        # What the module writes into it must not last.
        self.values[node] = value.clone() if value is not None and self._changes else value
        readers = ", ".join(user.name for user in node.users)
        text = f"parameter or buffer of {readers}" if readers else "parameter or buffer, not read"
        self._note(node, "parameter", text)

    def _output(self, node: fx.Node) -> None:
        results = node.args[0]
        values = [value for value in tree_leaves(results) if value is not None]
        try:
            if len(values) != 1:
                raise Unsupported(
                    f"{len(values)} outputs",
                    "one output",
                    "wrap the model in a module whose forward() returns one of them",
                )
            value = self.values.get(values[0]) if isinstance(values[0], fx.Node) else None
            if isinstance(value, Missing):
                self._note(node, "skipped", "not examined")
                return
            if not isinstance(value, View):
                raise Unsupported(
                    "an output that does not depend on the image",
                    "one output computed from the image",
                    "return the logits",
                )
            value = self.drafts.scaled(value, "scaled", node.name)
            self.output = output(self.drafts, value)
            self._note(node, "computed", "output is {}", self.output.source)
            for name in value.chain:
                target = self.drafts.movements.get(name)
                text = "the order of the output" if target is None else "{}"
                drafts = () if target is None else (target,)
                self.outcomes[name] = Outcome("moved", f"data movement, part of {text}", drafts)
        except Unsupported as problem:
            self._refuse(node, problem)

    def _guarded(self, node: fx.Node) -> None:
        try:
            self.values[node] = self._trace(node)
        except Unsupported as problem:
            self._refuse(node, problem)
            self.values[node] = stand_in(self.drafts, node)

    def _refuse(self, node: fx.Node, problem: Unsupported) -> None:
        """Blame a node, unless an unsupported node before it may be the reason."""
        tainted = any(v.source.tainted for v in self._inputs(node) if isinstance(v, View))
        follows = tainted and isinstance(problem, LayoutUnsupported)
        if follows or problem.node is not None:
            self._note(node, "skipped", "not examined")
        if not follows:
            blamed = problem.node or node.name
            self.outcomes[blamed] = Outcome("unsupported", "NOT SUPPORTED", (), problem)

    def _inputs(self, node: fx.Node) -> list[Any]:
        found: list[Any] = []
        for used in node.all_input_nodes:
            value = self.values.get(used)
            found.extend(value if isinstance(value, (list, tuple)) else [value])
        return found

    def _trace(self, node: fx.Node) -> Any:
        arguments = fx.node.map_arg((node.args, node.kwargs), self.values.get)
        args, kwargs = arguments
        inputs = self._inputs(node)
        name = operation(node)
        if node in self._results:
            result = self._results[node]
            function = self._written[result].function
            self._note(node, "absorbed", f"part of the {function.kind} {result.name}")
            return None
        if node in self._written:
            inputs.append(self.values[self._written[node].argument])
        if any(isinstance(value, Missing) for value in inputs):
            self._note(node, "skipped", "not examined")
            return Missing()
        if name in _IGNORED:
            self._note(node, "dropped", "dropped: a check at trace time")
            return None
        if not isinstance(node.target, torch._ops.OpOverload):
            return self._builtin(node, args, kwargs)
        if not any(isinstance(value, View) for value in inputs):
            refuse_random(node.target, args, kwargs)
            self._note(node, "constant", "constant, computed now")
            return computed(node.target, args, kwargs)
        return self._of_image(node, name, args, kwargs)

    def _of_image(self, node: fx.Node, name: str, args: Any, kwargs: Any) -> Any:
        """Trace an aten operation on values that depend on the image."""
        if name in OF_SHAPE:
            self._note(node, "constant", "constant, computed now")
            assert callable(node.target)
            return of_shape(node.target, args, kwargs)
        if name in PASSED_THROUGH:
            text, value = pass_through(node, args)
            self._note(node, "dropped" if text.startswith("dropped") else "moved", text)
            return value
        if name in MOVEMENTS:
            moved = move(node, args, kwargs)
            constant = isinstance(moved, torch.Tensor)
            text = "constant, computed now" if constant else "data movement, not used"
            self._note(node, "constant" if constant else "moved", text)
            return moved
        return self._compute(node, name, args, kwargs)

    def _builtin(self, node: fx.Node, args: Any, kwargs: Any) -> Any:
        if node.target is operator.getitem:
            self._note(node, "moved", "data movement, not used")
            # Where an operation has several results, only the first has a meaning here.
            single = isinstance(args[0], View)
            if single and args[1] != 0:
                raise unknown_operation("max_pool2d_with_indices", self._shape(node))
            value = args[0] if single else args[0][args[1]]
            if isinstance(value, View):
                return replace(value, chain=(*value.chain, node.name))
            return value
        if not callable(node.target) or any(isinstance(v, View) for v in self._inputs(node)):
            raise unknown_operation(operation(node), ())
        self._note(node, "constant", "constant, computed now")
        return node.target(*args, **kwargs)

    def _compute(self, node: fx.Node, name: str, args: Any, kwargs: Any) -> Any:
        assert isinstance(node.target, torch._ops.OpOverload)
        schema = node.target._schema
        arguments = {argument.name: argument.default_value for argument in schema.arguments}
        arguments.update(zip(arguments, args, strict=False))
        arguments.update(kwargs)
        call = Call(node, arguments, self.drafts, self._alone(self.paths[node.name]))
        first = len(self.drafts)
        written = self._written.get(node)
        value: View | torch.Tensor
        if written is not None:
            view = call.as_view(self.values[written.argument])
            value = compute.apply_function(call, view, written.function)
        elif name in HANDLERS:
            value = HANDLERS[name](call)
        elif name.startswith(_RESIZES):
            resized = upsample(call, self._shape(node)[2:])
            if resized is None:
                raise self._resize(node, name, args[0])
            value = resized
        else:
            raise unknown_operation(name, self._shape(node))
        made = tuple(
            draft
            for draft in self.drafts.since(first)
            # Parts of earlier layers and data movements before this node are left out.
            if draft.origin == node.name
        )
        if made:
            self._note(node, "computed", "became {}", *made)
        elif not isinstance(value, View):
            self._note(node, "constant", "constant, not used")
        elif value.source.means is not None:
            self._note(node, "moved", "mean over a part of the positions, not used")
        elif value.factor != 1.0:
            self._note(node, "moved", "constant factor, not used")
        else:
            self._note(node, "moved", "data movement, not used")
        ends = (value.source,) if isinstance(value, View) else ()
        if made or ends:
            self._settle_chains(call, made or ends)
        # Nothing reads the memory of a part of a written-out function any more.
        if node.target._schema.is_mutable and node.args[0] not in self._results:
            write_back(call, self.values, value)
        return value

    @staticmethod
    def _shape(node: fx.Node) -> tuple[int, ...]:
        value = node.meta.get("val")
        return tuple(value.shape) if isinstance(value, torch.Tensor) else ()

    def _resize(self, node: fx.Node, name: str, view: Any) -> Unsupported:
        image = self.exported.graph.find_nodes(op="placeholder")
        shape = next(self._shape(found)[1:] for found in image if found.name == self.exported.image)
        return interpolation(name, view.shape[2:], self._shape(node)[2:], shape)

    def _settle_chains(self, call: Call, made: tuple[Draft, ...]) -> None:
        """Say of the data movements before this call which nodes they became part of."""
        for view in call.used:
            for name in view.chain:
                target = self.drafts.movements.get(name, made[-1])
                text = self.outcomes[name].text.partition(",")[0] + ", part of {}"
                self.outcomes[name] = Outcome("moved", text, (target,))

    def _note(
        self,
        node: fx.Node,
        status: Status,
        text: str,
        *drafts: Draft,
        problem: Unsupported | None = None,
    ) -> None:
        self.outcomes[node.name] = Outcome(status, text, drafts, problem)


def trace(exported: Exported) -> Traced:
    """Trace a whole exported graph; problems are in the outcomes, nothing is raised.

    Some layouts have several readings, which only the reader of a tensor tells apart: see the
    arguments of ``Drafts``. The usual one comes first. Where all have problems, those of the
    reading with the fewest are told.
    """
    found: list[Traced] = []
    for reading in _READINGS:
        found.append(Tracing(exported, **reading).run())
        if found[-1].complete:
            return found[-1]
    return min(found, key=lambda traced: len(traced.problems))
