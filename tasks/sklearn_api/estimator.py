"""What the estimators for scikit-learn share: parameters, training, pickling, the model folder.

An estimator trains as `rnnlp.fit` does, on what it is handed instead of a file; it adds no way of
training and no setting. Whoever wants checkpoints, logs and `--resume` takes `rnnlp.fit`.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from inspect import signature
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from rnnlp.data.errors import InputError
from rnnlp.data.formats.weights import WEIGHT
from rnnlp.tasks.fit.checkpoints import random_state, set_random_state
from rnnlp.tasks.fit.config_files import find_configs, find_task
from rnnlp.tasks.fit.run import fit
from rnnlp.tasks.inference.load import load
from rnnlp.tasks.model_folder.folder import (
    CARD,
    PUBLISHED,
    holds_model,
    new_content,
    open_folder,
    published_files,
)

Self = TypeVar("Self", bound="Estimator")
Config = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
_SEEDS = 2**31 - 1


class Estimator(BaseEstimator):
    """A model that is trained from Python objects.

    Args:
        config: The name of a shipped config, or a YAML file; of several, later ones win.
        random_state: Seed of weights, batches and the validation share; None for the config's own.
        verbose: Whether to print what `rnnlp fit` prints. Its notes on the data are in the model
            card (`README.md`) of the folder that `save` writes, in any case.
        settings: Keys of the config with `__` in place of the dots, such as
            `model__encoder__cell="lstm"`: parameters like any other for `GridSearchCV`.

    Attributes:
        pipeline_: The trained model, as `rnnlp.load` gives it.
    """

    _task: ClassVar[str]
    _reading: ClassVar[Mapping[str, Any]]  # settings with which our own file is read

    def __init__(
        self,
        config: Config,
        *,
        random_state: int | np.random.RandomState | None = None,
        verbose: bool = False,
        **settings: Any,
    ) -> None:
        self.config = config
        self.random_state = random_state
        self.verbose = verbose
        self.__dict__.update(settings)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Parameters by name: those of the signature, and the settings that were given."""
        return {
            name: value
            for name, value in vars(self).items()
            if not name.startswith("_") and not name.endswith("_")  # what `fit` has learned
        }

    def set_params(self: Self, **params: Any) -> Self:
        """Sets parameters and settings; whether a setting exists is seen by `fit`."""
        self.__dict__.update(params)
        return self

    def save(self, folder: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Writes a model folder, which `rnnlp.load` and every verb read.

        Args:
            folder: Where; made if there is none.
            overwrite: Whether a model that lies there already is replaced.

        Raises:
            NotFittedError: Nothing was trained.
            InputError: A model lies there.
        """
        check_is_fitted(self, "pipeline_")
        target = Path(folder)
        if holds_model(target) and not overwrite:
            raise InputError("holds a model already: overwrite=True replaces it", path=target)
        target.mkdir(parents=True, exist_ok=True)
        with new_content(target, replaces=PUBLISHED) as new:
            _write(self._files, new)

    @classmethod
    def from_folder(cls: type[Self], folder: str | os.PathLike[str], **params: Any) -> Self:
        """An estimator that is fitted already, from a model folder or a hub id.

        Its labels are text, as they stand in the folder.

        Args:
            folder: The model.
            params: Parameters of the estimator, for a later `fit`.

        Raises:
            InputError: There is no such model, or it is for another task.
        """
        path = open_folder(folder).path
        estimator = cls(**params)
        estimator._keep(path, load(path))
        estimator._take_labels(estimator.pipeline_.settings)
        return estimator

    @abstractmethod
    def _take_labels(self, settings: Any) -> None:
        """Sets what `fit` learns of the labels, from the settings of a trained model."""

    def _keep(self, folder: Path, pipeline: Any) -> None:
        """Takes a trained model over, and the files that a pickle carries."""
        if pipeline.task != self._task:
            raise InputError(f"is for {pipeline.task}, not for {self._task}", path=folder)
        self._files = {file.name: file.read_bytes() for file in published_files(folder)}
        self.pipeline_ = pipeline

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return {name: value for name, value in state.items() if name != "pipeline_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        if "_files" in state:
            with tempfile.TemporaryDirectory(prefix="rnnlp-") as folder:
                _write(self._files, Path(folder))
                self.pipeline_ = load(folder)

    def _train(
        self, examples: list[dict[str, Any]], weights: Any, decided: Mapping[str, Any]
    ) -> None:
        """Trains on examples.

        Args:
            examples: As JSON lines have them.
            weights: How much each counts, or None.
            decided: Settings that the examples decide where the user does not.

        Raises:
            InputError: The settings or the examples are wrong.
        """
        if weights is not None:
            weights = column_or_1d(weights).tolist()
            check_consistent_length(examples, weights)
            examples = [
                {**example, WEIGHT: weight}
                for example, weight in zip(examples, weights, strict=True)
            ]
        settings = self.get_params(deep=False)
        config, seed = settings.pop("config"), settings.pop("random_state")
        verbose = settings.pop("verbose")
        settings = {name.replace("__", "."): value for name, value in settings.items()}
        names = [config] if isinstance(config, str | os.PathLike) else list(config)
        if (task := find_task(find_configs([os.fspath(name) for name in names]))) != self._task:
            raise InputError(f"config {config!r} is for {task}, {type(self).__name__} for others")
        with as_file(examples) as train, ExitStack() as held:
            own = {
                "data.train": train,
                "data.weight_column": WEIGHT,
                "data.folds": None,
                "data.fold": None,
            }
            if taken := settings.keys() & (own.keys() | signature(fit).parameters.keys()):
                raise InputError(
                    f"{', '.join(sorted(taken))}: not for an estimator, which trains one model on "
                    "what it is handed (save writes it); rnnlp.fit has that"
                )
            if plain := [key for key in settings if "." not in key and key != "seed_everything"]:
                raise InputError(
                    f"there is no setting {plain[0]}: a key of the config has __ for each dot, "
                    "such as trainer__max_epochs or model__encoder__hidden_size"
                )
            if seed is not None:
                if not isinstance(seed, int | np.integer):
                    seed = check_random_state(seed).randint(_SEEDS)
                own |= {"seed_everything": seed, "data.seed": seed}
            if not verbose:
                held.enter_context(redirect_stdout(StringIO()))
                held.enter_context(redirect_stderr(StringIO()))
            held.callback(set_random_state, random_state())  # those of the user's process
            output = train.parent / "model"
            options = {**self._reading, **decided, **own, **settings}
            self._keep(output, fit(names, output=output, **options))
            card = in_words(self._files[CARD].decode(), train).replace(str(output), "FOLDER")
            self._files[CARD] = card.encode()


@contextmanager
def as_file(examples: Iterable[Mapping[str, Any]]) -> Iterator[Path]:
    """A file with examples as JSON lines, alone in a folder that is gone in the end.

    Raises:
        InputError: One that what is done with the file raises, with the example for the line.
    """
    with tempfile.TemporaryDirectory(prefix="rnnlp-") as folder:
        path = Path(folder, "examples.jsonl")
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(example) + "\n" for example in examples)
        try:
            yield path
        except InputError as error:
            raise InputError(in_words(str(error), path)) from error


def in_words(text: str, path: Path) -> str:
    """A text about the file of `as_file`, which nobody sees, in words of what was handed in."""
    return re.sub(
        rf"{re.escape(str(path))}(?::(\d+))?",
        lambda place: f"X[{int(place[1]) - 1}]" if place[1] else "X and y",
        text,
    )


def _write(files: Mapping[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        (folder / name).write_bytes(content)
