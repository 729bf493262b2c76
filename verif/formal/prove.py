"""Prove the stream parts in rtl_templates: nothing lost, doubled or swapped, for all time.

``formal_<part>.sv`` wraps a part with assertions that see its ports alone. Yosys (pyosys) turns
both into an and-inverter graph. Property-directed reachability (``pdr`` of yosys-abc) then either
finds an inductive invariant by itself, which proves the assertions for all time, or an input
sequence from reset that breaks one. So a failed proof is always a real error, never only an
induction that was too weak, and the assertions need not know a part's registers.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

WRAPPERS = Path(__file__).resolve().parent
TEMPLATES = WRAPPERS.parents[1] / "rtl_templates"

# Yosys ends the interpreter on an error, so it runs in one of its own; arguments are its commands.
_YOSYS = """\
import sys
from pyosys import libyosys as yosys
design = yosys.Design()
for command in sys.argv[1:]:
    yosys.run_pass(command, design)
"""

_TO_AIGER = (
    "hierarchy -check -top {top}",
    "proc",
    "flatten",
    "async2sync",
    "chformal -lower",
    "memory -nomap",
    "memory_map -formal",
    "formalff -clk2ff -ff2anyinit",  # a register has any value before its first clock
    "dffunmap",
    "techmap",
    "setundef -undriven -anyseq",  # so does what is undefined; no pass before this chooses for it
    "aigmap",
    "opt_clean",
    "stat",
    "write_aiger -B -zinit proof.aig",
)
# One property, the disjunction of all violations; fold turns assumptions into logic.
_PDR = "read_aiger proof.aig; fold; strash; orpos; print_stats; pdr -T {timeout}"


class ProofError(RuntimeError):
    """A proof could not be attempted: the SystemVerilog does not elaborate, or time ran out."""


@dataclass(frozen=True)
class ProofResult:
    """What is known about one part with one set of parameters.

    Args:
        proved: True when no input can ever break an assertion.
        frame: clock cycle, counted from the first one in reset, in which an assertion breaks; None
            when proved.
        seconds: time of elaboration and proof.
        log: what the tools said.
    """

    proved: bool
    frame: int | None
    seconds: float
    log: str


def prove(
    module: str,
    parameters: Mapping[str, int],
    source_override: str | None = None,
    *,
    timeout: int = 60,
) -> ProofResult:
    """Prove all assertions of ``formal_<part>.sv`` about ``hyq_<part>``.

    Args:
        module: name of a template with a wrapper, for instance ``hyq_fifo``.
        parameters: parameters of the wrapper, for instance ``{"Width": 2, "Depth": 3}``.
        source_override: SystemVerilog text that takes the place of ``<module>.sv``.
        timeout: limit of the search in seconds.

    Raises:
        ProofError: unknown module, a source that does not elaborate, or no answer in time.
    """
    top = module.replace("hyq_", "formal_", 1)
    if not (WRAPPERS / f"{top}.sv").is_file() or not (TEMPLATES / f"{module}.sv").is_file():
        known = ", ".join(provable_modules())
        raise ProofError(f"no proof for {module!r}; there are proofs for {known}")
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hyq_proof_") as name:
        folder = Path(name)
        for source in [*WRAPPERS.glob("*.sv"), *TEMPLATES.glob("*.sv")]:
            shutil.copy(source, folder)
        if source_override is not None:
            (folder / f"{module}.sv").write_text(source_override, encoding="utf-8")
        values = " ".join(f"-G {key}={value}" for key, value in parameters.items())
        read = f"read_slang --top {top} -y . {values} hyq_pkg.sv {top}.sv"
        commands = [read, *(command.format(top=top) for command in _TO_AIGER)]
        log = run_yosys(commands, folder, timeout)
        log += _run([str(_abc()), "-c", _PDR.format(timeout=timeout)], folder, 2 * timeout)
    seconds = time.monotonic() - start
    if re.search(r"^Property proved\.", log, re.MULTILINE):
        return ProofResult(True, None, seconds, log)
    broken = re.search(r"was asserted in frame (\d+)\.", log)
    if broken:
        return ProofResult(False, int(broken[1]), seconds, log)
    raise ProofError(f"no verdict on {module} {dict(parameters)} in {timeout} s:\n{log[-2000:]}")


def run_yosys(commands: Sequence[str], folder: Path, timeout: int = 60) -> str:
    """What Yosys says to some commands in a folder.

    Raises:
        ProofError: a command failed, or all of them took more than ``timeout`` seconds.
    """
    return _run([sys.executable, "-c", _YOSYS, *commands], folder, timeout)


def provable_modules() -> list[str]:
    """Names of the templates that have a wrapper with assertions."""
    names = (path.stem.replace("formal_", "hyq_", 1) for path in WRAPPERS.glob("formal_*.sv"))
    return sorted(name for name in names if (TEMPLATES / f"{name}.sv").is_file())


def _abc() -> Path:
    """Path of the abc that comes with pyosys."""
    spec = find_spec("pyosys")
    if spec is None or spec.origin is None:
        raise ProofError("pyosys is not installed; pip install pyosys")
    return Path(spec.origin).with_name("yosys-abc")


def _run(command: list[str], folder: Path, timeout: int) -> str:
    """Output of a command; ProofError when it fails or takes too long."""
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            timeout=timeout,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ProofError(f"{Path(command[0]).name} took more than {timeout} s") from error
    if result.returncode != 0:
        raise ProofError(
            f"{Path(command[0]).name} ended with status {result.returncode}:\n"
            f"{result.stdout[-2000:]}"
        )
    return result.stdout


def main(arguments: list[str] | None = None) -> int:
    """Prove one part; exit status 0 proved, 1 broken, 2 no verdict."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("module", choices=provable_modules())
    parser.add_argument("parameters", nargs="*", metavar="Name=value", help="such as Width=2")
    parser.add_argument("--timeout", type=int, default=60, metavar="SECONDS")
    options = parser.parse_args(arguments)
    parameters: dict[str, int] = {}
    for text in options.parameters:
        name, separator, value = text.partition("=")
        if not (separator and value.isdecimal()):
            parser.error(f"a parameter is Name=value with a whole number, found {text!r}")
        parameters[name] = int(value)
    try:
        result = prove(options.module, parameters, timeout=options.timeout)
    except ProofError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    verdict = "proved" if result.proved else f"broken in cycle {result.frame}"
    print(f"{options.module} {' '.join(options.parameters)}: {verdict} ({result.seconds:.1f} s)")
    return 0 if result.proved else 1


if __name__ == "__main__":
    sys.exit(main())
