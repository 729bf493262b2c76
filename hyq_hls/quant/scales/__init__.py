"""Ranges, scales and integer weights: which real value every code stands for."""
