"""Data for tagging and classification at once."""
