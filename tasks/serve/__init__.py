"""`rnnlp serve`: models behind HTTP, for other programs and for people; not for training."""
