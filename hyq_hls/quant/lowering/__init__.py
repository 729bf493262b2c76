"""Integer operations and constants in the place of float ones."""
