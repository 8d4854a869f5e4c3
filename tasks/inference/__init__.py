"""Using trained models: load, load_encoder."""
