"""Tagging (N to N), from config to pipeline."""
