"""Encoders: one protocol, (embedded, lengths) to (states, final)."""
