"""Command line: ``hyq-hls COMMAND``, where every command is a module of this package."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence

import hyq_hls
from hyq_hls.cli import (
    build,
    completion,
    convert,
    cosim,
    demo,
    doctor,
    estimate,
    evaluate,
    export,
    inspect,
    parts,
    quantize,
    report,
    verify,
)
from hyq_hls.cli.output import add_quiet
from hyq_hls.cli.quantize import NUMBERS
from hyq_hls.errors import HyqError
from hyq_hls.quant.config import CHOICES
from hyq_hls.support.packages import explained

COMMANDS = {
    "doctor": doctor,
    "demo": demo,
    "inspect": inspect,
    "quantize": quantize,
    "convert": convert,
    "verify": verify,
    "estimate": estimate,
    "cosim": cosim,
    "report": report,
    "evaluate": evaluate,
    "build": build,
    "export": export,
    "parts": parts,
    "completion": completion,
}
_STATUS = """\
exit status:
  0    done; every level agrees, the design fits, what was asked for is there
  1    done, and the answer is no: levels disagree, a design does not fit, a node stops on the way,
       a recipe failed, something is missing
  2    not done: wrong options, unusable files, a missing package or program; one line says why and
       what to do
  130  interrupted; nothing half-written is left
  141  the reader of the output, such as head, ended first

`hyq-hls COMMAND --help` shows the options of a command and examples.
"""


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows defaults, but not that there is none, nor that a switch is off."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        without = action.default is None or action.default is False or action.nargs == "*"
        return action.help if without else super()._get_help_string(action)


def parser() -> argparse.ArgumentParser:
    """Return the argument parser with one subcommand per module of this package."""
    root = argparse.ArgumentParser(
        prog="hyq-hls",
        description="Integer-only CNN-Transformer hybrids, from PyTorch to bit-exact HLS C++.",
        epilog=_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="version", version=f"hyq_hls {hyq_hls.__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="command")
    for name, module in COMMANDS.items():
        assert module.__doc__ is not None
        command = commands.add_parser(
            name,
            help=module.__doc__.splitlines()[0],
            description=module.__doc__,
            epilog=_examples(vars(module).get("EXAMPLES", ())),
            formatter_class=_HelpFormatter,
        )
        module.add_arguments(command)
        add_quiet(command)
    commands.choices["completion"].set_defaults(root=root)
    return root


def _examples(lines: Sequence[str]) -> str:
    return "\n  ".join(["examples:", *lines]) if lines else ""


#: Arguments of Python whose option has another name or the contrary meaning.
_OPTIONS = {
    "must_fit=False": "--any-size",
    "output_dir=": "--output ",
    "circuits=": "--circuit ",
    "count=": "--calibration ",
}


def _as_options(message: str, options: argparse.Namespace) -> str:
    """Return a message about arguments of Python in the words of the command line."""
    if options.command == "build":  # whose messages are in the words of hyq.toml
        return message
    for argument, option in _OPTIONS.items():
        message = re.sub(rf"\b{argument}", option, message)
    for name in (*vars(options), *CHOICES, *NUMBERS):
        option = f"--{name.replace('_', '-')}"
        message = re.sub(rf"\b{name}=True\b", option, message)
        message = re.sub(rf"\b{name}=", f"{option} ", message)
    return message


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns 0, 1 when levels disagree, 2 on an error that names its cure."""
    options = parser().parse_args(arguments)
    try:
        with explained():
            status: int = COMMANDS[options.command].run(options)
        sys.stdout.flush()
        return status
    except HyqError as error:
        print(f"hyq-hls: error: {_as_options(str(error), options)}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of our output, such as head, has seen enough
        _forget_output()
        return 141
    except OSError as error:
        _forget_output()
        place = f"{error.filename}: " if error.filename else ""
        print(
            f"hyq-hls: error: {place}{error.strerror or error}; check that the disk has room and "
            "that the files can be read and written",
            file=sys.stderr,
        )
        return 2
    except MemoryError:
        print("hyq-hls: error: out of memory; give fewer or smaller images", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hyq-hls: interrupted; nothing half-written is left", file=sys.stderr)
        return 130


def _forget_output() -> None:
    """Drop what was printed and cannot be written, or Python complains once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
