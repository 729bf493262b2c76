"""Programs of others that this package runs; nothing here knows an integer graph."""
