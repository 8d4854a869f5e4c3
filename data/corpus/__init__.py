"""Corpora: Arrow storage, sources, the report of what was lossy, duplicates."""
