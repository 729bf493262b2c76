"""Command line: ``hyq-hls inspect | quantize | convert | verify | estimate | cosim | ...``."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Sequence

import hyq_hls
from hyq_hls.cli import convert, cosim, estimate, evaluate, inspect, quantize, report, verify
from hyq_hls.cli.quantize import NUMBERS
from hyq_hls.errors import HyqError
from hyq_hls.quant.config import CHOICES

COMMANDS = {
    "inspect": inspect,
    "quantize": quantize,
    "convert": convert,
    "verify": verify,
    "estimate": estimate,
    "cosim": cosim,
    "report": report,
    "evaluate": evaluate,
}


class _HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows defaults, but not that there is none."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


def parser() -> argparse.ArgumentParser:
    """Return the argument parser with one subcommand per module of this package."""
    root = argparse.ArgumentParser(
        prog="hyq-hls",
        description="Integer-only CNN-Transformer hybrids, from PyTorch to bit-exact HLS C++.",
    )
    root.add_argument("--version", action="version", version=f"hyq_hls {hyq_hls.__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="command")
    for name, module in COMMANDS.items():
        assert module.__doc__ is not None
        command = commands.add_parser(
            name,
            help=module.__doc__.splitlines()[0],
            description=module.__doc__,
            formatter_class=_HelpFormatter,
        )
        module.add_arguments(command)
    return root


#: Arguments of Python whose option has another name or the contrary meaning.
_OPTIONS = {"must_fit=False": "--any-size", "output_dir=": "--output ", "count=": "--calibration "}


def _as_options(message: str, options: argparse.Namespace) -> str:
    """Return a message about arguments of Python in the words of the command line."""
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
