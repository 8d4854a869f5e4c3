"""What an exported folder holds: names, versions, and the operators that its graphs are made of."""

from __future__ import annotations

FORMAT = 2  # of the folder; higher ones are of later versions of rnnlp
OPSET, IR_VERSION = 17, 8  # of ONNX; ONNX Runtime reads them since 1.13
MICROSOFT = "com.microsoft"  # the operators in int8 that ONNX Runtime has of its own
INSTALL = "pip install 'rnnlp[export]'"

GRAPHS = {  # the files of each task
    "tagging": ("model.onnx",),
    "classification": ("model.onnx",),
    "joint": ("model.onnx",),
    "generation": ("model.onnx",),
    "translation": ("encoder.onnx", "decoder.onnx"),
}
# And of models that write from vectors, or search a shortlist.
MORE = {"generation": ("start.onnx",), "translation": ("candidates.onnx",)}

# What a graph carries on from token to token, with its dimensions: an input, and an output of the
# same name after `final_`. It begins with zeros, these with -infinity.
CARRIED = {
    "hidden": 3, "cell": 3, "fed": 2, "read": 1, "largest": 2, "mean": 2, "peak": 2, "mass": 2,
    "weighted": 2, "ngrams": 2, "counted": 2,
}  # fmt: skip
MAXIMA = ("largest", "peak")

_OPERATORS = """
Add Cast Concat Conv Div Exp Expand GRU Gather Greater Identity If LSTM LayerNormalization Less Log
LogSoftmax MatMul Max Min Mod Mul Pad RNN Range ReduceMax ReduceMean ReduceSum Relu Reshape Scan
ScatterElements Shape Sigmoid Slice Softmax Softplus Split Squeeze Sub Tanh Transpose Unsqueeze
Where
"""
OPERATORS = {
    "": frozenset(_OPERATORS.split()),
    MICROSOFT: frozenset(("DynamicQuantizeLSTM", "DynamicQuantizeMatMul")),
}
