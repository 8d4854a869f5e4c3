import pytest

from rnnlp.data.text.token_features import token_feature


@pytest.mark.parametrize(
    ("token", "shape"),
    [
        ("Obama", "Xxx"),
        ("iPhone7", "xXxxd"),
        ("U.S.", "X.X."),
        ("2026", "dd"),
        ("3.14", "d.dd"),
        ("#NLProc", "#XXxx"),
        ("北京", "cc"),
        ("É", "X"),
        ("!!!!", "!!"),
    ],
)
def test_shape(token, shape):
    assert token_feature("shape", [token]) == [shape]


def test_prefix_and_suffix_are_three_characters_without_case():
    assert token_feature("prefix", ["Visited", "A", "北京大学"]) == ["vis", "a", "北京大"]
    assert token_feature("suffix", ["VISITED", "A", "北京大学"]) == ["ted", "a", "京大学"]


def test_bigram_joins_the_token_before():
    first, second = token_feature("bigram", ["北", "京"])
    assert second == "北京"
    assert first.endswith("北") and len(first) == 2


def test_unknown_attribute():
    with pytest.raises(ValueError, match="'colour': use bigram, shape, prefix, suffix"):
        token_feature("colour", ["red"])
