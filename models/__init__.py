"""Pure PyTorch: recurrences, encoders, heads. Tensors in, tensors out."""
