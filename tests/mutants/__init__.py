"""Mutation test of decisions: small faults by hand, each of which the nearest tests must find.

``python -m tests.mutants`` puts one fault after the other into a copy of the repository, runs the
tests nearest to it there, and says which faults survive. ``python -m tests.mutants WORD`` takes
only the faults that have the word in their names. The faults stand in files by room.
"""

from tests.mutants import capture, engine, front, integers, quant, stream
from tests.mutants.mutant import Mutant

ROOMS = (capture, quant, integers, stream, engine, front)
MUTANTS = [mutant for room in ROOMS for mutant in room.MUTANTS]

__all__ = ["MUTANTS", "Mutant"]
