"""Tables of the page for people."""

from __future__ import annotations

from collections.abc import Iterable

from hyq_hls.block.component import Component


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def port_table(component: Component) -> str:
    """Return the ports of a block."""
    rows = [(f"`{p.name}`", p.direction, str(p.width)) for p in component.ports]
    return table(("port", "direction", "bits"), rows)


def register_table(component: Component) -> str:
    """Return the registers of a block."""
    rows = [(f"0x{r.offset:02X}", f"`{r.name}`", r.access, r.text) for r in component.registers]
    return table(("address", "name", "access", "bits"), rows)


def file_table(component: Component, more: Iterable[tuple[str, str]]) -> str:
    """Return the files by which tools take a block, and more of them."""
    project = component.project
    memories = ", with the memory files" if component.memories else ""
    rows = [
        (
            f"`{project}.f`",
            f"sources of `{component.top}` in compile order; simulators read it with `-F`, or from "
            "this folder with `-f`",
        ),
        (f"`{project}.core`", f"the same for FuseSoC{memories}"),
        ("`component.xml`", "the same for the IP catalogue of Vivado (IP-XACT, IEEE 1685-2009)"),
    ]
    return table(("file", "what it is"), [*rows, *more])
