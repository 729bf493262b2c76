"""Small tools without a subject of their own: whole files and folders, text tables, templates."""

from hyq_hls.support.files import replaced_file, replaced_folder, write_file
from hyq_hls.support.shown import Shown
from hyq_hls.support.sqnr import sqnr_db
from hyq_hls.support.tables import aligned
from hyq_hls.support.templates import template_dir

__all__ = [
    "Shown",
    "aligned",
    "replaced_file",
    "replaced_folder",
    "sqnr_db",
    "template_dir",
    "write_file",
]
