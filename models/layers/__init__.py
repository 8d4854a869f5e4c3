"""Layers: dropout, losses, masks."""
