"""Other tools that quantize, measured on the networks of this benchmark."""
