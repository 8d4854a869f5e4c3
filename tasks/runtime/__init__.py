"""ONNX Runtime: the graphs of an exported folder, opened and run."""
