"""For vendor tools and boards: project scripts, a driver, and the reports that come back."""

from hyq_hls.vendor.csynth import VendorReport, VendorRow, read_csynth, report_file
from hyq_hls.vendor.project import write_vendor
from hyq_hls.vendor.resources import vendor_utilization
from hyq_hls.vendor.vivado import VivadoReport, VivadoRow, read_vivado

__all__ = [
    "VendorReport",
    "VendorRow",
    "VivadoReport",
    "VivadoRow",
    "read_csynth",
    "read_vivado",
    "report_file",
    "vendor_utilization",
    "write_vendor",
]
