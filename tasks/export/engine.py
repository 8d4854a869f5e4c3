"""Runs the graphs of an exported folder with ONNX Runtime: arrays in, arrays out.

Imports numpy and onnxruntime, neither torch nor onnx. Everything about a folder is checked when it
is opened; what is asked of a graph later can then only fail for want of memory.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TokenBatch

from .check import check_graph
from .format import FORMAT, GRAPHS, INSTALL, OPSET

_IDS = frozenset(
    ("tokens", "lengths", "characters", "token_features", "labels", "positions", "source_lengths")
)


class State(NamedTuple):
    """What recurrent layers of one direction carry from one token to the next."""

    hidden: np.ndarray  # [layers, rows, hidden_size]
    cell: np.ndarray | None = None  # the same of the LSTM's second state

    def reorder(self, index: np.ndarray) -> State:
        """The state of the rows picked (and repeated) by `index`."""
        return State(self.hidden[:, index], None if self.cell is None else self.cell[:, index])

    def feeds(self) -> dict[str, np.ndarray]:
        """As inputs of a graph."""
        return {name: value for name, value in self._asdict().items() if value is not None}


class Session:
    """A graph.

    Args:
        file: Where it lies.
        checksum: Of the file.
        inputs: The inputs that it must have.
        outputs: The outputs that it must have.
        optional: Further inputs that it may have.

    Raises:
        InputError: The file is damaged or none of ours, or onnxruntime is not installed.
    """

    def __init__(
        self,
        file: Path,
        *,
        checksum: str,
        inputs: Collection[str],
        outputs: Collection[str],
        optional: Collection[str] = (),
    ) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise InputError(
                f"is an exported model, which onnxruntime runs: {INSTALL}, or pip install "
                "onnxruntime",
                path=str(file.parent),
            ) from error
        content = check_graph(file, checksum)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads := os.environ.get("OMP_NUM_THREADS", ""):
            options.intra_op_num_threads = int(threads) if threads.isdigit() else 0
        self.file = file
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has a class for each, without a base
            raise InputError(
                f"ONNX Runtime does not take it: {_short(error)}", path=str(file)
            ) from error
        self.inputs = {one.name: one for one in self._session.get_inputs()}
        self.outputs = {one.name: one for one in self._session.get_outputs()}
        for what, needed, names, more in (
            ("input", inputs, self.inputs, optional),
            ("output", outputs, self.outputs, self.outputs),
        ):
            if odd := sorted({*needed} - {*names} | {*names} - {*needed, *more}):
                raise InputError(
                    f"the {what} {odd[0]!r} is missing, or none of ours", path=str(file)
                )
        for one in self._session.get_inputs():
            kind = "tensor(int64)" if one.name in _IDS else "tensor(float)"
            if one.type != kind:
                raise InputError(
                    f"the input {one.name!r} is {one.type}, not {kind}", path=str(file)
                )

    def __call__(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs that are named.

        Raises:
            InputError: The graph does not fit what the folder says of it.
        """
        try:
            arrays: list[np.ndarray] = self._session.run(list(outputs), dict(feeds))
        except Exception as error:
            raise InputError(f"cannot be run: {_short(error)}", path=str(self.file)) from error
        return arrays

    def size(self, output: str, axis: int = -1) -> int:
        """A fixed dimension of an output."""
        size: int = self.outputs[output].shape[axis]
        return size

    def start(self, rows: int) -> State:
        """The state before the first token: zeros."""
        arrays = {}
        for name in State._fields:
            if name in self.inputs:
                layers, _, size = self.inputs[name].shape
                arrays[name] = np.zeros((layers, rows, size), np.float32)
        return State(**arrays)


class Graphs(NamedTuple):
    """What `config.json` of an exported folder says of its graphs."""

    path: Path
    checksums: dict[str, str]

    @classmethod
    def read(cls, path: Path, task: str, content: Mapping[str, Any]) -> Graphs:
        """Looks at what `config.json` has under `export`.

        Args:
            path: The folder.
            task: Its task.
            content: All of `config.json`.

        Raises:
            InputError: It is of a later version, or does not name the graphs of the task.
        """
        file = str(path / "config.json")
        export = content.get("export")
        if not isinstance(export, Mapping):
            raise InputError("says nothing of an exported model", path=file)
        version, opset = export.get("format"), export.get("opset")
        if version != FORMAT or opset != OPSET:
            raise InputError(
                f"is exported in format {version!r} with opset {opset!r}; this rnnlp reads format "
                f"{FORMAT} with opset {OPSET}: upgrade it, or export again",
                path=file,
            )
        checksums = export.get("graphs")
        names = GRAPHS.get(task, ())
        if not isinstance(checksums, Mapping) or sorted(checksums) != sorted(names):
            raise InputError(f"does not name the graphs of {task}: {', '.join(names)}", path=file)
        for name in names:
            if not (path / name).is_file():
                raise InputError(f"is not complete: no {name}", path=str(path))
        return cls(path, {str(name): str(value) for name, value in checksums.items()})

    def open(
        self,
        name: str,
        *,
        inputs: Collection[str],
        outputs: Collection[str],
        optional: Collection[str] = (),
    ) -> Session:
        """A graph by the name of its file."""
        return Session(
            self.path / name,
            checksum=self.checksums[name],
            inputs=inputs,
            outputs=outputs,
            optional=optional,
        )


_READ, _MORE = ("tokens", "lengths"), ("characters", "token_features", "hidden", "cell")
_TAGS = ("emissions", "transitions", "start_transitions", "end_transitions")
_CLASSES = ("logits", "probabilities")


class Reader:
    """Tagger, classifier or both: what a network says of a batch of texts.

    Args:
        graphs: Those of the folder.
        task: "tagging", "classification" or "joint".

    Attributes:
        stateful: Whether it can read a text as it arrives.
    """

    def __init__(self, graphs: Graphs, task: str) -> None:
        outputs = {"tagging": _TAGS, "classification": _CLASSES, "joint": _TAGS + _CLASSES}[task]
        self.session = graphs.open("model.onnx", inputs=_READ, optional=_MORE, outputs=outputs)
        self.stateful = "hidden" in self.session.inputs

    def __call__(
        self, batch: TokenBatch, *outputs: str, state: State | None = None
    ) -> list[np.ndarray]:
        """Outputs of the graph for a batch, by name.

        Args:
            batch: Ids.
            outputs: "emissions" [batch, time, tags], "logits" and "probabilities" [batch, classes],
                "attention" [batch, time], "states" [batch, time, size] (any values at padding),
                "last" [batch, size], "final_hidden", "final_cell".
            state: What a network of one direction goes on from; zeros if not given.
        """
        feeds = {
            name: value
            for name, value in batch._asdict().items()
            if value is not None and name in self.session.inputs
        }
        if self.stateful:
            feeds |= (state or self.session.start(len(batch.tokens))).feeds()
        return self.session(outputs, feeds)

    def path_scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores [tags, tags] of a tag after another, [tags] of the first and of the last one;
        `-inf` forbids.
        """
        one = np.ones((1, 1, 1), np.int64)
        features = self.session.inputs.get("token_features")
        told = np.ones((1, 1, features.shape[2] if features else 0), np.int64)
        steps, start, end = self(TokenBatch(one[0], one[0, 0], one, told), *_TAGS[1:])
        return steps, start, end


class LanguageModel:
    """A language model.

    Args:
        graphs: Those of the folder.
    """

    def __init__(self, graphs: Graphs) -> None:
        self.session = graphs.open(
            "model.onnx",
            inputs=(*_READ, "positions", "hidden"),
            optional=("cell", "labels", "token_features", "characters"),
            outputs=("log_probs", "final_hidden"),
        )

    def start(self, rows: int) -> State:
        """The state before the first token."""
        return self.session.start(rows)

    def read(
        self,
        tokens: np.ndarray,
        lengths: np.ndarray,
        state: State,
        labels: np.ndarray | None = None,
        positions: np.ndarray | None = None,
    ) -> tuple[np.ndarray, State]:
        """Reads on.

        Args:
            tokens: `[rows, time]`.
            lengths: `[rows]`, at least 1.
            state: The state before them.
            labels: `[rows, fields]` of models with labels.
            positions: Where what follows is to be scored: row * time + place in the row; none if
                not given.

        Returns:
            Log probabilities `[positions, vocabulary]` and the state after the last tokens.
        """
        feeds = {
            "tokens": tokens,
            "lengths": lengths,
            "positions": np.zeros(0, np.int64) if positions is None else positions,
            **state.feeds(),
        }
        if "labels" in self.session.inputs:
            assert labels is not None
            feeds["labels"] = labels
        names = ["log_probs", *(f"final_{name}" for name in state.feeds())]
        log_probs, *final = self.session(names, feeds)
        return log_probs, State(*final)

    def step(
        self, tokens: np.ndarray, state: State, labels: np.ndarray | None = None
    ) -> tuple[np.ndarray, State]:
        """Log probabilities of what follows `tokens` [rows], and the state after them."""
        rows = np.arange(len(tokens))
        return self.read(tokens[:, None], np.ones_like(tokens), state, labels, rows)


class DecoderState(NamedTuple):
    """What a translator carries on; the rows of a sentence lie side by side."""

    keys: np.ndarray  # [sentences, source, key_size]
    values: np.ndarray  # [sentences, source, value_size]
    source_lengths: np.ndarray  # [sentences]
    recurrent: State
    fed: np.ndarray | None  # [rows, size]; input feeding only

    def reorder(self, index: np.ndarray) -> DecoderState:
        """The state of the rows picked (and repeated) by `index`."""
        rows, sentences = self.recurrent.hidden.shape[1], len(self.keys)
        read = index // (rows // sentences)  # which sentence each of the new rows reads
        first = np.flatnonzero(np.diff(read, prepend=-1))
        counts = np.diff(first, append=len(read))
        picked = read[first] if counts.min() == counts.max() else read  # shared in equal parts
        memory = self[:3]
        if not np.array_equal(picked, np.arange(sentences)):
            memory = tuple(part[picked] for part in memory)
        fed = None if self.fed is None else self.fed[index]
        return DecoderState(*memory, self.recurrent.reorder(index), fed)


class Translator:
    """A translator: its encoder, and one step of its decoder.

    Args:
        graphs: Those of the folder.
    """

    def __init__(self, graphs: Graphs) -> None:
        self.encoder = graphs.open(
            "encoder.onnx",
            inputs=_READ,
            optional=_MORE[:2],
            outputs=("keys", "values", "hidden"),
        )
        self.decoder = graphs.open(
            "decoder.onnx",
            inputs=("tokens", "keys", "values", "source_lengths", "hidden"),
            optional=("cell", "fed"),
            outputs=("log_probs", "attention", "final_hidden"),
        )

    def encode(self, batch: TokenBatch) -> DecoderState:
        """The state before the first target token."""
        feeds = {name: value for name, value in batch._asdict().items() if value is not None}
        names = [name for name in State._fields if name in self.decoder.inputs]
        keys, values, *state = self.encoder(["keys", "values", *names], feeds)
        fed = None
        if "fed" in self.decoder.inputs:
            fed = np.zeros((len(keys), self.decoder.inputs["fed"].shape[1]), np.float32)
        return DecoderState(keys, values, batch.lengths, State(*state), fed)

    def step(
        self, tokens: np.ndarray, state: DecoderState
    ) -> tuple[np.ndarray, np.ndarray, DecoderState]:
        """Log probabilities of what follows `tokens` [rows], attention [rows, source], and the new
        state.
        """
        feeds = {
            "tokens": tokens,
            **dict(zip(DecoderState._fields[:3], state[:3], strict=True)),
            **state.recurrent.feeds(),
        }
        if state.fed is not None:
            feeds["fed"] = state.fed
        carried = [name for name in ("hidden", "cell", "fed") if name in self.decoder.inputs]
        names = ["log_probs", "attention", *(f"final_{name}" for name in carried)]
        log_probs, attention, *new = self.decoder(names, feeds)
        fed = new.pop() if state.fed is not None else None
        return log_probs, attention, state._replace(recurrent=State(*new), fed=fed)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
