"""Embeddings: of tokens, and of the characters of words."""
