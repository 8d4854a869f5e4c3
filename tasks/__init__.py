"""One LightningModule per task shape, the model folder, the command line. Joins data and models."""
