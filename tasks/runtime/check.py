"""Looks at the graphs of a folder that may come from a stranger, before ONNX Runtime does.

A file of ONNX is a tree of numbered fields (protocol buffers); few of them matter here, so they are
read without the package onnx. A graph must be made of our operators alone, hold its weights in its
own file, and all of them must be numbers.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from rnnlp.data.errors import InputError

from .format import OPERATORS

_MODEL_GRAPH, _MODEL_FUNCTIONS, _MODEL_TRAINING = 7, 25, 20
_GRAPH_NODE, _GRAPH_WEIGHT, _GRAPH_SPARSE = 1, 5, 15
_NODE_OPERATOR, _NODE_DOMAIN, _NODE_ATTRIBUTE = 4, 7, 5
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH = 5, 6
_TENSOR_TYPE, _TENSOR_FLOATS, _TENSOR_BYTES, _TENSOR_OUTSIDE = 2, 4, 9, (13, 14)
_FLOAT = 1
_DEEPEST = 3  # graphs within graphs: loops have none inside


def check_graph(file: Path, checksum: str) -> bytes:
    """The content of a graph's file.

    Args:
        file: Where it lies.
        checksum: What `checksum_of` gave of it when it was written.

    Raises:
        InputError: It is damaged, or holds what our graphs do not.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror}", path=str(file)) from error
    if checksum_of(content) != checksum:
        raise InputError(
            "is damaged, or of another folder: get the folder again as a whole, or export again",
            path=str(file),
        )
    try:
        _check_model(memoryview(content))
    except (ValueError, IndexError) as error:
        raise InputError(f"is no graph of rnnlp: {error}", path=str(file)) from error
    return content


def checksum_of(content: bytes) -> str:
    """Identifies the bits of a file."""
    return f"{zlib.crc32(content):08x}"


def _check_model(data: memoryview) -> None:
    graphs = 0
    for field, value in _fields(data):
        if field in (_MODEL_FUNCTIONS, _MODEL_TRAINING):
            raise ValueError("it has functions of its own")
        if field == _MODEL_GRAPH:
            graphs += 1
            _check_nodes(_bytes(value), 0)
    if graphs != 1:
        raise ValueError("it holds no network")


def _check_nodes(data: memoryview, depth: int) -> None:
    if depth > _DEEPEST:
        raise ValueError("loops within loops")
    for field, value in _fields(data):
        if field == _GRAPH_SPARSE:
            raise ValueError("it has sparse weights")
        if field == _GRAPH_WEIGHT:
            _check_weight(_bytes(value))
        if field != _GRAPH_NODE:
            continue
        operator, domain = "", ""
        for inner, part in _fields(_bytes(value)):
            if inner == _NODE_OPERATOR:
                operator = str(_bytes(part), "utf-8")
            elif inner == _NODE_DOMAIN:
                domain = str(_bytes(part), "utf-8")
            elif inner == _NODE_ATTRIBUTE:
                for kind, body in _fields(_bytes(part)):
                    if kind == _ATTRIBUTE_GRAPH:
                        _check_nodes(_bytes(body), depth + 1)
                    elif kind == _ATTRIBUTE_TENSOR:
                        _check_weight(_bytes(body))
        if operator not in OPERATORS.get(domain, ()):
            raise ValueError(f"the operator {operator!r} is none of ours")


def _check_weight(data: memoryview) -> None:
    kind, values = 0, memoryview(b"")
    for field, value in _fields(data):
        if field in _TENSOR_OUTSIDE:
            raise ValueError("its weights lie in another file")
        if field == _TENSOR_TYPE and isinstance(value, int):
            kind = value
        if field in (_TENSOR_FLOATS, _TENSOR_BYTES):
            values = _bytes(value)
    if kind == _FLOAT and len(values):
        numbers = np.frombuffer(values, "<f4")
        if np.isnan(numbers).any() or (numbers == np.inf).any():  # -inf forbids
            raise ValueError("a weight holds numbers that are none (NaN or infinity)")


def _bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a field is of another type")
    return value


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """The numbers of the fields of a message and their values."""
    at = 0
    while at < len(data):
        key, at = _number(data, at)
        kind = key & 7
        if kind == 0:
            value, at = _number(data, at)
            yield key >> 3, value
            continue
        if kind == 2:
            size, at = _number(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError("a field of no known type")
        if at + size > len(data):
            raise ValueError("it is cut off")
        yield key >> 3, data[at : at + size]
        at += size


def _number(data: memoryview, at: int) -> tuple[int, int]:
    """A number in groups of seven bits, the lowest first."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number without an end")
