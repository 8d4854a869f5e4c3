"""Text to ids, where a model is used: imports neither torch nor datasets."""
