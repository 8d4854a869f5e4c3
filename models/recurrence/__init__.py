"""Recurrences: a file a cell, the autograd function, packing, dispatch, initialization."""
