"""The time-multiplexed engine: a program for one array of multipliers, see ``docs/engine.md``."""
