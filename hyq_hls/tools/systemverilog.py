"""SystemVerilog text for several tools: values of parameters, and modules with fixed parameters."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from hyq_hls.errors import ConversionError

#: Value of a parameter. A mapping is a structure, by the names of its members.
Value = int | str | Mapping[str, int]

_HEADER = re.compile(r"^module (\w+) #\(\n(.*?)\n\) \((.*?)\n\);", re.DOTALL | re.MULTILINE)
_PARAMETER = re.compile(
    r"^(?P<indent>\s*)parameter\b(?P<type>(?:\s+[\w:]+)*?)\s+(?P<name>\w+)"
    r"(?P<default>\s*=[^,/\n]*)?(?=\s*(?:,|//|$))",
    re.MULTILINE,
)


def source_hash(files: Iterable[Path]) -> str:
    """Hash SystemVerilog files in their order, without comments and without layout.

    A synthesis result belongs to the hash of its sources.
    """
    known = hashlib.sha256()
    for path in files:
        code = re.sub(r"//.*", "", path.read_text(encoding="utf-8"))
        known.update(" ".join(code.split()).encode())
    return known.hexdigest()[:16]


def literal(value: Value) -> str:
    """Return a value in SystemVerilog: a number, a bit, quoted text or an assignment pattern."""
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, Mapping):
        return f"'{{{', '.join(f'{name}: {member}' for name, member in value.items())}}}"
    return f"1'b{int(value)}" if isinstance(value, bool) else str(value)


def declared(module: str, text: str) -> dict[str, bool]:
    """Return the parameters in the header of ``module``, and whether each has a default value.

    Raises:
        ConversionError: ``text`` does not define the module with a parameter list.
    """
    parameters, _ = _header(module, text)
    return {m["name"]: m["default"] is not None for m in _PARAMETER.finditer(parameters)}


def alone(module: str, text: str, parameters: Mapping[str, Value]) -> tuple[str, str]:
    """Return a module without parameters that contains ``module`` with fixed parameters.

    It is for tools that cannot set a structure. It has the ports of ``module``, which is
    ``u_circuit`` in it.

    Args:
        module: name of the module.
        text: SystemVerilog that defines it, with one parameter and one port per line.
        parameters: values of parameters; a parameter that is missing keeps its default value.

    Returns:
        Name and SystemVerilog of the new module.

    Raises:
        ConversionError: ``text`` does not define the module, or a parameter without a default
            value is missing, or the module does not have one of ``parameters``.
    """
    header, ports = _header(module, text)
    known = declared(module, text)
    wrong = [name for name in parameters if name not in known]
    wrong += [name for name, default in known.items() if not default and name not in parameters]
    if wrong:
        raise ConversionError(
            f"{module}: parameters {', '.join(known)} are wanted; wrong or missing: "
            f"{', '.join(wrong)}"
        )

    def fixed(found: re.Match[str]) -> str:
        name = found["name"]
        value = f" = {literal(parameters[name])}" if name in parameters else found["default"]
        return f"{found['indent']}localparam{found['type']} {name}{value}"

    given = ",\n".join(f"    .{name}({name})" for name in known)
    name = f"{module}_alone"
    return name, (
        f"module {name} #(\n{_PARAMETER.sub(fixed, header)}\n) ({ports}\n);\n\n"
        f"  {module} #(\n{given}\n  ) u_circuit (.*);\n\nendmodule\n"
    )


def _header(module: str, text: str) -> tuple[str, str]:
    """Return the text of the parameter list and of the port list."""
    for found in _HEADER.finditer(text):
        if found[1] == module:
            return found[2], found[3]
    raise ConversionError(f"{module}.sv: `module {module} #(` with a parameter list is wanted")
