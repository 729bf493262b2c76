"""SystemVerilog text: values of parameters, and a module with fixed parameters."""

from __future__ import annotations

import pytest

from hyq_hls.errors import ConversionError
from hyq_hls.tools.systemverilog import Value, alone, declared, literal

TEXT = """\
// A memory.
module store #(
  parameter int unsigned   Width,      // of a word, or more
  parameter hyq_pkg::rom_t Rom,
  parameter                File,
  parameter bit            Signed = 1'b0,
  localparam int unsigned  Words = Rom.entries / Rom.lanes
) (
  input  logic             clk_i,
  output logic [Width-1:0] data_o
);
endmodule
"""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (7, "7"),
        (-3, "-3"),
        (True, "1'b1"),
        ("a.mem", '"a.mem"'),
        ({"entries": 4, "lanes": 2}, "'{entries: 4, lanes: 2}"),
    ],
)
def test_literal(value: Value, text: str) -> None:
    assert literal(value) == text


def test_declared_parameters() -> None:
    assert declared("store", TEXT) == {"Width": False, "Rom": False, "File": False, "Signed": True}
    with pytest.raises(ConversionError, match=r"other.sv: `module other #\(` with a parameter"):
        declared("other", TEXT)


def test_a_module_alone_has_the_same_ports() -> None:
    values: dict[str, Value] = {"Width": 8, "Rom": {"entries": 4}, "File": "/x/a.mem"}
    name, text = alone("store", TEXT, values)
    assert name == "store_alone"
    assert (
        text
        == """\
module store_alone #(
  localparam int unsigned Width = 8,      // of a word, or more
  localparam hyq_pkg::rom_t Rom = '{entries: 4},
  localparam File = "/x/a.mem",
  localparam bit Signed = 1'b0,
  localparam int unsigned  Words = Rom.entries / Rom.lanes
) (
  input  logic             clk_i,
  output logic [Width-1:0] data_o
);

  store #(
    .Width(Width),
    .Rom(Rom),
    .File(File),
    .Signed(Signed)
  ) u_circuit (.*);

endmodule
"""
    )


@pytest.mark.parametrize(
    "values", [{"Width": 8, "Rom": {"entries": 4}}, {"Width": 8, "Rom": {}, "File": "", "Depth": 1}]
)
def test_wrong_parameters_are_named(values: dict[str, Value]) -> None:
    with pytest.raises(ConversionError, match=r"wrong or missing: (File|Depth)$"):
        alone("store", TEXT, values)
