"""Tagging data (N to N): readers, collate, data module, sample corpus."""
