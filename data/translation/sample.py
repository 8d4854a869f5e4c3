"""The sample corpus for translation: everyday sentences in Chinese and in English."""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Iterator

from rnnlp.data.samples.grammar import Split, read_rules
from rnnlp.data.samples.synchronous_grammar import Phrase, SynchronousGrammar, sentences

from .readers import ParallelExample

TRANSLATION_SIZES: dict[Split, int] = {"train": 4000, "validation": 300, "test": 300}

_WORDS = re.compile(r"[\u4e00-\u9fff]|[\w']+")  # Chinese characters and English words
_TENTHS: dict[int, Split] = {0: "validation", 1: "test"}  # of all combinations; the rest: training
_LONGEST = 14  # words of an English sentence
_TRIES = 30  # expansions of a pattern before another is taken


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
    rules, held_out = translation_rules()
    grammar = SynchronousGrammar(rules=rules, held_out=held_out, seed=f"{split} {seed}")
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


def translation_rules() -> tuple[dict[str, str], frozenset[str]]:
    """The rules, those of whole sentences among them, and which of them are held out."""
    tables = read_rules("translation")
    patterns = [some["patterns"] for some in tables["sentences"] for _ in range(some["times"])]
    return {"sentence": "\n".join(patterns), **tables["rules"]}, frozenset(tables["held_out"])


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
