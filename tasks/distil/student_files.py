"""How a student's files are read: the user's as `fit` reads them, what distil writes as it is.

A file that is validated or tested on is written anew where the settings would read it otherwise
than the teacher's rows: a run reads all of its files by the same settings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.datamodule.base import SequenceData
from rnnlp.data.errors import InputError, note
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.data.formats.weights import WEIGHT
from rnnlp.tasks.fit.lightning_cli import DataCommand, FitRequest, build

from .labelled import read_sentences, stated_text

GROUP = "group"  # the key that distil writes
# The settings that read what distil writes.
PLAIN = {
    "encoding": None,
    "format": "auto",
    "text_column": None,
    "label_column": None,
    "token_column": None,
    "tag_column": None,
    "source_column": "source",
    "target_column": "target",
    "features_column": None,
    "weight_column": WEIGHT,
}


class StudentFiles:
    """The files of a student, by its settings.

    Args:
        request: The student's settings, with the user's own files.
        teacher: The models that teach, as `rnnlp.load` gives them; None where a program does.

    Raises:
        InputError: The settings are wrong, or read columns beside the text.
    """

    def __init__(self, request: FitRequest, *, teacher: Any) -> None:
        command = build(request, command=DataCommand)
        self.task = request.task
        self.settings: Mapping[str, Any] = command.config["data"]
        self.data: SequenceData[Any] | None = command.datamodule
        self.scheme = (  # of tags
            self.settings.get("scheme")
            if teacher is None
            else getattr(teacher.settings, "scheme", None)
        )
        self.grouped = self.settings.get("group_column") is not None
        if columns := self.settings.get("feature_columns"):
            raise InputError(
                f"data.feature_columns names {', '.join(columns)}, and a teacher has texts alone: "
                "leave it out"
            )

    @property
    def plain(self) -> dict[str, Any]:
        """The settings that have to change so that what distil writes is read as it is."""
        changed = {
            name: value
            for name, value in PLAIN.items()
            if name in self.settings and self.settings[name] != value
        }
        return {**changed, "group_column": GROUP} if self.grouped else changed

    @property
    def rewritten(self) -> list[str]:
        """The splits beside training that have to be written anew."""
        splits = ("validation", "test")
        return [split for split in splits if self.plain and self.settings[split] is not None]

    def gold(self, split: str) -> list[Any]:
        """The labelled examples of a split's file; what is lossy about them is told."""
        assert self.data is not None
        source = self.data.source(split)
        assert source is not None
        notes = Notes(skip_bad_rows=self.data.options.skip_bad_rows)
        with named_encoding(self.data.options.encoding):
            if self.task == "tagging":
                examples = list(read_sentences(source, self.scheme, notes))
            else:
                examples = list(source.read(notes))
            how = self.data.told(source.name)
        for line in [*([f"{source.name}: {how}"] if how else []), *notes.lines()]:
            note(line)
        return examples

    def rows(self, split: str) -> Iterator[dict[str, Any]]:
        """The examples of a split's file, as distil writes them."""
        return map(_ROWS[self.task], self.gold(split))


_ROWS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "classification": stated_text,
    "tagging": lambda sentence: {"tokens": sentence.tokens, "tags": sentence.tags},
    "translation": lambda pair: {"source": pair.source, "target": pair.target},
}
