"""Language models (1 to N)."""
