"""Print a script by which a shell completes commands, options and file names."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from hyq_hls.cli import sources
from hyq_hls.support import needs

EXAMPLES = (
    "hyq-hls completion bash > ~/.local/share/bash-completion/completions/hyq-hls",
    "hyq-hls completion zsh > ~/.zfunc/_hyq-hls",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("shell", choices=("bash", "zsh", "tcsh"), help="the shell")


def run(options: argparse.Namespace) -> int:
    """Print the script."""
    needs("shtab")
    import shtab  # noqa: PLC0415  (only this command needs it)

    _complete_files(options.root, shtab.FILE)
    print(shtab.complete(options.root, options.shell))
    return 0


def _complete_files(parser: argparse.ArgumentParser, files: Mapping[str, Any]) -> None:
    """Mark every option that takes a path, in all commands below ``parser``."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_files(command, files)
        elif action.type is sources.path or action.dest == "images":
            action.complete = files  # type: ignore[attr-defined]
