"""The streaming machine: a circuit of its own for every operation, joined by streams."""
