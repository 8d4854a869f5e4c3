"""Classification (N to 1), from config to pipeline."""
