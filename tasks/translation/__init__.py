"""Translation (N to M), from config to pipeline."""
