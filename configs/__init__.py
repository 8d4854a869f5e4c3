"""Shipped configurations (YAML), usable by name: `rnnlp fit --config ner`."""
