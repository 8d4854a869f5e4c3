"""Generation (1 to N), from config to pipeline."""
