"""The memory study: how far back each cell remembers."""
