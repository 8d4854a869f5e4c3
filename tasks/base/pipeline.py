"""What the pipelines of all tasks share: which texts they take, how many at once, and `save`.

A pipeline knows text and labels, and works on numpy arrays. What it asks about them it asks of an
engine, which holds the network: `torch_engine.py` of the task's room. Nothing here imports torch.
"""

from __future__ import annotations

import copy
import sys
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from numbers import Real
from operator import attrgetter
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.featurizer import FeatureRow, Featurizer, collate
from rnnlp.tasks.model_folder.folder import WITHOUT_TORCH, holds_model, save_folder
from rnnlp.tasks.model_folder.versions import rnnlp_version

from .gates import Gates, sided

CHUNK = 1024  # texts that are in memory at once
SHORT = 1000  # characters of a text that is computed on one core: others would wait for each other

CARD = """\
---
library_name: rnnlp
tags:
- rnnlp
- {task}
---

A model for {task}, saved from Python by rnnlp {version}: `rnnlp.load` reads it.
"""


class Pipeline(ABC):
    """A trained model in use.

    Args:
        engine: Answers for the network.
        featurizer: Splits texts and looks up what the network reads.
        settings: What the network was built from, and the names of its labels; has `to_json`.

    Attributes:
        task: Name of its task.
        writes: Whether each answer hangs on random numbers of its own.
        alike: The settings that models must have in common to answer as an ensemble.
        members: How many models answer together.
        origin: The function and the arguments that load it again; None where it was not loaded.
        threads: Cores that torch computes with; None for as many as it takes.
    """

    task: ClassVar[str]
    writes: ClassVar[bool] = False
    alike: ClassVar[tuple[str, ...]] = ()
    members = 1
    origin: tuple[Any, ...] | None = None
    threads: int | None = None

    def __init__(self, *, engine: Any, featurizer: Featurizer, settings: Any) -> None:
        self.engine = engine
        self.featurizer = featurizer
        self.settings = settings

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by reference: another process reads the folder, and gets what lies there.

        Raises:
            InputError: It was not loaded from one, and may lie nowhere as it is.
        """
        if self.origin is None:
            raise InputError(
                "only a model that rnnlp.load gave is sent to another process: save this one and "
                "load it"
            )
        return self.origin

    def __copy__(self) -> Pipeline:
        new = object.__new__(type(self))
        new.__dict__.update(self.__dict__, origin=None)
        return new

    def __deepcopy__(self, memo: dict[int, Any]) -> Pipeline:
        new = copy.copy(self)
        memo[id(self)] = new
        new.__dict__.update(copy.deepcopy(new.__dict__, memo))
        return new

    @property
    def network(self) -> Any:
        """The network, an `nn.Module`, of a model on torch.

        Raises:
            InputError: It is an exported one, or an ensemble.
        """
        self.check_alone()
        if self.exported:
            raise InputError(f"this is {WITHOUT_TORCH}")
        return self.engine.network

    @property
    def exported(self) -> bool:
        """Whether it runs without torch."""
        return not hasattr(self.engine, "network")

    @property
    def layout(self) -> Layout:
        """How its training file was laid out, as far as that is known."""
        return getattr(self.settings, "layout", None) or Layout()

    def check_reads_texts(self, path: str, *, what: str) -> None:
        """Refuses a model that reads columns beside the text, where there are none.

        Args:
            path: Where it lies.
            what: What has only texts.

        Raises:
            InputError: It reads some.
        """
        if columns := getattr(self.settings, "columns", None):
            names = ", ".join(column.name for column in columns)
            raise InputError(
                f"reads {names} beside the text, and {what} has texts alone: take a model without "
                "data.feature_columns",
                path=path,
            )

    def check_alone(self) -> None:
        """Refuses an ensemble.

        Raises:
            InputError: It is one.
        """
        if self.members > 1:
            raise InputError(
                f"an ensemble of {self.members} models answers, and does nothing else: take one of "
                "them to stream, save or export"
            )

    def ensemble(self, others: Sequence[Pipeline]) -> Pipeline:
        """This model and others as one, which answers by the mean of what they say.

        Args:
            others: Models of the same task, labels and vocabularies.

        Raises:
            InputError: They are not alike in these, or are exported, or none of their task may be.
        """
        every = [self, *others]
        tasks = sorted({each.task for each in every})
        if len(tasks) > 1 or not self.alike:
            raise InputError(
                f"models for {' and '.join(tasks)} cannot answer together: an ensemble is of "
                "taggers, of classifiers or of translators"
            )
        for each in every:
            if each.exported:
                raise InputError(
                    "is an exported model, which answers alone: name the model folder that it was "
                    "exported from",
                    path=each.origin[1][0] if each.origin else None,
                )
        vocabularies = self._vocabularies()
        for other in others:
            for name in self.alike:
                own, its = (attrgetter(name)(each.settings) for each in (self, other))
                if own != its:
                    raise InputError(
                        f"models that answer together have the same {name}; these have "
                        f"{own!r:.80} and {its!r:.80}"
                    )
            if other._vocabularies() != vocabularies:
                raise InputError(
                    "models that answer together have the same vocabularies: train the others with "
                    "--data.tokenizer_from and the folder of the first"
                )
        together = copy.copy(self)
        together.engine = type(self.engine)(self._mean([each.network for each in every]))
        together.settings = self._agreed([each.settings for each in every])
        together.members = len(every)
        return together

    def _mean(self, networks: list[Any]) -> Any:
        """The ensemble of networks."""
        raise NotImplementedError

    def _agreed(self, settings: list[Any]) -> Any:
        """The settings of the ensemble of models with these: of what is not `alike` nor agreed on,
        as how texts are searched for or files laid out, the first's.
        """
        return settings[0]

    def _vocabularies(self) -> dict[str, bytes]:
        """What `save_tokenizers` writes."""
        with tempfile.TemporaryDirectory() as folder:
            self.save_tokenizers(Path(folder))
            return {file.name: file.read_bytes() for file in Path(folder).iterdir()}

    def answers_to(self, columns: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
        """What the model says of stored examples; nothing where no answer can be right.

        Args:
            columns: As the data module of the task stores them.
        """
        return []

    @abstractmethod
    def answers(self, texts: list[str], **options: Any) -> list[dict[str, Any]]:
        """What the model says of some texts, in their order."""

    def answer(self, texts: str | Iterable[str], **options: Any) -> Any:
        """A dictionary for one text, a list of them for several: what calling a pipeline gives.

        Args:
            texts: One text, or any iterable of them: a list, a generator, a column of a table.
            options: Those of the task.

        Raises:
            InputError: Something among the texts is none; its position is named.
        """
        if isinstance(texts, str):
            (answer,) = self._on_threads([str(texts)], options)
            return answer
        return list(self.predict(texts, **options))

    def predict(self, texts: str | Iterable[str], **options: Any) -> Iterator[dict[str, Any]]:
        """The answers to any number of texts, one by one: neither they nor the texts need to fit
        into memory. See calling the pipeline for options and answers; a string is one text.
        """
        source = each_text(texts)
        while some := list(islice(source, CHUNK)):
            yield from self._on_threads(some, options)

    def _on_threads(self, texts: list[str], options: Mapping[str, Any]) -> list[dict[str, Any]]:
        """`answers`, on as many cores as are wanted."""
        least = options.get("min_score")
        if least is not None and (not isinstance(least, Real) or not 0.0 <= float(least) <= 1.0):
            raise InputError(f"min_score is {least!r:.60}: give a probability, from 0 to 1")
        alone = len(texts) == 1 and len(texts[0]) <= SHORT
        with torch_threads(1 if alone else self.threads):
            return self.answers(texts, **options)

    def gates(self, text: str, *, layer: int | None = None, direction: str = "forward") -> Gates:
        """The values of every gate of the encoder at every token of a text; see `Gates`.

        Args:
            text: A text; of translators the source, of generators a prompt.
            layer: Which layer, from 1, the one that reads the tokens; None for the last.
            direction: "forward", or "backward": what reads from right to left.

        Raises:
            InputError: There is no such layer or direction, no token in the text, or the model has
                no recurrent layers or is an exported one.
        """
        import torch

        from rnnlp.data.datamodule.tensors import as_tensors
        from rnnlp.models.encoders.gates import gate_values

        network = self.network
        encoder: Any = getattr(network, "encoder", None)
        recurrent: Any = getattr(encoder, "encoder", encoder)  # what stands within windows
        if not hasattr(recurrent, "kind"):
            raise InputError("the model has no recurrent layers, hence no gates to show")
        place, title = sided(recurrent, layer, direction)
        row, tokens = self.reads(text)
        if not row.tokens:
            raise InputError("there is no token in the text: give one with words")
        ids = as_tensors(collate([row])).to(next(network.parameters()).device)
        with torch.inference_mode():
            embedded = network.embedding(ids.tokens, ids.characters, ids.token_features)[0]
        values = gate_values(encoder, embedded)[place]
        return Gates(
            tokens=tokens,
            values={name: value.cpu().numpy() for name, value in values.items()},
            title=title,
            equations=recurrent.kind.equations,
        )

    def reads(self, text: str) -> tuple[FeatureRow, list[str]]:
        """What the encoder reads of a text: its ids, and the tokens as they are written."""
        row, offsets = self.featurizer.encode(text)
        return row, [text[start:end] for start, end in offsets]

    def save(self, folder: str | PathLike[str], *, overwrite: bool = False) -> None:
        """Writes a model folder, which `rnnlp.load` and every verb read.

        Args:
            folder: Where; made if there is none.
            overwrite: Whether a model that lies there already is replaced.

        Raises:
            InputError: A model lies there, or this one is an exported one.
        """
        target = Path(folder)
        if holds_model(target) and not overwrite:
            raise InputError("holds a model already: overwrite=True replaces it", path=str(target))
        save_folder(
            target,
            task=self.task,
            model=self.settings.to_json(),
            weights=self.network.state_dict(),
            save_tokenizers=self.save_tokenizers,
            card=CARD.format(task=self.task, version=rnnlp_version()),
        )

    def save_tokenizers(self, folder: Path) -> None:
        """Writes the vocabularies."""
        self.featurizer.save(folder)


@contextmanager
def torch_threads(count: int | None) -> Iterator[None]:
    """Lets torch compute on so many cores meanwhile, if it is loaded; None leaves it as it is."""
    torch = sys.modules.get("torch")
    before = torch.get_num_threads() if torch and count else count
    if torch is None or before == count:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def check_tokens(sentences: Iterable[Any]) -> None:
    """Refuses texts where tokens are wanted: a string would be read letter by letter.

    Raises:
        InputError: There is one.
    """
    if text := next((one for one in sentences if isinstance(one, str)), None):
        raise InputError(
            f"sentences are lists of tokens, and {text!r:.60} is a string: call the model on texts"
        )


def each_text(texts: str | Iterable[Any]) -> Iterator[str]:
    """The texts of an iterable, in order, each looked at once.

    Args:
        texts: A list, a generator, a numpy array, a column of pandas or Arrow; or one text.

    Raises:
        InputError: It is no iterable of texts, or something in it is not a text.
    """
    if isinstance(texts, bytes | Mapping) or hasattr(texts, "columns"):
        raise InputError(
            f"texts are wanted, not {type(texts).__name__}: give a string, or an iterable of "
            "strings such as one column of a table"
        )
    try:
        source = iter([texts] if isinstance(texts, str) else texts)
    except TypeError as error:
        raise InputError(
            f"{texts!r:.60} is no text: give a string, or an iterable of strings"
        ) from error
    for number, text in enumerate(source):
        value = text.as_py() if hasattr(text, "as_py") else text  # a scalar of Arrow
        if not isinstance(value, str):
            raise InputError(
                f"texts[{number}] is {value!r:.60} ({type(value).__name__}), not a string: leave "
                'it out, or give "" where there is nothing to read'
            )
        yield str(value)
