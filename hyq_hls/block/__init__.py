"""What other tools must know of a design, to take it as a block: files, ports, registers."""

from hyq_hls.block.component import BusInterface, Component, Port, Register
from hyq_hls.block.files import write_block_files

__all__ = ["BusInterface", "Component", "Port", "Register", "write_block_files"]
