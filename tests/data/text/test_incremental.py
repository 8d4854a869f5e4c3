"""What is given out of an arriving text: the tokens of the whole, as early as they are certain."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.text.cleaning import clean
from rnnlp.data.text.incremental import IncrementalText, certain_length
from rnnlp.data.text.tokenizer import Tokenizer

TEXTS = ["It's 10:30 in New York, isn't it? We'll see.", "他说，北京很大。カタカナー"]
LEVELS = {
    "word": Tokenizer.train(TEXTS, level="word"),
    "character": Tokenizer.train(TEXTS, level="character"),
    "bpe": Tokenizer.train(TEXTS, level="bpe", vocabulary_size=300),
    "lower": Tokenizer.train(TEXTS, level="bpe", vocabulary_size=300, lowercase=True),
}
JOINED = (
    "a n't n’t 's 'll 'l ' l v http:// https://x/ www. @ # . , : ; ! ? ( ) - -- ... 1 23 1,2 Dr. "
    "U. ab. x@y.z _ 北 京 カ ー ｰ ・ ， 。 、 「 」 “ ” … — ‼ 〰 \u0301 \u200d \u200c \u00ad "
    "\ufe0f \u20e3 \uff9e \U0001f3fb 👩 👩\u200d🚀 🇩 🇪 İ ǅ É e\u0301 ൎ ក្ ㄱ ᄀ ᅡ 가 مر \u0600 "
    "\ud800 \x85 \x93 \x00 < > <br <br/> </p /> b i <I> ８ ½ Ⅳ ﬁ"
)
PIECES = JOINED.split(" ")
PIECES += [" ", "  ", "\n", "\r", "\r\n", "\t", "\u3000", "\u00a0", "\u2028"]
ARRIVING = st.lists(st.lists(st.sampled_from(PIECES), max_size=5).map("".join), max_size=8)


def tokens_of(tokenizer, chunks, *, cleaned):
    """Tokens with their places, as they come out of chunks."""
    stream, actual = IncrementalText(tokenizer, cleaned=cleaned), []
    for take in (*(lambda c=chunk: stream.feed(c) for chunk in chunks), stream.finish):
        piece = take()
        ids, offsets = tokenizer.encode(piece)
        at = stream.end - len(piece)
        actual += [(i, a + at, b + at) for i, (a, b) in zip(ids, offsets, strict=True)]
    return actual


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("cleaned", [False, True])
@given(chunks=ARRIVING, letters=st.booleans())
def test_the_tokens_of_the_pieces_are_those_of_the_whole(level, cleaned, chunks, letters):
    whole = "".join(chunks)
    text = clean(whole) if cleaned else whole
    ids, offsets = LEVELS[level].encode(text)
    expected = [(i, a, b) for i, (a, b) in zip(ids, offsets, strict=True)]
    assert tokens_of(LEVELS[level], whole if letters else chunks, cleaned=cleaned) == expected


def test_a_character_that_takes_up_what_follows_waits_before_a_tag():
    text = "\u0d4e<I>x"  # the first letter and the blank that the tag becomes are one character
    whole = LEVELS["character"].encode(clean(text))
    expected = [(i, a, b) for i, (a, b) in zip(*whole, strict=True)]
    assert tokens_of(LEVELS["character"], [text], cleaned=True) == expected


@pytest.mark.parametrize(
    ("level", "text", "certain"),
    [
        ("word", "I saw Berlin", "I saw "),  # Berliner, Berlin@example.org
        ("word", "it's", ""),
        ("word", "北京Be", "北京"),
        ("word", "我去了Berlin，他", "我去了Berlin，"),
        ("word", "北", ""),  # a mark may follow
        ("character", "Berlin", "Berli"),
        ("bpe", "I saw Berlin", "I saw"),
        ("bpe", "I'l", "I"),  # I'll
        ("bpe", "I'm b", "I'm"),
    ],
)
def test_what_is_certain(level, text, certain):
    assert text[: certain_length(LEVELS[level], text)] == certain


def test_what_may_become_a_tag_waits():
    stream = IncrementalText(LEVELS["word"], cleaned=True)
    assert [stream.feed(chunk) for chunk in ("good <b", "r", " ", "/", "> bad < c")] == [
        "good ", "", "", "", "       bad < ",
    ]  # fmt: skip
    assert stream.finish() == "c"


def test_what_waits_does_not_grow_with_the_text():
    stream, longest = IncrementalText(LEVELS["word"]), 0
    for _ in range(300):
        stream.feed("Some words and 一些字, ")
        longest = max(longest, len(stream._held))
    assert longest < 10
