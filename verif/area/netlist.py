"""A module of Verilog that grows: ports, wires, registers."""

from __future__ import annotations


class Netlist:
    """The ports and the lines of one module. All names are its own, and all signals are vectors."""

    def __init__(self) -> None:
        self._ports = ["input clk"]
        self._lines: list[str] = []
        self._count = 0

    def input(self, width: int) -> str:
        """Return a new input."""
        return self._port("input", width)

    def output(self, width: int, text: str) -> None:
        """Let an expression leave the module."""
        self._lines.append(f"assign {self._port('output', width)} = {text};")

    def wire(self, width: int, text: str) -> str:
        """Return a new wire that has the value of an expression."""
        name = self.undriven(width)
        self.drive(name, text)
        return name

    def undriven(self, width: int) -> str:
        """Return a new wire that :meth:`drive` gives its value."""
        name = self._name()
        self._lines.append(f"wire [{width - 1}:0] {name};")
        return name

    def drive(self, wire: str, text: str) -> None:
        """Give a wire the value of an expression."""
        self._lines.append(f"assign {wire} = {text};")

    def register(self, width: int) -> str:
        """Return a new register that :meth:`store` gives its values."""
        name = self._name()
        self._lines.append(f"reg [{width - 1}:0] {name};")
        return name

    def store(self, register: str, *cases: tuple[str, str]) -> None:
        """Give a register, in every cycle, the value of the first case whose condition holds."""
        choice = " else ".join(f"if ({when}) {register} <= {value};" for when, value in cases)
        self._lines.append(f"always @(posedge clk) {choice}")

    def text(self, name: str) -> str:
        """Return the module."""
        body = "\n".join(f"  {line}" for line in self._lines)
        return f"module {name} (\n  {', '.join(self._ports)}\n);\n{body}\nendmodule\n"

    def _port(self, direction: str, width: int) -> str:
        name = self._name()
        self._ports.append(f"{direction} [{width - 1}:0] {name}")
        return name

    def _name(self) -> str:
        self._count += 1
        return f"n{self._count}"
