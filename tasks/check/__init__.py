"""What `rnnlp check` needs a model for."""
