"""Faults of the engine's cost model."""

from tests.mutants.mutant import Mutant

MUTANTS = [
    Mutant(
        "between two cost points a unit is the smaller one",
        "hyq_hls/engine/cost/points.py",
        "share = (wanted - below) / (above - below) if above > below else 0.0",
        "share = 0.0",
        "tests/engine/cost/test_points.py",
    ),
    Mutant(
        "words and pixels add up where they multiply",
        "hyq_hls/engine/cost/points.py",
        "found[site] *= here / max(1, least)",
        "found[site] += here - least",
        "tests/engine/cost/test_points.py",
    ),
    Mutant(
        "a share of a part is the whole part",
        "hyq_hls/engine/cost/choice.py",
        "if fits(used, part, share):",
        "if fits(used, part):",
        "tests/engine/cost/test_choice.py",
    ),
    Mutant(
        "an engine multiplies where shifts are enough",
        "hyq_hls/engine/cost/choice.py",
        "product(CAPACITIES, (False, True))",
        "product(CAPACITIES, (True, False))",
        "tests/engine/cost/test_choice.py",
    ),
    Mutant(
        "the array works for what the norm unit does",
        "hyq_hls/engine/cost/report.py",
        "isinstance(forms[node.name], tuple | AttendedSums)",
        "node.name in forms",
        "tests/engine/cost/test_report.py",
    ),
]
