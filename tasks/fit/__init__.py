"""Training: settings, checkpoints, the loop, what it leaves behind."""
