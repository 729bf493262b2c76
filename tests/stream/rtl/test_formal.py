"""The stream parts are proved for all time; a seeded error in any of them is found."""

from __future__ import annotations

import pytest

from verif.formal.prove import TEMPLATES, ProofError, main, provable_modules, prove

pytestmark = pytest.mark.slow

PROOFS: list[tuple[str, dict[str, int]]] = [
    *(
        ("hyq_axis_input", {"Lanes": lanes, "Bits": 1, "CodeBytes": 1, "Beats": beats})
        for lanes, beats in [(1, 1), (1, 2), (2, 3)]
    ),
    *(("hyq_register_slice", {"Width": width}) for width in (1, 4)),
    *(("hyq_fifo", {"Width": 2, "Depth": depth}) for depth in (1, 2, 3, 4)),
    *(("hyq_fork", {"Width": 2, "Outputs": outputs}) for outputs in (1, 2, 3)),
    *(
        ("hyq_width_converter", {"Bits": bits, "InLanes": ins, "OutLanes": outs})
        for bits, ins, outs in [(2, 1, 1), (2, 1, 2), (1, 1, 3), (1, 2, 6), (1, 1, 5)]
    ),
    *(
        ("hyq_width_converter", {"Bits": bits, "InLanes": ins, "OutLanes": outs})
        for bits, ins, outs in [(2, 2, 1), (1, 3, 1), (1, 6, 2), (1, 5, 1)]
    ),
]

SLICE, FIFO, FORK = {"Width": 1}, {"Width": 1, "Depth": 3}, {"Width": 1, "Outputs": 2}
PORT = {"Lanes": 1, "Bits": 1, "CodeBytes": 1, "Beats": 3}
JOIN = {"Bits": 1, "InLanes": 1, "OutLanes": 3}
CUT = {"Bits": 1, "InLanes": 3, "OutLanes": 1}

# Seeded errors: what goes wrong, the part, its parameters, right text and wrong text.
SEEDED = {
    "port leaves a frame short": ("hyq_axis_input", PORT, "filling_q <= s_axis_tlast", ";"),
    "port takes the next frame while it fills": (
        "hyq_axis_input",
        PORT,
        "(out_ready_i && !filling_q)",
        "out_ready_i",
    ),
    "port fills with what lies on the bus": ("hyq_axis_input", PORT, "filling_q ? '0 :", ""),
    "port does not drop": ("hyq_axis_input", PORT, "dropping_q <= last;", ""),
    "port drops the next frame": (
        "hyq_axis_input",
        PORT,
        "!(s_axis_tvalid && s_axis_tlast)",
        "!(s_axis_tvalid && s_axis_tlast && out_ready_i)",
    ),
    "port counts no late TLAST": (
        "hyq_axis_input",
        PORT,
        "step && s_axis_tlast != last",
        "step && (s_axis_tlast && !last)",
    ),
    "slice loses": (
        "hyq_register_slice",
        SLICE,
        "<= in_valid_i || spare_valid_q;\n      spare",
        "<= in_valid_i;\n      spare",
    ),
    "slice doubles": (
        "hyq_register_slice",
        SLICE,
        "spare_valid_q <= 1'b0;\n    end else begin",
        "spare_valid_q <= spare_valid_q;\n    end else begin",
    ),
    "slice swaps": (
        "hyq_register_slice",
        SLICE,
        "spare_valid_q ? spare_data_q : in_data_i",
        "in_data_i",
    ),
    "slice overflows": (
        "hyq_register_slice",
        SLICE,
        "in_ready_o  = !spare_valid_q",
        "in_ready_o = 1'b1",
    ),
    "slice stands still": (
        "hyq_register_slice",
        SLICE,
        "in_ready_o  = !spare_valid_q",
        "in_ready_o = !spare_valid_q && !out_valid_q",
    ),
    "slice forgets its reset": (
        "hyq_register_slice",
        SLICE,
        "out_valid_q   <= 1'b0;\n      spare_valid_q <= 1'b0;",
        "out_valid_q <= 1'b0;",
    ),
    "fifo overflows": ("hyq_fifo", FIFO, "in_ready_o = !full_q", "in_ready_o = 1'b1"),
    "fifo wastes a place": (
        "hyq_fifo",
        FIFO,
        "write && count_q == CountBits'(Depth - 1)",
        "write && count_q >= CountBits'(Depth - 2)",
    ),
    "fifo wraps early": (
        "hyq_fifo",
        FIFO,
        "#(.Count(Depth)) u_read",
        "#(.Count(Depth - 1)) u_read",
    ),
    "fifo drops a stalled word": (
        "hyq_fifo",
        FIFO,
        "read || (out_valid_q && !out_ready_i)",
        "read",
    ),
    "fifo overwrites a stalled word": (
        "hyq_fifo",
        FIFO,
        "filled_q && (!out_valid_q || out_ready_i)",
        "filled_q",
    ),
    "fifo keeps the last word": (
        "hyq_fifo",
        FIFO,
        "write || count_q != CountBits'(1)",
        "write || count_q > CountBits'(2)",
    ),
    "fork doubles": ("hyq_fork", FORK, "'0 : taken_q | out_ready_i", "'0 : taken_q"),
    "fork loses": ("hyq_fork", FORK, "&(taken_q | out_ready_i)", "|(taken_q | out_ready_i)"),
    "fork waits for all": ("hyq_fork", FORK, "&(taken_q | out_ready_i)", "&out_ready_i"),
    "fork takes too early": ("hyq_fork", FORK, "else if (in_valid_i)", "else"),
    "join swaps": ("hyq_width_converter", JOIN, "{in_data_i, stored_q}", "{stored_q, in_data_i}"),
    "join overflows": ("hyq_width_converter", JOIN, "!last || out_ready_i", "1'b1"),
    "join counts stalls": ("hyq_width_converter", JOIN, "in_valid_i && in_ready_o", "in_valid_i"),
    "cut ends early": (
        "hyq_width_converter",
        CUT,
        "IndexBits'(Ratio - 1)",
        "IndexBits'(Ratio - 2)",
    ),
    "cut counts stalls": ("hyq_width_converter", CUT, "in_valid_i && out_ready_i", "out_ready_i"),
    "cut loses": ("hyq_width_converter", CUT, "last && out_ready_i", "out_ready_i"),
}


@pytest.mark.parametrize(
    ("module", "parameters"),
    PROOFS,
    ids=["-".join([module, *map(str, values.values())]) for module, values in PROOFS],
)
def test_part_is_proved(module: str, parameters: dict[str, int]) -> None:
    result = prove(module, parameters)
    assert result.proved, result.log
    assert result.frame is None


def test_every_part_with_assertions_is_proved() -> None:
    assert {module for module, _ in PROOFS} == set(provable_modules())
    assert {module for module, *_ in SEEDED.values()} == set(provable_modules())


@pytest.mark.parametrize("seed", SEEDED)
def test_seeded_error_breaks_the_proof(seed: str) -> None:
    module, parameters, right, wrong = SEEDED[seed]
    source = (TEMPLATES / f"{module}.sv").read_text(encoding="utf-8")
    assert source.count(right) == 1
    result = prove(module, parameters, source.replace(right, wrong))
    assert not result.proved
    assert result.frame is not None
    assert result.frame >= 1  # no assertion holds a part to anything in the first cycle, in reset


def test_what_cannot_be_proved_is_an_error() -> None:
    with pytest.raises(ProofError, match=r"there are proofs for .*hyq_fifo"):
        prove("hyq_nothing", {})
    with pytest.raises(ProofError, match="Depth is at least 1"):
        prove("hyq_fifo", {"Width": 1, "Depth": 0})


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hyq_fork", "Width=1", "Outputs=2"]) == 0
    assert "proved" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["hyq_fork", "Width=1", "Outputs=none"])
    assert "whole number, found 'Outputs=none'" in capsys.readouterr().err
    assert main(["hyq_fifo", "Width=1", "Depth=0"]) == 2
    assert "Depth is at least 1" in capsys.readouterr().err
