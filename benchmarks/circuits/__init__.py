"""Circuits that are compared by ``benchmarks.area``: their modules, references and sizes."""
