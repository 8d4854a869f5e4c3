"""File formats: how files are opened and told apart."""
