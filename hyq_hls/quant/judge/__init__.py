"""How much a choice of quantization costs: simulations, samples, sensitivities."""
