"""Generation data (1 to N): readers, collate, data module, sample corpus."""
