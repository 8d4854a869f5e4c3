"""Readers, tokenizers, batching and LightningDataModules. Knows no models."""
