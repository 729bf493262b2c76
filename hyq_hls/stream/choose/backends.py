"""The back ends of a design, and those that a part must have room for."""

from __future__ import annotations

from hyq_hls.errors import ConversionError

#: The SystemVerilog, by its estimate, and the HLS C++, by its plan.
BACKENDS = frozenset({"rtl", "hls"})
RTL = frozenset({"rtl"})
#: Their names in messages. Who builds only one of them, says so by ``must_fit``.
LABELS = {"rtl": "the RTL", "hls": 'the HLS C++ (must_fit="rtl" asks only for the RTL)'}


def counted(must_fit: bool | str) -> frozenset[str]:
    """Return the back ends that must fit.

    Args:
        must_fit: True for both, False for none, or the name of one.

    Raises:
        ConversionError: it is none of these.
    """
    if isinstance(must_fit, bool):
        return BACKENDS if must_fit else frozenset()
    if must_fit not in BACKENDS:
        raise ConversionError(
            f'must_fit={must_fit!r}: True (RTL and HLS C++), "rtl", "hls" or False is wanted'
        )
    return frozenset({must_fit})
