"""Heads that classify (N to 1): pooling, classifier, calibration."""
