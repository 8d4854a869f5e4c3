"""What all tasks share: modules, components, optimizers, objectives, transfer, streams."""
