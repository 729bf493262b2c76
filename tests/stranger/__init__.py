"""A stranger's path: the wheel in an empty environment, a network of one's own, a block in use.

``python -m tests.stranger`` makes a virtual environment in a folder outside of the repository and
goes from ``pip install`` to a block that is simulated in a small system. The files in ``place`` are
those that the stranger writes; the test bench among them knows only ``integration.md``.
"""
