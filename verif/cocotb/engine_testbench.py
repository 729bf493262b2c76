"""The cocotb side of an engine: cocotbext-axi is its DRAM, and the host at its registers.

Runs inside the simulator that ``simulate.py`` starts; ``HYQ_TASK`` names the file with the task.
"""

from __future__ import annotations

import logging
import os
import random

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.handle import HierarchyObject, LogicObject
from cocotb.triggers import ClockCycles, RisingEdge, with_timeout
from cocotbext.axi import AxiBus, AxiLiteBus, AxiLiteMaster, AxiRam

from verif.cocotb.testbench import pauses

_PERIOD = 10  # ns
_RESET_CYCLES = 4


@cocotb.test()
async def program(dut: HierarchyObject) -> None:
    """One frame: writes registers, waits for the interrupt, keeps all bytes and two registers."""
    task = np.load(os.environ["HYQ_TASK"])
    logging.getLogger(f"cocotb.{dut._name}").setLevel(logging.WARNING)
    clock, reset, interrupt = (getattr(dut, name) for name in ("clk_i", "rst_ni", "interrupt_o"))
    assert isinstance(clock, LogicObject)
    Clock(clock, _PERIOD, unit="ns").start()
    reset.value = 0
    memory = task["memory"]
    dram = AxiRam(
        AxiBus.from_prefix(dut, "m_axi"), clock, reset, reset_active_level=False, size=len(memory)
    )
    host = AxiLiteMaster(
        AxiLiteBus.from_prefix(dut, "s_axi"), clock, reset, reset_active_level=False
    )
    dram.write(0, memory.tobytes())
    seeds, stall = random.Random(int(task["seed"])), float(task["stall"])
    reads, writes = dram.read_if, dram.write_if
    for channel in (
        *(reads.ar_channel, reads.r_channel),
        *(writes.aw_channel, writes.w_channel, writes.b_channel),
    ):
        if stall:
            channel.set_pause_generator(pauses(random.Random(seeds.random()), stall))
    await ClockCycles(clock, _RESET_CYCLES)
    reset.value = 1
    for address, value in task["registers"]:
        await host.write_dword(int(address), int(value))
    await with_timeout(RisingEdge(interrupt), _PERIOD * int(task["most_cycles"]), "ns")
    status = await host.read_dword(int(task["status"]))
    cycles = await host.read_dword(int(task["cycles"]))
    found = np.frombuffer(dram.read(0, len(memory)), np.uint8)
    np.savez(os.environ["HYQ_RESULT"], memory=found, status=status, cycles=cycles)
