"""The model folder: its format, and writing it as a whole."""
