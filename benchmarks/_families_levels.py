"""Takes one network through the levels, in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks._families_networks import images, network, woken
from hyq_hls import convert, quantize
from hyq_hls.capture import UnsupportedModelError
from hyq_hls.errors import HyqError
from hyq_hls.quant import float_graph_of
from hyq_hls.quantized_model import QuantizedModel
from hyq_hls.support import sqnr_db

Record = dict[str, Any]

#: Each level includes those before it.
LEVELS = ("capture", "emulation", "csim", "rtl")
#: Largest difference of float graph and module, relative to the largest output.
EXACT = 1e-10
#: A part with room for all of these networks.
PART = "xcu250"
#: Probability of an idle cycle and of backpressure in the two simulations of the RTL.
STALLS = (0.0, 0.3)
#: Bytes of memory that a network may take.
MEMORY = 12 << 30
_WHO = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def blank(name: str, side: int, levels: Sequence[str]) -> Record:
    """Return the record of a network of which nothing is known yet."""
    results = ("captured", "emulation_equal", "csim_equal", "rtl_equal", "sqnr_db")
    numbers = dict.fromkeys((*results, "seconds", "peak_gb"))
    return {
        **{"model": name, "size": side, "levels": levels[-1]},
        **numbers,
        **{"operations": [], "problem": "", "remedies": []},
    }


def in_a_process(name: str, side: int, levels: Sequence[str], limit: float) -> Record:
    """Return the record of a network, as far as it comes in ``limit`` seconds.

    All processes are forked from one server, which has imported the libraries once.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["benchmarks._families_preload"])
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(there, name, side, levels))
    process.start()
    there.close()
    record, end = blank(name, side, levels), time.monotonic() + limit
    try:
        while here.poll(max(0.0, end - time.monotonic())):
            record = here.recv()
        record["problem"] = f"not done within {limit:.0f} s"
        assert process.pid is not None
        with suppress(ProcessLookupError):  # It may not lead its group yet.
            os.killpg(process.pid, signal.SIGKILL)  # compilers and simulations too
        process.kill()
        process.join()
    except EOFError:
        process.join()
        if process.exitcode:
            record["problem"] = f"the process ended with status {process.exitcode}"
    return record


def _send(parent: Connection, name: str, side: int, levels: Sequence[str]) -> None:
    """Send the record each time that it holds more."""
    os.setpgid(0, 0)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY if hard < 0 else min(hard, MEMORY), hard))
    for record in measured(name, side, levels):
        parent.send(record)


def measured(name: str, side: int, levels: Sequence[str]) -> Iterator[Record]:
    """Yield the record of a network after every level, and where it stops."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    record = blank(name, side, levels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = woken(network(name, side))
            for found in _climb(model, side, levels):
                record |= found
                yield record | used()
        return
    except UnsupportedModelError as error:
        entries = error.report.unsupported
        reasons, remedies = (
            list(dict.fromkeys(texts))
            for texts in zip(*((entry.found, entry.advice) for entry in entries), strict=True)
        )
        problem = f"{len(entries)} nodes: {'; '.join(reasons)}"
        record |= {"captured": False, "problem": problem, "remedies": remedies}
    except HyqError as error:
        record["problem"] = str(error)
    except (MemoryError, RuntimeError) as error:  # torch has no other type for a lack of memory
        if isinstance(error, RuntimeError) and "allocate memory" not in str(error):
            raise
        record["problem"] = f"it takes more than {MEMORY >> 30} GB"
    yield record | used()


def used() -> Record:
    """Return CPU time and memory of this process and those that it started."""
    used = [resource.getrusage(who) for who in _WHO]
    return {
        "seconds": round(sum(u.ru_utime + u.ru_stime for u in used), 1),
        "peak_gb": round(max(u.ru_maxrss for u in used) / 2**20, 2),
    }


def _climb(model: nn.Module, side: int, levels: Sequence[str]) -> Iterator[Record]:
    """Yield what every level adds to the record."""
    if levels[-1] == "capture":
        _, report = float_graph_of(model, (side, side, 3))
        yield {"captured": _exact(report.relative_error)}
        return
    qmodel = quantize(model, images(8, side, 0), progress=False)
    assert qmodel.capture_report is not None
    kinds = sorted({node.operation.name for node in qmodel.graph.nodes.values()})
    yield {"captured": _exact(qmodel.capture_report.relative_error), "operations": kinds}
    test = images(2, side, 100)
    equal = emulation_equal(qmodel, test)
    sqnr = round(sqnr_db(_logits(qmodel, test), qmodel.predict(test)), 1)
    yield {"emulation_equal": equal, "sqnr_db": sqnr}
    if "csim" not in levels:
        return
    with tempfile.TemporaryDirectory() as folder:
        accelerator = convert(qmodel, PART, output_dir=Path(folder) / "net", must_fit=False)
        compiled = accelerator.compile().codes(test)
        yield {"csim_equal": np.array_equal(compiled, qmodel.codes(test))}
        if "rtl" in levels:
            reports = [accelerator.cosimulate(test, idle=p, backpressure=p) for p in STALLS]
            yield {"rtl_equal": all(report.ok for report in reports)}


def emulation_equal(qmodel: QuantizedModel, test: NDArray[np.uint8]) -> bool:
    """Return whether emulation and integer reference agree in every node."""
    emulated = qmodel.emulator.trace(test)
    reference = qmodel.graph.reference(test.astype(np.int64))
    return all(
        name == same and np.array_equal(fast, codes)
        for (name, fast), (same, codes) in zip(emulated, reference, strict=True)
    )


def _exact(error: float | None) -> bool:
    return error is not None and error < EXACT


def _logits(qmodel: QuantizedModel, pixels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return the outputs of the module itself, behind its normalization."""
    assert qmodel.module is not None
    with torch.no_grad():
        batch = torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
        found: NDArray[np.float64] = qmodel.module(batch).double().numpy()
    return found
