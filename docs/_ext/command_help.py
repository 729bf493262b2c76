"""Directive ``command-help``: the help texts of ``hyq-hls`` and of all its commands, as they are.

The texts come from the parser itself, so no page can say something else.
"""

from __future__ import annotations

import argparse
import os
from typing import Any
from unittest import mock

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

from hyq_hls.cli import parser


def command_parsers(root: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parser of every command, by name."""
    found: dict[str, argparse.ArgumentParser] = {}
    for action in root._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found


class CommandHelp(SphinxDirective):
    """Write the help of the program, then a section for each of its commands."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        written: list[nodes.Node] = []
        with mock.patch.dict(os.environ, COLUMNS="86"):  # argparse breaks its lines by it
            root = parser()
            written.append(_text(root))
            for name, command in command_parsers(root).items():
                section = nodes.section(ids=[nodes.make_id(f"hyq-hls-{name}")])
                section += nodes.title(text=f"hyq-hls {name}")
                section += _text(command)
                written.append(section)
        return written


def _text(command: argparse.ArgumentParser) -> nodes.literal_block:
    text = command.format_help()
    return nodes.literal_block(text, text, language="text")


def setup(app: Any) -> dict[str, Any]:
    """Register the directive with Sphinx."""
    app.add_directive("command-help", CommandHelp)
    return {"version": "1", "parallel_read_safe": True}
