"""A configuration file that was read: its settings, and the hash by which results name it."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import get_type_hints

from hyq_hls.cli.workflow.names import FILE
from hyq_hls.cli.workflow.schema import nearest, parsed
from hyq_hls.cli.workflow.sections import Settings
from hyq_hls.errors import InputError
from hyq_hls.support import is_file, user_path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

#: Images that are drawn at random.
NOISE = "noise"


@dataclass(frozen=True)
class Configuration:
    """The settings of a file.

    Attributes:
        file: the file.
        text: its content.
        settings: what it says, with defaults where it says nothing.
    """

    file: Path
    text: str
    settings: Settings

    @property
    def sha256(self) -> str:
        """Hash of the content, by which results name the configuration that made them."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    def path(self, text: str) -> Path:
        """Return a path of the file, which is relative to its folder."""
        return Path(os.path.normpath(self.file.parent / os.path.expanduser(text)))

    @property
    def output(self) -> Path:
        """Folder of all results."""
        return self.path(self.settings.targets.output)

    def images(self, text: str) -> str:
        """Return what the command line takes for images: a known name, or a path."""
        return text if self.is_known(text) else str(self.path(text))

    def is_known(self, images: str) -> bool:
        """Return whether images have a name that is no path."""
        return images == NOISE or images.startswith("digits-")


def load(path: str | os.PathLike[str] = FILE) -> Configuration:
    """Read a configuration file.

    Raises:
        InputError: there is no such file, it is no TOML, or a key or a value is wrong; the message
            names the file, the key, what was found and what is wanted.
    """
    file = user_path(path)
    if not is_file(file):
        raise InputError(
            f"{path}: no such file; write one with hyq-hls build --template > {FILE}, or name it"
        )
    try:
        text = file.read_bytes().decode()
        tables = tomllib.loads(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path} is not a TOML file: {error}; correct it there") from error
    sections = get_type_hints(Settings)
    found = {}
    for name, table in tables.items():
        if name not in sections:
            raise InputError(f"{path} has no section [{name}]; {nearest(name, sections)}")
        if not isinstance(table, dict):
            raise InputError(
                f"{path} {name} = {table!r:.40}: a section is wanted; write [{name}] on a line of "
                "its own, and its keys below"
            )
        found[name] = parsed(sections[name], table, f"{path} [{name}]")
    return Configuration(file, text, Settings(**found))
