"""Hyper-parameter search: trials of one config with other values, and what they came to."""
