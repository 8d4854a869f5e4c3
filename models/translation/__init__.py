"""Encoder-decoder (N to M): attention, decoder, translator."""
