"""Tagging and classification on one encoder, from config to pipeline."""
