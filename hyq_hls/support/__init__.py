"""Small tools without a subject of their own: files, folders, programs, libraries, text."""

from hyq_hls.support.bars import counted, progress_bar
from hyq_hls.support.files import (
    is_empty,
    is_file,
    replaced_file,
    replaced_folder,
    user_path,
    write_file,
)
from hyq_hls.support.html_page import HtmlPage
from hyq_hls.support.libraries import load_library, seal, sealed_key
from hyq_hls.support.packages import installed, needs
from hyq_hls.support.shown import Shown
from hyq_hls.support.sqnr import sqnr_db
from hyq_hls.support.tables import aligned
from hyq_hls.support.templates import template_dir

__all__ = [
    "HtmlPage",
    "Shown",
    "aligned",
    "counted",
    "installed",
    "is_empty",
    "is_file",
    "load_library",
    "needs",
    "progress_bar",
    "replaced_file",
    "replaced_folder",
    "seal",
    "sealed_key",
    "sqnr_db",
    "template_dir",
    "user_path",
    "write_file",
]
