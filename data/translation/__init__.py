"""Translation data (N to M): readers, collate, data module, sample corpus."""
