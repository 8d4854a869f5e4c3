"""What generators are measured with: the n-gram model is one, and bars are added up rightly."""

import importlib.util
import random
from pathlib import Path

import pytest

import rnnlp

FOLDER = Path(rnnlp.__file__).parent / "benchmarks"


def script(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


ngram, tunes = script("ngram"), script("tunes")


@pytest.mark.parametrize("order", [1, 3, 6])
def test_probabilities_add_up_to_one(order):
    model = ngram.WittenBell(["abracadabra", "banana", "cab"], order=order)
    alphabet = [*model.characters, ngram.END, ngram.UNKNOWN]
    for history in ("", "a", "ab", "zz", "bra", "\x02\x02"):
        used = history[len(history) - min(len(history), order - 1) :]
        total = sum(model.probability(used, character) for character in alphabet)
        assert total == pytest.approx(1.0)


def test_bits_by_hand():
    # One text "a" and order 1: C(a) = C(end) = 1, T = 2, and 1/3 below that for each of 3.
    model = ngram.WittenBell(["a"], order=1)
    each = (1 + 2 / 3) / 4
    assert model.probability("", "a") == pytest.approx(each)
    assert 2 ** -model.bits("a") == pytest.approx(each * each)
    assert 2 ** -model.bits("b") == pytest.approx((2 / 3 / 4) * each)


def test_longer_histories_help_on_what_was_seen():
    texts = ["the cat sat on the mat", "the cat ate the rat"]
    bits = [ngram.WittenBell(texts, order=order).bits(texts[0]) for order in (1, 2, 4)]
    assert bits == sorted(bits, reverse=True)
    drawn = ngram.WittenBell(texts, order=4).draw(random.Random(1))
    assert set(drawn) <= set("".join(texts))


def tune(music, metre="6/8", unit=None):
    lines = ["X:1", "T:A", f"M:{metre}", *([f"L:{unit}"] if unit else []), "K:D", music]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("music", "metre", "unit", "bars"),
    [
        ("abc def|a3 b3|", "6/8", None, 2),
        ('A|"D"f2f fga|d2d d2:|', "6/8", None, 1),  # a pick-up, and a last bar without its note
        ("ab cd|e2 f2|]", "2/4", "1/8", 2),
        ("abcd abcd|", "2/4", None, 1),  # the unit is 1/16 below 3/4
        ("(3abc d2 ef|a>b c<d|", "3/4", "1/8", 1),
        ("a/b/c/d/ e|[1f3:|[2 f3||", "3/8", "1/8", 3),
        ("[ac]2 z|{g}a2 .b|^f_b=c'|", "3/8", "1/8", 3),
        ("abc|[M:2/4]ab cd|", "3/8", "1/8", 2),
        ("ab|\\\ncd|: ef :: ga :|", "2/8", "1/8", 4),
    ],
)
def test_sound_tunes(music, metre, unit, bars):
    assert tunes.check(tune(music, metre, unit)) == bars


@pytest.mark.parametrize(
    ("music", "reason"),
    [
        ("abc def|a3 b2|abc abc|", "too short"),
        ("abc defg|abc abc|", "too long"),
        ("abc d?f|", "not ABC"),
        ("abc (3ab|abc abc|", "tuplet"),
        ('"D abc def|', "not ABC"),
        ("", "no bars"),
    ],
)
def test_unsound_tunes(music, reason):
    with pytest.raises(tunes.Unsound, match=reason):
        tunes.check(tune(music))
    assert tunes.report([tune(music), tune("abc def|")])["sound"] == 1


def test_a_tune_needs_its_header():
    with pytest.raises(tunes.Unsound, match="no field K"):
        tunes.check("X:1\nM:4/4\nabcd|")
    with pytest.raises(tunes.Unsound, match="metre"):
        tunes.check(tune("abc|", metre="6"))
