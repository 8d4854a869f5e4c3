"""Text to tokens with character offsets, and tokens to ids: one class for all tasks.

``word``, ``character``, ``symbol`` and ``lemma`` keep a vocabulary counted on the training split,
``bpe`` learns sub-words over bytes, so that any text decodes to itself. (A unigram model is left
out: its trainer in the `tokenizers` library gives another vocabulary on every run.) Everything is
kept in one ``tokenizer.json`` of that library. Sentence boundaries are not added here: a task that
wants them puts `BOS` and `EOS` around the ids itself.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any, Literal

import tokenizers
from tokenizers import Regex, decoders, models, normalizers, pre_tokenizers, trainers

from .patterns import PATTERNS

Level = Literal["word", "character", "bpe", "symbol", "lemma"]
Offsets = list[tuple[int, int]]

HALF = "\ufffd"  # what decoding makes of bytes that are no whole character
SPECIALS = ("<pad>", "<unk>", "<bos>", "<eos>")
PAD, UNK, BOS, EOS = range(4)
BYTES = 256  # sub-words that any text can be written with, always in the vocabulary

_CACHED_TOKENS = 500_000  # distinct spellings remembered before the cache starts afresh

_JOINERS = {"word": " ", "symbol": " "}
_SURROGATE = re.compile("[\ud800-\udfff]")  # half a character, as broken JSON escapes leave it


@cache
def _pre_tokenizer(level: Level) -> pre_tokenizers.PreTokenizer:
    if level in PATTERNS:
        return pre_tokenizers.Split(Regex(PATTERNS[level]), "removed", invert=True)
    return pre_tokenizers.ByteLevel(add_prefix_space=False)


def _split(pre_tokenizer: pre_tokenizers.PreTokenizer, text: str) -> Offsets:
    return [offsets for _, offsets in pre_tokenizer.pre_tokenize_str(encodable(text))]


def encodable(text: str) -> str:
    """Replaces lone surrogates, which no encoding can hold, one for one: offsets stay."""
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def splitter(level: Level) -> Callable[[str], Offsets]:
    """The splitting rule of a level, usable before a vocabulary exists.

    Args:
        level: ``word`` keeps URLs, @names, #tags, numbers and dotted initials whole, splits English
            clitics as the Penn Treebank does, and makes every Han or Kana character and every other
            mark a token of its own; white space and invisible characters are never tokens.
            ``character`` makes every grapheme cluster a token, white space included. ``symbol``
            takes what white space parts, such as the phones of a word. ``lemma`` is ``character``
            for a word, after which a tab and features parted by ``;`` may stand, each a token.

    Returns:
        A function from a text to the ``(start, end)`` character offsets of its tokens.
    """
    if level not in PATTERNS:
        raise ValueError(f"{' and '.join(PATTERNS)} split without a vocabulary, not {level!r}")
    return partial(_split, _pre_tokenizer(level))


class Tokenizer:
    """Tokens, ids and offsets of one trained vocabulary; the ids 0 to 3 are `SPECIALS`.

    Made by `train` or `load`. Words and characters are looked up after normalisation (NFC, then
    lower case and zeroed digits where asked for); sub-words are learned on the bytes as they are.

    Attributes:
        level: What a token is, one of `Level`.
        vocabulary: The tokens in the order of their ids.
    """

    def __init__(self, backend: tokenizers.Tokenizer, ids: dict[str, int] | None = None) -> None:
        self._backend = backend
        self._backend.encode_special_tokens = True  # "<eos>" in a text is text
        self.level = _level(backend)
        ids = backend.get_vocab() if ids is None else ids
        self.vocabulary: list[str] = sorted(ids, key=ids.__getitem__)
        if tuple(self.vocabulary[:4]) != SPECIALS or len(ids) <= max(ids.values()):
            raise ValueError(
                f"a vocabulary begins with {SPECIALS} and has no gaps; this one has {len(ids)} "
                f"tokens, the first of them {tuple(self.vocabulary[:4])}"
            )
        self._known = {t: i for t, i in ids.items() if t not in SPECIALS}
        self._cache: dict[str, int] = {}

    @classmethod
    def train(
        cls,
        texts: Iterable[str] | Iterable[Sequence[str]],
        *,
        level: Level,
        vocabulary_size: int | None = None,
        min_frequency: int = 1,
        lowercase: bool = False,
        zero_digits: bool = False,
        extra: Iterable[str] = (),
    ) -> Tokenizer:
        """Learns a vocabulary; the same texts always give the same one.

        Args:
            texts: Texts, or for word and character level also lists of tokens.
            level: What a token is.
            vocabulary_size: Largest size with the four special tokens (sub-words: 8000 if None).
            min_frequency: Tokens seen less often are unknown (``bpe``: pairs are not merged).
            lowercase: Make everything lower case; sub-words then decode to lower case.
            zero_digits: Make every digit a 0; not for sub-words.
            extra: Further tokens to know (those that have a pretrained vector), seen or not.
        """
        if level in PATTERNS:
            normalizer = _normalizer(lowercase=lowercase, zero_digits=zero_digits)
            counts = _count(texts, splitter(level), normalizer)
            kept = sorted(
                (t for t, n in counts.items() if n >= min_frequency), key=lambda t: (-counts[t], t)
            )
            if vocabulary_size is not None:
                kept = kept[: max(0, vocabulary_size - len(SPECIALS))]
            added = (normalizer.normalize_str(encodable(token)) for token in extra)
            ids = _numbered((*SPECIALS, *kept, *added))
            return cls(_whole(ids, normalizer, _pre_tokenizer(level)))
        if level != "bpe":
            raise ValueError(f"level is {', '.join(PATTERNS)} or bpe, not {level!r}")
        if zero_digits or extra:
            raise ValueError("bpe learns from the text as it is: no zero_digits, no extra tokens")
        return cls(_train_bpe(texts, vocabulary_size or 8000, min_frequency, lowercase))

    def extended(
        self,
        texts: Iterable[str] | Iterable[Sequence[str]],
        *,
        vocabulary_size: int | None = None,
        min_frequency: int = 1,
    ) -> Tokenizer:
        """The same vocabulary with the tokens of further texts behind it; every id stays.

        Args:
            texts: As for `train`.
            vocabulary_size: Largest size of the whole.
            min_frequency: Tokens seen less often stay unknown.

        Raises:
            ValueError: At a sub-word level, which knows every text already.
        """
        if self.level not in PATTERNS:
            raise ValueError(f"{self.level} knows the pieces of any text: there is nothing to add")
        normalizer = self._backend.normalizer or normalizers.Sequence([])
        counts = _count(texts, self.split, normalizer)
        kept = sorted(
            (t for t, n in counts.items() if n >= min_frequency and t not in self._known),
            key=lambda t: (-counts[t], t),
        )
        if vocabulary_size is not None:
            kept = kept[: max(0, vocabulary_size - len(self))]
        ids = _numbered((*self.vocabulary, *kept))
        return Tokenizer(_whole(ids, self._backend.normalizer, self._backend.pre_tokenizer))

    def __len__(self) -> int:
        return len(self.vocabulary)

    def __contains__(self, token: str) -> bool:
        return self._id(token) != UNK

    def split(self, text: str) -> Offsets:
        """Character offsets of the tokens of a text; ``text[start:end]`` is the token."""
        if self.level in PATTERNS:
            return _split(self._backend.pre_tokenizer, text)
        return self.encode(text)[1]

    def ids(self, tokens: Sequence[str]) -> list[int]:
        """Ids of tokens that are split already; `UNK` for those that are not known.

        Raises:
            ValueError: At a sub-word level, where a token has as many ids as it needs.
        """
        if self.level not in PATTERNS:
            raise ValueError(f"{self.level} encodes texts, not tokens: use encode")
        cache = self._cache
        if len(cache) > _CACHED_TOKENS:
            cache.clear()
        return [cache[t] if t in cache else cache.setdefault(t, self._id(t)) for t in tokens]

    def encode(self, text: str) -> tuple[list[int], Offsets]:
        """Ids of a text and the character offsets of each into it."""
        if self.level in PATTERNS:
            offsets = self.split(text)
            return self.ids([text[start:end] for start, end in offsets]), offsets
        encoding = self._backend.encode(encodable(text), add_special_tokens=False)
        return encoding.ids, encoding.offsets

    def words(self, text: str) -> Offsets:
        """Character offsets of the stretches that sub-words never reach across.

        Raises:
            ValueError: At word or character level.
        """
        self._need_sub_words()
        return _split(self._backend.pre_tokenizer, text)

    def pieces(self, text: str) -> list[str]:
        """What sub-words are made of: the words of a text, each byte written as one character.

        Raises:
            ValueError: At word or character level.
        """
        self._need_sub_words()
        text = encodable(text)
        if self._backend.normalizer is not None:
            text = self._backend.normalizer.normalize_str(text)
        return [piece for piece, _ in self._backend.pre_tokenizer.pre_tokenize_str(text)]

    def merges(self) -> list[tuple[int, int, int]]:
        """What sub-words are merged from: two ids and the id of both together, best first.

        Raises:
            ValueError: At word or character level.
        """
        self._need_sub_words()
        pairs = json.loads(self._backend.to_str())["model"]["merges"]
        known = self._known
        return [(known[left], known[right], known[left + right]) for left, right in pairs]

    def decode(self, ids: Sequence[int], beyond: Sequence[str] = ()) -> str:
        """Text of some ids, special tokens but `UNK` left out.

        Sub-words give back exactly the text that was encoded, characters the same up to NFC and
        normalisation; words and symbols are joined by blanks.

        Args:
            ids: Of the vocabulary.
            beyond: Further tokens that ids from the size of the vocabulary on mean; not of
                sub-words.
        """
        kept = [i for i in ids if i == UNK or i >= len(SPECIALS)]
        if self.level not in PATTERNS:
            return self._backend.decode(kept, skip_special_tokens=False)
        size = len(self.vocabulary)
        return _JOINERS.get(self.level, "").join(
            self.vocabulary[i] if i < size else beyond[i - size] for i in kept
        )

    def save(self, path: str | Path) -> None:
        """Writes the one file that `load` needs."""
        Path(path).write_text(self._backend.to_str(pretty=True), encoding="utf-8")

    @classmethod
    def load(cls, path: str | Path) -> Tokenizer:
        """Reads what `save` wrote.

        Raises:
            ValueError: Where the file is no tokenizer of ours.
        """
        text = Path(path).read_text(encoding="utf-8")
        try:
            return _from_json(text)
        except Exception as error:  # the library raises bare Exception
            raise ValueError(f"{path} holds no tokenizer: {error}") from error

    def __reduce__(self) -> tuple[Callable[[str], Tokenizer], tuple[str]]:
        return _from_json, (self._backend.to_str(),)

    def _need_sub_words(self) -> None:
        if self.level != "bpe":
            raise ValueError(f"only sub-words are merged, not what is at {self.level} level")

    def _id(self, token: str) -> int:
        token = encodable(token)
        if self._backend.normalizer is not None:
            token = self._backend.normalizer.normalize_str(token)
        return self._known.get(token, UNK)


def _from_json(text: str) -> Tokenizer:
    """Takes only what `train` makes: a file could pad to any length, cut texts, or add to them."""
    content = json.loads(text)
    content |= {"padding": None, "truncation": None, "post_processor": None}
    kinds = {content["model"]["type"], content["pre_tokenizer"]["type"]}
    if kinds not in ({"WordLevel", "Split"}, {"BPE", "ByteLevel"}):
        raise ValueError(f"{' and '.join(sorted(kinds))} were not made by rnnlp")
    both = [True, False]
    ours: list[Any] = [_normalizer(lowercase=a, zero_digits=b) for a in both for b in both]
    ours.append(normalizers.Lowercase())
    states = [json.loads(each.__getstate__()) for each in ours]
    if content["normalizer"] not in (None, *states):
        raise ValueError("its normalizer was not made by rnnlp")
    if [token["content"] for token in content["added_tokens"]] != list(SPECIALS):
        raise ValueError(f"it has other added tokens than {', '.join(SPECIALS)}")
    if "Split" in kinds:  # by the rules of today: those of old split the same, but took long
        ids, state = content["model"]["vocab"], content["normalizer"]
        normalizer = None if state is None else ours[states.index(state)]
        today = _pre_tokenizer(_split_level(content["pre_tokenizer"]))
        return Tokenizer(_whole(ids, normalizer, today), ids)  # half the time of reading it twice
    content["model"] |= {"dropout": None}
    return Tokenizer(tokenizers.Tokenizer.from_str(json.dumps(content)))


def _level(backend: tokenizers.Tokenizer) -> Level:
    if isinstance(backend.model, models.BPE):
        return "bpe"
    return _split_level(json.loads(backend.pre_tokenizer.__getstate__()))


def _split_level(pre_tokenizer: Any) -> Level:
    """Of a vocabulary of whole tokens; patterns that are not of today are older ones of words."""
    levels: dict[str, Level] = {
        r"\X": "character",  # version 1
        PATTERNS["character"]: "character",
        PATTERNS["symbol"]: "symbol",
        PATTERNS["lemma"]: "lemma",
    }
    return levels.get(pre_tokenizer["pattern"]["Regex"], "word")


def _normalizer(*, lowercase: bool, zero_digits: bool) -> normalizers.Normalizer:
    steps: list[normalizers.Normalizer] = [normalizers.NFC()]
    if lowercase:
        steps.append(normalizers.Lowercase())
    if zero_digits:
        steps.append(normalizers.Replace(Regex(r"\p{Nd}"), "0"))
    return normalizers.Sequence(steps)


def _count(
    texts: Iterable[str] | Iterable[Sequence[str]],
    split: Callable[[str], Offsets],
    normalizer: normalizers.Normalizer,
) -> Counter[str]:
    raw: Counter[str] = Counter()
    for text in texts:
        if isinstance(text, str):
            text = [text[start:end] for start, end in split(text)]
        raw.update(text)
    counts: Counter[str] = Counter()
    for token, count in raw.items():
        counts[normalizer.normalize_str(encodable(token))] += count
    for special in (*SPECIALS, ""):
        counts.pop(special, None)
    return counts


def _numbered(tokens: Iterable[str]) -> dict[str, int]:
    """Ids of tokens, each once, in this order."""
    return {token: number for number, token in enumerate(dict.fromkeys(tokens))}


def _whole(
    ids: dict[str, int], normalizer: Any, pre_tokenizer: pre_tokenizers.PreTokenizer
) -> tokenizers.Tokenizer:
    """A vocabulary of whole tokens."""
    backend = tokenizers.Tokenizer(models.WordLevel(ids, unk_token=SPECIALS[UNK]))
    if normalizer is not None:
        backend.normalizer = normalizer
    backend.pre_tokenizer = pre_tokenizer
    backend.add_special_tokens(list(SPECIALS))
    return backend


def _train_bpe(
    texts: Iterable[str] | Iterable[Sequence[str]], size: int, min_frequency: int, lowercase: bool
) -> tokenizers.Tokenizer:
    """Byte-pair encoding (Sennrich et al., 2016) over bytes."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    if size < len(SPECIALS) + len(alphabet):
        raise ValueError(
            f"a vocabulary of {size} is too small for bpe: {len(SPECIALS)} special tokens and "
            f"{len(alphabet)} bytes come before the first sub-word"
        )
    backend = tokenizers.Tokenizer(models.BPE())
    if lowercase:
        backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = _pre_tokenizer("bpe")
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=min_frequency,
        special_tokens=list(SPECIALS),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    backend.train_from_iterator(_texts_only(texts), trainer)
    return backend


def _texts_only(texts: Iterable[str] | Iterable[Sequence[str]]) -> Iterator[str]:
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"bpe is learned from texts, not from a {type(text).__name__}")
        yield encodable(text)
