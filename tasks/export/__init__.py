"""Models away from torch: their networks as ONNX graphs, in folders of their own."""
