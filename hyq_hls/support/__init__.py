"""Small tools without a subject of their own: whole files and folders, text tables, templates."""

from hyq_hls.support.files import (
    is_empty,
    is_file,
    replaced_file,
    replaced_folder,
    user_path,
    write_file,
)
from hyq_hls.support.tables import aligned
from hyq_hls.support.templates import template_dir

__all__ = [
    "aligned",
    "is_empty",
    "is_file",
    "replaced_file",
    "replaced_folder",
    "template_dir",
    "user_path",
    "write_file",
]
