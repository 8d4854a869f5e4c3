"""What the streams of all tasks share: a text comes in chunks, results come out.

    with model.stream() as s:
        for chunk in chunks:
            for result in s.feed(chunk): ...
    s.rest  # what only the end of the text made certain

Where the chunks are cut changes no result. State is carried from token to token; memory and time
for a token do not grow with the text.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, TypeVar

from rnnlp.data.errors import InputError
from rnnlp.data.text.incremental import IncrementalText
from rnnlp.data.text.tokenizer import Tokenizer

BLOCK = 512  # tokens that are read at once where a chunk holds many

Result = dict[str, Any]
Stream = TypeVar("Stream", bound="TextStream")


class TextStream(ABC):
    """A text that is read as it arrives; for one text, to be used once.

    Args:
        tokenizer: Splits the text.
        cleaned: Whether the text is cleaned as that of classifiers is.

    Attributes:
        rest: The results of `finish`.
    """

    def __init__(self, *, tokenizer: Tokenizer, cleaned: bool = False) -> None:
        self.rest: list[Result] = []
        self._text = IncrementalText(tokenizer, cleaned=cleaned)
        self._finished = False

    @property
    def read(self) -> int:
        """How many characters of the text have been read: those whose tokens are certain."""
        return self._text.end

    def feed(self, text: str) -> list[Result]:
        """Takes the next part of the text.

        Args:
            text: Any part, cut anywhere.

        Returns:
            The results that are certain with it; often there are none.

        Raises:
            ValueError: The stream is finished.
        """
        if self._finished:
            raise ValueError("this stream is finished: begin another one for another text")
        return self._read(self._text.feed(text))

    def finish(self) -> list[Result]:
        """Ends the text and gives the results that were open; leaving the context does it, too."""
        if not self._finished:
            self._finished = True
            results = self._read(self._text.finish())
            self.rest = self._end(results)
        return self.rest

    def __enter__(self: Stream) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.finish()

    def _read(self, piece: str) -> list[Result]:
        return self._take(piece, self._text.end - len(piece)) if piece else []

    @abstractmethod
    def _take(self, piece: str, start: int) -> list[Result]:
        """Reads a piece of text that begins at character `start` and holds whole tokens."""

    @abstractmethod
    def _end(self, results: list[Result]) -> list[Result]:
        """What `finish` gives when all has been read, of which `found` came with the last piece."""


def check_direction(*, bidirectional: bool) -> None:
    """Refuses a model that reads from the end as well.

    Raises:
        InputError: It does.
    """
    if bidirectional:
        raise InputError(
            "the model reads in both directions, so it can say nothing before a text has ended; "
            "train one that streams with --model.encoder.bidirectional false"
        )
