"""A whole design, module by module: what each takes of the part, and the sum."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from hyq_hls.errors import CompilationError
from hyq_hls.machine import DesignUtilization
from hyq_hls.stream.flow import Dataflow, OperationStage
from hyq_hls.stream.rtl.instances import Instance, instances
from hyq_hls.stream.rtl.modules import module_file, needed_modules
from hyq_hls.stream.rtl.project import MEMORY_DIR
from hyq_hls.tools.systemverilog import Value
from hyq_hls.tools.yosys.mapping import Job, Progress, synthesize_modules
from hyq_hls.tools.yosys.utilization import Utilization


def synthesize_design(
    flow: Dataflow, rtl: Path, folder: Path, progress: Progress | None = None
) -> DesignUtilization:
    """Synthesize every module of a design by itself, several at a time.

    Modules are mapped out of context, so that nothing is optimized across their ports; the streams
    between them are registered. Equal modules are mapped once. Results that are in ``folder``
    already are used again, so that a run that was interrupted goes on.

    Args:
        flow: the design.
        rtl: folder that :func:`hyq_hls.stream.rtl.write_rtl` wrote for it.
        folder: for results and logs.
        progress: gets the number of different modules, and one step after each.

    Raises:
        CompilationError: pyosys is missing, or Yosys failed on some modules, which are named; the
            results of the others stay.
    """
    todo, memory_dir = list(instances(flow)), (rtl / MEMORY_DIR).resolve()
    jobs = [template_job(i.module, i.parameters_alone(memory_dir)) for i in todo]
    results = list(zip(todo, synthesize_modules(jobs, folder, progress), strict=True))
    failed = [(i, r) for i, r in results if isinstance(r, CompilationError)]
    if failed:
        names = ", ".join(f"{instance.name} ({instance.module})" for instance, _ in failed[:5])
        raise CompilationError(
            f"{len(failed)} of {len(todo)} modules were not synthesized: {names}; the results of "
            f"the others stay in {folder}. The first error: {failed[0][1]}"
        )
    return gathered((i, r) for i, r in results if isinstance(r, Utilization))


def template_job(module: str, parameters: Mapping[str, Value]) -> Job:
    """Synthesis of a module of the templates, with all that it contains."""
    return Job([module_file(m) for m in needed_modules({module})], module, parameters)


def gathered(parts: Iterable[tuple[Instance, Utilization]]) -> DesignUtilization:
    """Gather the rows of operations, and the sums of what lies between them."""
    operations: dict[str, Utilization] = {}
    plumbing: dict[str, Utilization] = {}
    for instance, used in parts:
        circuit = instance.circuit
        if isinstance(circuit, OperationStage):
            operations[circuit.node.name] = used
        else:
            plumbing[circuit.kind] = plumbing.get(circuit.kind, Utilization()) + used
    return DesignUtilization(operations, plumbing)
