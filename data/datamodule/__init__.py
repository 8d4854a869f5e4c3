"""Data modules: what those of all tasks share, samplers and loader."""
