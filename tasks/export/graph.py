"""Writes an ONNX graph node by node: names, weights, and products in float or in int8.

It knows operators and numbers, no networks: those are in the files beside it. Needs the package
onnx, which only exporting does.

In int8 a weight w is a whole number q and a scale of its row, w = (q - 128) * scale, with q from 1
to 255: unsigned, since the products of signed bytes overflow on processors without VNNI. What it is
multiplied with is brought to 8 bits as it comes, by a scale of the whole array.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
)
from torch import Tensor, nn

from rnnlp.tasks.runtime.format import IR_VERSION, MICROSOFT, OPSET

ZERO_POINT = 128
ALL = np.iinfo(np.int64).max  # the end of a dimension
_TYPES = {"int64": TensorProto.INT64, "float": TensorProto.FLOAT, "bool": TensorProto.BOOL}
Shape = Sequence[int | str]


class Graph:
    """A graph that grows; values are known by their names.

    Args:
        int8: Whether weights are kept in 8 bits.
        outer: The graph that this one is the body of a loop in, or a branch.
    """

    def __init__(self, *, int8: bool = False, outer: Graph | None = None) -> None:
        self.int8 = int8
        self._root: Graph = self if outer is None else outer._root
        self._nodes: list[NodeProto] = []
        self._weights: dict[str, TensorProto] = {}
        self._kept: dict[object, str] = {}  # of what is a weight already
        self._inputs: list[ValueInfoProto] = []
        self._outputs: list[ValueInfoProto] = []
        self._count = 0

    def input(self, name: str, kind: str, shape: Shape) -> str:
        """An input; gives its name.

        Args:
            name: What the graph's user calls it.
            kind: "int64", "float" or "bool".
            shape: Its dimensions; one that varies is a name.
        """
        self._inputs.append(helper.make_tensor_value_info(name, _TYPES[kind], shape))
        return name

    def output(self, name: str, value: str, shape: Shape, kind: str = "float") -> None:
        """Gives a value out under a name.

        Args:
            name: What the graph's user calls it.
            value: The value.
            shape: Its dimensions; one that varies is a name.
            kind: "int64", "float" or "bool".
        """
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, _TYPES[kind], shape))

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """A node with one output.

        Args:
            operator: As in `split`, and so are all others.
            inputs: As in `split`.
            domain: As in `split`.
            attributes: As in `split`.
        """
        return self.split(operator, *inputs, outputs=1, domain=domain, **attributes)[0]

    def split(
        self, operator: str, *inputs: str, outputs: int, domain: str = "", **attributes: Any
    ) -> list[str]:
        """A node with several outputs, or one.

        Args:
            operator: The name of the operator.
            inputs: Values, in the order of the operator; "" leaves out one that may be.
            outputs: How many there are.
            domain: Where the operator is from; ONNX itself where not given.
            attributes: Those of the operator.
        """
        names = [self.name(operator) for _ in range(outputs)]
        self._nodes.append(
            helper.make_node(operator, list(inputs), names, domain=domain, **attributes)
        )
        return names

    def constant(self, values: Any, kind: Any = np.int64) -> str:
        """A small array of numbers."""
        array = np.asarray(values, kind)
        return self._initializer((array.tobytes(), array.shape, array.dtype), array)

    def weight(self, array: np.ndarray, key: object = None) -> str:
        """A weight; one of the same key is kept once."""
        return self._initializer(key if key is not None else object(), array)

    def linear(self, value: str, layer: nn.Linear, *, exact: bool = False) -> str:
        """A linear layer on the last dimension.

        Args:
            value: `[..., in]`.
            layer: The layer.
            exact: Whether it stays in float where others are int8.
        """
        return self.product(value, layer.weight, layer.bias, exact=exact)

    def product(
        self, value: str, weight: Tensor, bias: Tensor | None = None, *, exact: bool = False
    ) -> str:
        """`value @ weight.T + bias`, for a weight `[out, in]`.

        Args:
            value: `[..., in]`.
            weight: `[out, in]`.
            bias: `[out]`, or None.
            exact: Whether it stays in float where others are int8.
        """
        if self.int8 and not exact:
            q, scale = self._quantised(weight)
            turned = self.add("Transpose", q, perm=[1, 0])
            zeros = self.constant(np.full(weight.shape[0], ZERO_POINT), np.uint8)
            inputs = [value, turned, scale, zeros]
            if bias is not None:
                inputs.append(self.weight(as_array(bias), _key(bias)))
            return self.add("DynamicQuantizeMatMul", *inputs, domain=MICROSOFT)
        kept = self.weight(as_array(weight), _key(weight))
        total = self.add("MatMul", value, self.add("Transpose", kept, perm=[1, 0]))
        if bias is None:
            return total
        return self.add("Add", total, self.weight(as_array(bias), _key(bias)))

    def lookup(self, table: nn.Embedding, ids: str, *, exact: bool = False) -> str:
        """The rows of a table `[..., size]`.

        Args:
            table: The table.
            ids: As in `rows`.
            exact: As in `rows`.
        """
        return self.rows(table.weight, ids, exact=exact)

    def rows(self, weight: Tensor, ids: str, *, exact: bool = False) -> str:
        """Some rows of a weight `[..., size]`.

        Args:
            weight: `[rows, size]`, or `[rows]` where it stays in float.
            ids: Numbers of rows `[...]`.
            exact: Whether it stays in float where others are int8.
        """
        if not self.int8 or exact:
            kept = self.weight(as_array(weight), _key(weight))
            return self.add("Gather", kept, ids)
        q, scale = self._quantised(weight)
        rows = self.add("Cast", self.add("Gather", q, ids), to=TensorProto.FLOAT)
        rows = self.add("Sub", rows, self.constant(ZERO_POINT, np.float32))
        scales = self.add("Unsqueeze", self.add("Gather", scale, ids), self.constant([-1]))
        return self.add("Mul", rows, scales)

    def size(self, value: str, axis: int) -> str:
        """The length `[1]` of one dimension."""
        return self.add("Shape", value, start=axis, end=axis + 1)

    def reshape(self, value: str, *shape: int | str) -> str:
        """Reshapes; a dimension is a number (0 keeps it, -1 is the rest), or the name of a size."""
        dimensions = [self.constant([one]) if isinstance(one, int) else one for one in shape]
        return self.add("Reshape", value, self.add("Concat", *dimensions, axis=0))

    def range(self, size: str) -> str:
        """0, 1, … up to a size `[1]`."""
        stop = self.add("Squeeze", size, self.constant([0]))
        return self.add("Range", self.constant(0), stop, self.constant(1))

    def part(self, value: str, start: int, stop: int, axis: int) -> str:
        """From `start` to before `stop` of one dimension.

        Args:
            value: An array.
            start: The first place; below 0 counted from the end.
            stop: The place after the last, likewise; `ALL` goes to the end.
            axis: The dimension.
        """
        bounds = [self.constant([one]) for one in (start, stop, axis)]
        return self.add("Slice", value, *bounds)

    def inside(self, lengths: str, time: str, axes: Sequence[int] = ()) -> str:
        """Where there is no padding: a mask `[batch, time]`.

        Args:
            lengths: `[batch]`.
            time: The padded length `[1]`.
            axes: Places of further dimensions of 1 in the mask.
        """
        ends = self.add("Unsqueeze", lengths, self.constant([1]))
        mask = self.add("Less", self.range(time), ends)
        return self.add("Unsqueeze", mask, self.constant(list(axes))) if axes else mask

    def mean(self, states: str, lengths: str, before: str = "", read: str = "") -> str:
        """The mean `[batch, size]` over time of texts.

        Args:
            states: `[batch, time, size]`, zeros at padding.
            lengths: `[batch]`.
            before: Of what came before these tokens, `[batch, size]`; nothing if not given.
            read: How many tokens these were, `[batch]`.
        """
        total = self.add("ReduceSum", states, self.constant([1]), keepdims=0)
        if before:
            held = self.add("Mul", before, self._column(read))
            total = self.add("Add", total, held)
            lengths = self.add("Add", lengths, read)
        return self.add("Div", total, self._column(lengths))

    def _column(self, counts: str) -> str:
        """Counts `[batch]` as numbers `[batch, 1]`."""
        column = self.add("Unsqueeze", counts, self.constant([1]))
        return self.add("Cast", column, to=TensorProto.FLOAT)

    def scan(
        self, body: Graph, states: Sequence[str], steps: Sequence[str], backwards: Sequence[int]
    ) -> list[str]:
        """Runs a body over the first dimension of `steps`.

        Args:
            body: Its inputs are the states and one of each step; its outputs the states and what is
                collected.
            states: What the body begins with.
            steps: What it goes over.
            backwards: Of each of the steps, and then of what is collected, whether from the end.

        Returns:
            The states after all, and what was collected.
        """
        collected = len(body._outputs) - len(states)
        return self.split(
            "Scan",
            *states,
            *steps,
            outputs=len(body._outputs),
            body=body._finished("body"),
            num_scan_inputs=len(steps),
            scan_input_directions=backwards[: len(steps)],
            scan_output_directions=backwards[len(steps) : len(steps) + collected],
        )

    def choose(self, condition: str, yes: Graph, no: Graph) -> str:
        """The output of one of two graphs without inputs, which see the values of this one.

        Args:
            condition: Whether it is the first one, bool.
            yes: The one; made with this graph as `outer`, and has one output.
            no: The other, likewise.
        """
        branches = {"then_branch": yes._finished("then"), "else_branch": no._finished("else")}
        return self.add("If", condition, **branches)

    def model(self, name: str) -> ModelProto:
        """The graph as a file's content."""
        domains = [helper.make_opsetid("", OPSET), helper.make_opsetid(MICROSOFT, 1)]
        return helper.make_model(
            self._finished(name),
            producer_name="rnnlp",
            ir_version=IR_VERSION,
            opset_imports=domains[: 1 + self.int8],
        )

    def _finished(self, name: str) -> GraphProto:
        return helper.make_graph(
            self._nodes, name, self._inputs, self._outputs, list(self._weights.values())
        )

    def _quantised(self, weight: Tensor) -> tuple[str, str]:
        q, scale = quantised(as_array(weight))
        return self.weight(q, ("q", *_key(weight))), self.weight(scale, ("scale", *_key(weight)))

    def _initializer(self, key: object, array: np.ndarray) -> str:
        root = self._root
        if key not in root._kept:
            root._kept[key] = name = self.name("weight")
            root._weights[name] = numpy_helper.from_array(array, name)
        return root._kept[key]

    def name(self, kind: str) -> str:
        """A name that nothing else in the graph has."""
        self._root._count += 1
        return f"{kind}_{self._root._count}"


def quantised(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole numbers `[rows, columns]` and the scale `[rows]` of each row."""
    scale = np.abs(weight).max(1) / 127
    scale[scale == 0] = 1.0
    q = np.rint(weight / scale[:, None]) + ZERO_POINT
    return q.astype(np.uint8), scale.astype(np.float32)


def as_array(weight: Tensor) -> np.ndarray:
    """A weight as an array."""
    array: np.ndarray = weight.detach().float().numpy()
    return array


def _key(weight: Tensor) -> tuple[object, ...]:
    return (weight.data_ptr(), tuple(weight.shape))
