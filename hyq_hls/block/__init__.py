"""A design as a block that other tools take: its files, ports and registers."""

from hyq_hls.block.component import BusInterface, Component, Port, Register
from hyq_hls.block.files import write_block_files

__all__ = ["BusInterface", "Component", "Port", "Register", "write_block_files"]
