"""Sample corpora from a seeded grammar, so that everything can be tried without any data.

A grammar is a table of rules: a name, and its alternatives. An alternative is text with slots:
`{name}` is replaced by an alternative of that rule, `[name]` as well but marks an entity of that
type, `{1-31}` is a number of that range. The words that names are made of are dealt out among
training, validation and test by a checksum, so that the last two hold only names that training
never saw, and a score says how well a model reads shape and context.

The tables lie in `sample_english.py` and `sample_chinese.py` for tagging, and in
`sample_reviews.py` for classification. Translations come from a grammar of two languages, whose
engine is in `synchronous.py` and whose tables are in `sample_translation.py`.
"""

from __future__ import annotations

import functools
import random
import re
import zlib
from collections.abc import Iterator, Mapping
from typing import Literal

from rnnlp.data.tagging.example import ClassifiedExample, ParallelExample, TaggedExample
from rnnlp.data.tagging.schemes import Span

from . import (
    reviews as sample_reviews,
)
from . import (
    tagging_chinese as sample_chinese,
)
from . import (
    tagging_english as sample_english,
)
from .synchronous_grammar import Phrase, SynchronousGrammar, sentences
from .translation_rules import HELD_OUT, RULES

Language = Literal["english", "chinese"]
Split = Literal["train", "validation", "test"]
SIZES: dict[Split, int] = {"train": 2000, "validation": 300, "test": 300}
TRANSLATION_SIZES: dict[Split, int] = {"train": 4000, "validation": 300, "test": 300}

_SLOT = re.compile(r"\{(\d+)-(\d+)\}|\{(\w+)\}|\[(\w+)\]")
_ALTERNATIVES = re.compile(r"\s*[|\n]\s*")
_SHARES: tuple[Split, ...] = ("train", "train", "train", "validation", "test")

_SENTENCE_START = re.compile(r"(?:^|[.!?] )[a-z]")

_WORDS = re.compile(r"[\u4e00-\u9fff]|[\w']+")  # Chinese characters and English words
_TENTHS: dict[int, Split] = {0: "validation", 1: "test"}  # of all combinations; the rest: training
_LONGEST = 14  # words of an English sentence
_TRIES = 30  # expansions of a pattern before another is taken

_LOWERCASED = 0.05  # of the English sentences, as people write in chats

Piece = tuple[str, str | None]  # text, the type of the entity that it is


class Grammar:
    """Writes random text by the rules of a table.

    Args:
        rules: The alternatives of each rule, parted by `|` or by line ends.
        held_out: The rules whose results are dealt out among the splits.
        split: The split to write for.
        seed: Decides every choice, together with the split.
    """

    def __init__(
        self, *, rules: Mapping[str, str], held_out: frozenset[str], split: Split, seed: int
    ) -> None:
        self._rules = {name: _ALTERNATIVES.split(text.strip()) for name, text in rules.items()}
        self._held_out = held_out
        self._split = split
        self.random = random.Random(f"{split} {seed}")

    def pieces(self, rule: str) -> list[Piece]:
        """An expansion of a rule as text parted into entities and what lies between."""
        template = self.random.choice(self._rules[rule])
        pieces: list[Piece] = []
        end = 0
        for slot in _SLOT.finditer(template):
            pieces.append((template[end : slot.start()], None))
            low, high, plain, entity = slot.groups()
            if low:
                pieces.append((str(self.random.randint(int(low), int(high))), None))
            elif plain in self._held_out:
                pieces.append((self.text(plain), None))
            elif plain:
                pieces.extend(self.pieces(plain))
            else:
                pieces.append((self.text(entity), entity))
            end = slot.end()
        pieces.append((template[end:], None))
        return pieces

    def text(self, rule: str) -> str:
        """An expansion of a rule; one that belongs to the split if the rule is held out."""
        while True:
            text = "".join(text for text, _ in self.pieces(rule))
            if rule not in self._held_out or _split_of(text) == self._split:
                return text


def sample_tagging(language: Language, split: Split, seed: int = 1) -> Iterator[TaggedExample]:
    """Yields sentences with persons, organizations, locations, products and dates.

    Args:
        language: "english" gives words as tokens, "chinese" characters.
        split: "train" has 2,000 sentences, "validation" and "test" 300 each.
        seed: Same seed, same sentences.
    """
    english = language == "english"
    table = sample_english if english else sample_chinese
    grammar = Grammar(rules=table.RULES, held_out=table.HELD_OUT, split=split, seed=seed)
    for line in range(1, SIZES[split] + 1):
        tokens: list[str] = []
        spans: list[Span] = []
        for text, entity in grammar.pieces("sentence"):
            start = len(tokens)
            tokens += text.split() if english else text
            if entity is not None:
                spans.append(Span(start, len(tokens), entity))
        if english:
            tokens[0] = tokens[0][0].upper() + tokens[0][1:]
            if grammar.random.random() < _LOWERCASED:
                tokens = [token.lower() for token in tokens]
        yield TaggedExample(tokens, None, spans, line)


def sample_classification(
    language: Language, split: Split, seed: int = 1
) -> Iterator[ClassifiedExample]:
    """Yields reviews of hotels, films, books and gadgets, "positive" or "negative".

    Args:
        language: The language they are written in.
        split: "train" has 2,000 reviews, "validation" and "test" 300 each.
        seed: Same seed, same reviews.
    """
    table = sample_reviews.ENGLISH if language == "english" else sample_reviews.CHINESE
    held_out = sample_reviews.HELD_OUT
    sides = {"positive": sample_reviews.POSITIVE, "negative": sample_reviews.NEGATIVE}
    grammars = {
        label: Grammar(rules={**table, **side}, held_out=held_out, split=split, seed=2 * seed + i)
        for i, (label, side) in enumerate(sides.items())
    }
    labels = random.Random(f"labels {split} {seed}")
    for line in range(1, SIZES[split] + 1):
        label = labels.choice(sorted(grammars))
        text = "".join(text for text, _ in grammars[label].pieces("review"))
        if language == "english":
            text = _SENTENCE_START.sub(lambda start: start[0].upper(), text)
        yield ClassifiedExample(text, [label], line)


def sample_translation(split: Split, seed: int = 1) -> Iterator[ParallelExample]:
    """Yields everyday sentences in Chinese and their English translations.

    Held out are combinations, not words: every pair of a pattern of a sentence and a word or phrase
    in it, of a verb and its object, of a noun and its adjective, of two phrases side by side
    (`Phrase.combinations`) belongs to one split by a checksum, eight tenths of them to training.
    Each sentence of validation or test has at least one such pair that training never shows (and
    none that the other holds out); every word and character of it occurs in training. So a word is
    met in patterns, and beside words, where training never had it, names among them: a score says
    how well a model puts together what it knows.

    Args:
        split: "train" has 4,000 pairs, "validation" and "test" 300 each, no source twice, and none
            in two splits, of whatever seeds.
        seed: Same seed, same pairs.
    """
    known = None if split == "train" else _training_words(seed)
    grammar = SynchronousGrammar(rules=RULES, held_out=HELD_OUT, seed=f"{split} {seed}")
    seen: set[str] = set()
    while len(seen) < TRANSLATION_SIZES[split]:
        pattern = grammar.random.choice(grammar.alternatives("sentence"))
        for _ in range(_TRIES):
            phrase = grammar.filled(pattern)
            if _repeats(phrase) or not _belongs(phrase, split):
                continue
            source, target = sentences(phrase)
            words = _WORDS.findall(source + " " + target)
            fits = len(target.split()) <= _LONGEST and (known is None or known.issuperset(words))
            if source not in seen and fits:
                seen.add(source)
                grammar.keep(phrase)
                yield ParallelExample(source, target, len(seen))
                break


@functools.lru_cache(maxsize=4)
def _training_words(seed: int) -> frozenset[str]:
    pairs = sample_translation("train", seed)
    return frozenset(word for pair in pairs for word in _WORDS.findall(" ".join(pair[:2])))


def _repeats(phrase: Phrase) -> bool:
    """Whether a word occurs twice, or a pronoun together with its plural."""
    words = [word.rstrip("们") for word in phrase.words]
    return len(set(words)) < len(words)


def _belongs(phrase: Phrase, split: Split) -> bool:
    shares = {
        _TENTHS.get(zlib.crc32("+".join(pair).encode()) % 10, "train")
        for pair in phrase.combinations()
    }
    return shares <= {"train", split} and (split == "train" or split in shares)


def _split_of(text: str) -> Split:
    return _SHARES[zlib.crc32(text.encode()) % len(_SHARES)]
