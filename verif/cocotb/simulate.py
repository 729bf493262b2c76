"""cocotb on a Verilated design: build the simulator, run a test of a test bench in it.

The simulator is built here and not by ``cocotb_tools.runner``, whose way needs make and a Verilator
script in Perl, and makes every signal of the design public, which slows it down.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import cocotb_tools.config
import numpy as np
from cocotb_tools.runner import get_runner
from numpy.typing import ArrayLike, NDArray

from hyq_hls.tools.verilator.compiler import (
    Log,
    compile_objects,
    compiler,
    grouped,
)
from hyq_hls.tools.verilator.runtime import runtime_header, runtime_objects
from hyq_hls.tools.verilator.tool import find_verilator

#: Ports, and the handshakes of the streams inside.
_PUBLIC = (
    *("aclk", "aresetn", "frame_errors", "*_axis_t*"),
    *("*_wr_valid", "*_wr_ready", "*_rd_valid", "*_rd_ready"),
)
_RUNTIME = ("verilated.cpp", "verilated_threads.cpp", "verilated_vpi.cpp")
_CXX_FLAGS = ("-std=c++17", "-DVM_COVERAGE=0", "-DVM_SC=0", "-DVM_TRACE=0")

Bytes = NDArray[np.uint8]


class CocotbError(RuntimeError):
    """A test of the test bench failed; has its message."""


class CocotbSimulation:
    """A design under cocotb: with AXI4-Stream ports ``s_axis`` and ``m_axis``, or an engine.

    Args:
        sources: SystemVerilog files.
        top: name of the top module.
        folder: to build and run in.
        parameters: texts, of the top module.
        flags: for the C++ compiler.
        public: ports and other wires of the top module that a test bench sees.

    Raises:
        CompilationError: Verilator or the compiler is missing or fails.
    """

    def __init__(
        self,
        sources: Sequence[Path],
        top: str,
        folder: Path,
        parameters: Mapping[str, str],
        flags: Sequence[str] = ("-O3",),
        public: Sequence[str] = _PUBLIC,
    ) -> None:
        self._top, self._folder = top, folder
        folder.mkdir(parents=True, exist_ok=True)
        verilator, log, model = find_verilator(), Log(folder / "build.log"), folder / "model"
        ports = folder / "ports.vlt"
        lines = "".join(f'public_flat_rw -module "{top}" -var "{wire}"\n' for wire in public)
        ports.write_text(f"`verilator_config\n{lines}")
        options = ["--cc", "--vpi", "--prefix", "Vtop", "--top-module", top, "--Mdir", str(model)]
        options += [f'-G{name}="{value}"' for name, value in parameters.items()]
        log.run([verilator.binary, *options, ports, *sources], verilator.environment)
        include = verilator.root / "include"
        common = [*_CXX_FLAGS, "-isystem", str(include), "-isystem", str(include / "vltstd")]
        main = cocotb_tools.config.share_dir / "lib" / "verilator" / "verilator.cpp"
        units = grouped(sorted(model.glob("*.cpp")), folder, "unit")
        ahead = runtime_header(["verilated.h"], include, [*common, *flags], folder, log)
        generated = [(path, [*common, *flags, *ahead]) for path in units]
        objects = compile_objects([*generated, (main, [*common, f"-I{model}"])], folder, log)
        runtime = runtime_objects(
            [include / name for name in _RUNTIME], [], [*common, *flags], folder, log
        )
        libraries = cocotb_tools.config.libs_dir
        link = [f"-L{libraries}", f"-Wl,-rpath,{libraries}", "-lcocotbvpi_verilator", "-pthread"]
        log.run([compiler(), *objects, *runtime, *link, "-o", folder / top])
        log.write()

    def frames(
        self,
        frames: Bytes,
        beats: tuple[int, int],
        frame_cycles: int,
        *,
        idle: float = 0.0,
        backpressure: float = 0.0,
        seed: int = 0,
        plusargs: Sequence[str] = (),
    ) -> Bytes:
        r"""Bytes (B, \*) of the frames that come out when (B, \*) go in back to back.

        Args:
            frames: bytes of TDATA, in the order of the stream.
            beats: of a frame, at the input and at the output.
            frame_cycles: a frame that takes longer is a deadlock.
            idle: probability per cycle that the source pauses.
            backpressure: probability per cycle that the sink pauses.
            seed: of both.
            plusargs: for ``$test$plusargs`` of the design.

        Raises:
            CocotbError: a stream broke a rule, or a frame did not come.
        """
        task: dict[str, ArrayLike] = {
            "s_axis_beats": beats[0],
            "m_axis_beats": beats[1],
            "frame_cycles": frame_cycles,
            "idle": idle,
            "backpressure": backpressure,
            "seed": seed,
        }
        return self._run("frames", {"frames": frames, **task}, plusargs)["frames"]

    def program(
        self,
        memory: Bytes,
        registers: Sequence[tuple[int, int]],
        read: Mapping[str, int],
        most_cycles: int,
        *,
        stall: float = 0.0,
        seed: int = 0,
    ) -> dict[str, NDArray[Any]]:
        """Run a program of an engine; returns all bytes of its memory, status and cycles.

        Args:
            memory: bytes of DRAM from address 0 on, a power of two of them.
            registers: addresses and values that the host writes, in order; the last starts.
            read: addresses of the registers ``status`` and ``cycles``.
            most_cycles: a program that takes longer does not end.
            stall: chance per cycle that a channel of DRAM stalls.
            seed: seed of the stalls.

        Raises:
            CocotbError: a transfer broke a rule, or the program does not end.
        """
        task: dict[str, ArrayLike] = {
            "memory": memory,
            "registers": np.array(registers, np.int64),
            "most_cycles": most_cycles,
            "stall": stall,
            "seed": seed,
            **read,
        }
        return self._run("program", task, module="verif.cocotb.engine_testbench")

    def block(
        self, frames: Bytes, beats: tuple[int, int], frame_cycles: int, seed: int = 0
    ) -> dict[str, NDArray[Any]]:
        r"""Run ``block_testbench.py``; returns frames that came out and constant registers.

        Args:
            frames: bytes of TDATA (B, \*), in the order of the stream.
            beats: of a frame, at the input and at the output.
            frame_cycles: a frame that takes longer is a deadlock.
            seed: of the pauses of every channel.

        Raises:
            CocotbError: a stream broke a rule, a register has another value, or a frame is missing.
        """
        task: dict[str, ArrayLike] = {
            "frames": frames,
            "m_axis_beats": beats[1],
            "frame_cycles": frame_cycles,
            "idle": 0.3,
            "backpressure": 0.3,
            "seed": seed,
        }
        return self._run("block", task, module="verif.cocotb.block_testbench")

    def cycles_per_second(self, frames: Bytes, cycles: int, streams: Sequence[str] = ()) -> float:
        r"""Speed while ``frames`` go in, over a number of clock cycles, without any checks.

        Args:
            frames: bytes of TDATA (B, \*).
            cycles: to simulate.
            streams: names of those whose beats are counted meanwhile.
        """
        task: dict[str, ArrayLike] = {
            "frames": frames,
            "cycles": cycles,
            "streams": np.array(streams, np.str_),
        }
        calm = {"idle": 0.0, "backpressure": 0.0, "seed": 0}
        return cycles / float(self._run("speed", task | calm)["seconds"])

    def _run(
        self,
        test: str,
        task: Mapping[str, ArrayLike],
        plusargs: Sequence[str] = (),
        module: str = "verif.cocotb.testbench",
    ) -> dict[str, NDArray[Any]]:
        files = {name: self._folder / f"{name}.npz" for name in ("task", "result")}
        np.savez(files["task"], allow_pickle=False, **task)
        files["result"].unlink(missing_ok=True)
        report, log = self._folder / "results.xml", self._folder / "run.log"
        try:
            get_runner("verilator").test(
                test_module=module,
                testcase=test,
                hdl_toplevel=self._top,
                hdl_toplevel_lang="verilog",
                build_dir=self._folder,
                results_xml=str(report),
                plusargs=plusargs,
                extra_env={f"HYQ_{name.upper()}": str(path) for name, path in files.items()},
                log_file=log,
            )
        except SystemExit as error:  # the runner's answer, under pytest, to a test that failed
            raise CocotbError(f"{_failure(report)}\nsee {log}") from error
        if not files["result"].is_file():
            raise CocotbError(f"{_failure(report)}\nsee {log}")
        with np.load(files["result"]) as result:
            return dict(result)


def _failure(report: Path) -> str:
    if not report.is_file():
        return "the simulator ended without results"
    failures = ElementTree.parse(report).iter("failure")
    return "\n".join(f.get("message") or f.text or "?" for f in failures) or "no failure is noted"
