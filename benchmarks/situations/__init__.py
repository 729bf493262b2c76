"""Situations in which a user's mistake, a damaged file or a machine must meet a true message."""
