"""Records and their headlines: repeatable, with names new to each split, true to the fields."""

import pytest

from rnnlp.data.samples.grammar import SIZES
from rnnlp.data.text.tokenizer import Tokenizer, splitter
from rnnlp.data.translation.sample_headlines import headline, sample_headlines


def test_every_headline_has_words_that_no_vocabulary_has():
    pairs = {split: list(sample_headlines(split)) for split in SIZES}
    known = Tokenizer.train([p.target for p in pairs["train"]], level="word", min_frequency=3)
    for split, size in SIZES.items():
        assert len({pair.source for pair in pairs[split]}) == size
        for source, target, *_ in pairs[split]:
            words = [target[start:end] for start, end in splitter("word")(target)]
            assert " ".join(words) == target  # as it will come out
            unknown = {word for word in words if word not in known}
            assert unknown and unknown <= set(source.split())
    assert pairs["test"] == list(sample_headlines("test", 1)) != list(sample_headlines("test", 2))


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("match", {"goals": "3 1"}, "Ab beat Cd 3 - 1 in Ef"),
        ("match", {"goals": "0 2"}, "Cd win 2 - 0 at Ab"),
        ("match", {"goals": "2 2"}, "Ab and Cd draw 2 - 2 in Ef"),
        ("fire", {"building": "hotel", "injured": "0"}, "nobody injured in hotel fire in Ef"),
        ("fire", {"building": "hotel", "injured": "17"}, "17 injured in hotel fire in Ef"),
        ("storm", {"storm": "Gh", "wind": "90"}, "storm Gh hits Ef at 90 miles an hour"),
        ("storm", {"storm": "Gh", "wind": "90", "damage": "3.1"}, "storm Gh costs Ef 3.1 million"),
    ],
)
def test_headlines(kind, fields, expected):
    assert headline(kind, {"home": "Ab", "away": "Cd", "town": "Ef", **fields}) == expected
