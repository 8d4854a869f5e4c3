"""Runs the graphs of an exported folder with ONNX Runtime: arrays in, arrays out.

Imports numpy and onnxruntime, neither torch nor onnx. Everything about a folder is checked when it
is opened; what is asked of a graph later can then only fail for want of memory.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TokenBatch
from rnnlp.tasks.model_folder.files import check_files
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder

from .check import check_graph
from .cores import cores
from .format import CARRIED, FORMAT, GRAPHS, INSTALL, MAXIMA, MORE, OPSET

_IDS = {  # dimensions of inputs that are ids or counts
    "tokens": (1, 2), "lengths": (1,), "characters": (3,), "token_features": (3,), "labels": (2,),
    "positions": (1,), "source_lengths": (1,), "copies": (2,), "read": (1,), "ngrams": (2,),
    "candidates": (2,),
}  # fmt: skip
_VALUES = {  # and of the others
    **CARRIED, "keys": 3, "values": 3, "vectors": 2, "condition": 2, "candidate_weights": 3,
    "candidate_bias": 3,
}  # fmt: skip
_WIDEST = 1 << 24  # numbers in the state of a text
_ROWS = ("batch", "rows")  # names of the dimension of texts
_SHARE = 256  # positions that are worth a further core, whose thread takes a while to wake


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
        threads: Cores that it is computed on; OMP_NUM_THREADS if not given, or all.
        by_rows: Whether each core takes some of the texts, all of whose inputs and outputs say
            which dimension is theirs. Else cores share each product, which hinders where products
            are small: one text takes up to half as long again on two as on one.

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
        threads: int | None = None,
        by_rows: bool = False,
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
        # Idle threads sleep, as those of OpenMP do: see rnnlp/__init__.py.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        named = os.environ.get("OMP_NUM_THREADS", "")
        self.cores = threads or (int(named) if named.isdigit() else 0) or cores()
        self.by_rows = by_rows
        options.intra_op_num_threads = 1 if by_rows else self.cores
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
        for name, one in self.inputs.items():
            kind = "tensor(int64)" if name in _IDS else "tensor(float)"
            ranks = _IDS[name] if name in _IDS else (_VALUES[name],)
            fits = one.type == kind and len(one.shape) in ranks
            if name in CARRIED and fits:
                sizes = [size for size in one.shape if size not in _ROWS]
                widest = all(type(size) is int and 0 < size <= _WIDEST for size in sizes)
                fits = len(sizes) + 1 == len(one.shape) and widest and math.prod(sizes) <= _WIDEST
                fits = fits and f"final_{name}" in self.outputs
            if not fits:
                raise InputError(f"the input {name!r} is none of ours", path=str(file))
        for name, one in (self.inputs | self.outputs).items() if by_rows else ():
            if name not in _PATHS and not {*one.shape} & {*_ROWS}:
                raise InputError(f"{name!r} does not say where its texts are", path=str(file))
        self.carried = [name for name in CARRIED if name in self.inputs]

    def __call__(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """The outputs that are named.

        Raises:
            InputError: The graph does not fit what the folder says of it.
        """
        rows, time = feeds["tokens"].shape if self.by_rows else (1, 1)
        shares = min(self.cores, rows, rows * time // _SHARE)
        if shares < 2:
            return self._run(outputs, feeds)
        ends = [rows * share // shares for share in range(1, shares)]
        splits = {
            name: np.split(value, ends, _rows(self.inputs[name].shape))
            for name, value in feeds.items()
        }
        parts = [{name: split[share] for name, split in splits.items()} for share in range(shares)]
        others = _others(os.getpid(), self.cores - 1)
        jobs = [others.submit(self._run, outputs, part) for part in parts[1:]]
        done = [self._run(outputs, parts[0]), *(job.result() for job in jobs)]
        return [
            np.concatenate(values, _rows(self.outputs[name].shape))
            for name, values in zip(outputs, zip(*done, strict=True), strict=True)
        ]

    def _run(self, outputs: Sequence[str], feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        try:
            arrays: list[np.ndarray] = self._session.run(list(outputs), dict(feeds))
        except Exception as error:
            raise InputError(f"cannot be run: {_short(error)}", path=str(self.file)) from error
        return arrays

    def size(self, output: str, axis: int = -1) -> int:
        """A fixed dimension of an output."""
        size: int = self.outputs[output].shape[axis]
        return size

    def start(self, rows: int) -> dict[str, np.ndarray]:
        """What is carried on, before the first token."""
        state = {}
        for name in self.carried:
            shape = [rows if size in _ROWS else size for size in self.inputs[name].shape]
            kind = np.int64 if name in _IDS else np.float32
            state[name] = np.full(shape, -np.inf if name in MAXIMA else 0, kind)
        return state


class Graphs(NamedTuple):
    """What `config.json` of an exported folder says of its graphs."""

    path: Path
    checksums: dict[str, str]
    threads: int | None = None

    @classmethod
    def of(cls, folder: ModelFolder) -> Graphs:
        """Those of a folder.

        Raises:
            InputError: It is of a later version, or does not name the graphs of its task.
        """
        export, file = folder.export or {}, str(folder.path / CONFIG)
        version, opset = export.get("format"), export.get("opset")
        if version != FORMAT or opset != OPSET:
            raise InputError(
                f"is exported in format {version!r} with opset {opset!r}; this rnnlp reads format "
                f"{FORMAT} with opset {OPSET}: upgrade it, or export again",
                path=file,
            )
        checksums, names = export.get("graphs"), GRAPHS.get(folder.task, ())
        if isinstance(checksums, Mapping):
            names += tuple(name for name in MORE.get(folder.task, ()) if name in checksums)
        if not isinstance(checksums, Mapping) or sorted(checksums) != sorted(names):
            raise InputError(
                f"does not name the graphs of {folder.task}: {', '.join(names)}", path=file
            )
        check_files(folder.path, names)
        for name in names:
            if not (folder.path / name).is_file():
                raise InputError(f"is not complete: no {name}", path=str(folder.path))
        sums = {str(name): str(value) for name, value in checksums.items()}
        return cls(folder.path, sums, folder.threads)

    def open(
        self,
        name: str,
        *,
        inputs: Collection[str],
        outputs: Collection[str],
        optional: Collection[str] = (),
        by_rows: bool = False,
    ) -> Session:
        """A graph by the name of its file.

        Args:
            name: The file in the folder.
            inputs: The inputs that it must have.
            outputs: The outputs that it must have.
            optional: Further inputs that it may have.
            by_rows: Whether each core takes some of the texts.
        """
        return Session(
            self.path / name,
            checksum=self.checksums[name],
            inputs=inputs,
            outputs=outputs,
            optional=optional,
            threads=self.threads,
            by_rows=by_rows,
        )


_READ, _SPELLED = ("tokens", "lengths"), ("characters", "token_features")  # inputs
_PATHS = ("transitions", "start_transitions", "end_transitions")  # the same for all texts
_CLASSES = ("logits", "probabilities")
_OUTPUTS = {
    "tagging": ("emissions", *_PATHS),
    "classification": _CLASSES,
    "joint": ("emissions", *_PATHS, *_CLASSES),
    "generation": ("log_probs", "final_hidden"),
    "translation": ("keys", "values", "hidden"),
}
_MORE = {"generation": ("positions", "hidden")}  # inputs
_PERHAPS = {"generation": ("labels", "condition")}


class Reader:
    """What reads texts: what a network says of a batch of them.

    Args:
        graphs: Those of the folder.
        task: Its task.
        file: The graph that reads.
    """

    def __init__(self, graphs: Graphs, task: str, *, file: str = "model.onnx") -> None:
        self.session = graphs.open(
            file,
            inputs=(*_READ, *_MORE.get(task, ())),
            optional=(*_SPELLED, *CARRIED, *_PERHAPS.get(task, ())),
            outputs=_OUTPUTS[task],
            by_rows=task not in _MORE,
        )

    def __call__(self, batch: TokenBatch, *outputs: str) -> list[np.ndarray]:
        """Outputs of the graph for a batch, by name.

        Args:
            batch: Ids.
            outputs: "emissions" [batch, time, tags], "logits" and "probabilities" [batch, classes],
                "attention" [batch, time], "states" [batch, time, size] (any values at padding),
                "last" [batch, size].
        """
        return self.session(outputs, self._feeds(batch) | self.session.start(len(batch.tokens)))

    def read(
        self, batch: TokenBatch, *outputs: str, so_far: Mapping[str, np.ndarray] | None
    ) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
        """Outputs for the next tokens of texts that go on, none of them padding.

        Args:
            batch: Ids.
            outputs: As in calling.
            so_far: What this gave for the tokens before; None where texts begin.

        Returns:
            The outputs, and what to pass on.
        """
        names = [f"final_{name}" for name in self.session.carried]
        before = so_far or self.session.start(len(batch.tokens))
        values = self.session([*outputs, *names], {**self._feeds(batch), **before})
        after = dict(zip(self.session.carried, values[len(outputs) :], strict=True))
        return values[: len(outputs)], after

    def _feeds(self, batch: TokenBatch) -> dict[str, np.ndarray]:
        return {
            name: value
            for name, value in batch._asdict().items()
            if value is not None and name in self.session.inputs
        }

    def states(self, batch: TokenBatch) -> list[np.ndarray]:
        """States [batch, time, size] of texts, any values at padding, and the last ones of each
        direction [batch, size]; of generators without labels and vectors.
        """
        feeds = self._feeds(batch) | self.session.start(len(batch.tokens))
        for name in {"positions", "labels", "condition"} & {*self.session.inputs}:
            ids = name != "condition"
            rows = 0 if name == "positions" else len(batch.tokens)
            shape = (rows, *self.session.inputs[name].shape[1:])
            feeds[name] = np.zeros(shape, np.int64 if ids else np.float32)
        return self.session(["states", "last"], feeds)

    def path_scores(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Scores [tags, tags] of a tag after another, [tags] of the first and of the last one;
        `-inf` forbids.
        """
        one = np.ones((1, 1, 1), np.int64)
        features = self.session.inputs.get("token_features")
        told = np.ones((1, 1, features.shape[2] if features else 0), np.int64)
        steps, start, end = self(TokenBatch(one[0], one[0, 0], one, told), *_PATHS)
        return steps, start, end


@cache
def _others(process: int, count: int) -> ThreadPoolExecutor:
    """The threads of all cores but the first, of a process: a fork has none of its parent's."""
    return ThreadPoolExecutor(count)


def _rows(shape: Sequence[int | str]) -> int:
    """Which dimension is that of the texts."""
    return next(axis for axis, size in enumerate(shape) if size in _ROWS)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
