"""One HTML page about a network and its design: figures, tables, and what was not measured."""

from hyq_hls.support import needs

needs("jinja2", "matplotlib")

from hyq_hls.report.write import write_report

__all__ = ["write_report"]
