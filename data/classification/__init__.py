"""Classification data (N to 1): readers, collate, data module, sample corpus."""
