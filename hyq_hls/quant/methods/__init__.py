"""Published and own methods that change a plan of quantization."""
