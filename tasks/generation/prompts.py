"""Prompts that end within a word, for models of sub-words.

A typed "My unc" ends in the sub-words "Ġun" and "c", where training texts have "Ġuncle": what
follows these two was hardly ever seen. So the last word of a prompt is not read but written again:
its letters are given, and the sub-words that spell them are drawn with what follows. A blank at the
end says that the word is whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from rnnlp.data.generation.labels import token_ids
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import BOS, SPECIALS, Tokenizer


class Prompt(NamedTuple):
    """What a model reads of a prompt, and what it is to write again."""

    ids: list[int]  # `BOS` first
    word: str = ""  # as the vocabulary spells it
    letters: int = 0  # of the word


def read_prompt(featurizer: Featurizer, text: str, *, typed: str, reverse: bool) -> Prompt:
    """What is read of a prompt.

    Args:
        featurizer: Looks tokens up.
        text: The prompt, without blanks at its end.
        typed: The prompt as it was given.
        reverse: Whether the model reads from the end.
    """
    if featurizer.level != "bpe" or reverse or not text or text[-1].isspace():
        return Prompt([BOS, *token_ids(featurizer, text, reverse=reverse)])
    if text != typed:  # the blank belongs to the sub-word that follows
        (blank,) = featurizer.tokens.pieces(" ")
        return Prompt([BOS, *token_ids(featurizer, text, reverse=False)], blank)
    start, end = featurizer.tokens.words(text)[-1]
    before = token_ids(featurizer, text[:start], reverse=False)
    return Prompt([BOS, *before], featurizer.tokens.pieces(text)[-1], end - start)


class Spellings:
    """The sub-words of a vocabulary by how they are spelt.

    Args:
        tokenizer: Has the vocabulary.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._ids = {piece: number for number, piece in enumerate(tokenizer.vocabulary)}
        for special in SPECIALS:
            del self._ids[special]
        self._sorted = sorted(self._ids)
        self.pieces = tokenizer.vocabulary

    def beginning(self, word: str) -> list[int]:
        """Those that begin with a word, and those that it begins with."""
        first, last = (bisect_left(self._sorted, end) for end in (word, word + "\U0010ffff"))
        shorter = (word[:length] for length in range(1, len(word)))
        pieces = (*self._sorted[first:last], *shorter)
        return [self._ids[piece] for piece in pieces if piece in self._ids]


class BegunWords:
    """The words that what is written must begin with.

    Args:
        words: That of each prompt, as the vocabulary spells it.
        spellings: Of the vocabulary.
    """

    def __init__(self, words: Sequence[str], spellings: Spellings) -> None:
        self._left = list(words)
        self._spellings = spellings

    def allowed(self, prompt: int) -> list[int] | None:
        """The sub-words that may come next; None where the word is written."""
        left = self._left[prompt]
        return self._spellings.beginning(left) if left else None

    def chosen(self, prompt: int, token: int) -> None:
        """Says which of them was drawn."""
        left = self._left[prompt]
        self._left[prompt] = left[len(self._spellings.pieces[token]) :] if left else ""
