"""Trained models as a component of spaCy's pipelines."""
