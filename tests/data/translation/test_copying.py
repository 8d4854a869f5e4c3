"""What source tokens are on the target side, and what copied ones are as text."""

import pytest

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.tokenizer import EOS, UNK, Tokenizer
from rnnlp.data.translation.collate import TranslationCollate
from rnnlp.data.translation.copying import Copier, count_unknown


def vocabularies(sources, targets, level="word", target_level=None, **options):
    tokens = Tokenizer.train(sources, level=level, **options)
    featurizer = Featurizer(tokens=tokens)
    return featurizer, Tokenizer.train(targets, level=target_level or level)


def copied(featurizer, target, source, said):
    """Ids of the source, ids of the target, and the target as these say it."""
    copier = Copier(featurizer=featurizer, target_tokenizer=target)
    row, offsets = featurizer.encode(source)
    following = copier.target(said, source, offsets)
    back = target.decode(following, copier.words(source, offsets))
    return copier.source(source, row, offsets), following, back


def test_words_of_no_vocabulary_are_named_by_their_first_place():
    featurizer, target = vocabularies(["call now"], ["call at"], lowercase=True)
    size, call = len(target), target.ids(["call"])[0]
    ids, following, back = copied(
        featurizer, target, "call Zoë 4711 now Zoë", "call 4711 Zoë today Zoë"
    )
    # "now" is in the vocabulary of the sources only: on the target side it is as unknown.
    assert ids == [call, size + 1, size + 2, size + 3, size + 1]
    assert following == [call, size + 2, size + 1, UNK, size + 1]
    assert back == "call 4711 Zoë <unk> Zoë"


def test_one_word_in_two_encodings_comes_out_as_typed():
    featurizer, target = vocabularies(["a"], ["a"])
    ids, following, back = copied(featurizer, target, "a Zoe\u0308 Zo\u00eb", "Zo\u00eb")
    assert ids[1:] == [len(target) + 1] * 2 and following == [len(target) + 1]
    assert back == "Zoe\u0308"


def test_what_no_target_could_hold_is_not_copied():
    featurizer, target = vocabularies(["geben\tV;PST"], ["gab"], "lemma", "character")
    ids, following, back = copied(featurizer, target, "gähn\tV;X", "ähg")
    size = len(target)
    assert ids[1:3] == [size + 1, size + 2] and ids[4:] == [UNK, UNK]
    assert following[:2] == [size + 1, size + 2] and back == "ähg"
    featurizer, target = vocabularies(["a b"], ["x y"], "character", "symbol")
    assert copied(featurizer, target, "a q", "x q")[0] == [len(target), UNK, len(target) + 2]
    assert copied(featurizer, target, "a q", "x q")[2] == "x q"


def test_special_tokens_in_a_text_are_text():
    featurizer, target = vocabularies(["a b"], ["a b"], "symbol")
    assert copied(featurizer, target, "a <eos> <unk>", "<unk> <eos>")[2] == "<unk> <eos>"


def test_sub_words_are_copied_where_both_sides_have_the_same():
    texts = ["the cat sat on the mat"] * 3
    both = Tokenizer.train(texts, level="bpe", vocabulary_size=270)
    ids, following, back = copied(Featurizer(tokens=both), both, "the Zoë", "Zoë")
    assert ids == both.encode("the Zoë")[0] and following == both.encode("Zoë")[0]
    assert back == "Zoë"
    other = Tokenizer.train(["something else"] * 3, level="bpe", vocabulary_size=270)
    with pytest.raises(InputError, match=r"set data\.joint_vocabulary to true"):
        Copier(featurizer=Featurizer(tokens=both), target_tokenizer=other)


@pytest.mark.parametrize(
    ("level", "target_level"), [("word", "character"), ("character", "word"), ("word", "bpe")]
)
def test_levels_that_have_nothing_in_common(level, target_level):
    featurizer, target = vocabularies(["a b"] * 3, ["a b"] * 3, level, target_level)
    with pytest.raises(InputError, match=f"from level {level} to level {target_level}"):
        Copier(featurizer=featurizer, target_tokenizer=target)


def test_batches():
    featurizer, target = vocabularies(["call now"], ["call at"])
    size = len(target)
    rows = {
        "source": ["Zoë 47", "   ", "call"],
        "target": ["47 at", "at", "at 5"],
        "index": [0, 1, 2],
    }
    both = {"featurizer": featurizer, "target_tokenizer": target}
    batch = TranslationCollate(**both, copy=True)(rows)
    call, at = target.ids(["call", "at"])
    assert batch.copies.tolist() == [[size, size + 1], [UNK, 0], [call, 0]]
    assert batch.features.tokens.shape == batch.copies.shape
    assert batch.target[:, 1:3].tolist() == [[size + 1, at], [at, 3], [at, UNK]]
    assert list(batch.words) == [["Zoë", "47"], [], ["call"]]
    plain = TranslationCollate(**both)(rows)
    assert plain.copies is None and plain.target[0, 1] == UNK and list(plain.words) == [[]] * 3
    pairs = zip(rows["source"], rows["target"], strict=True)
    assert count_unknown(pairs, **both) == (2, 1)


def test_sub_words_with_merges_left_out():
    both = Tokenizer.train(["the cat sat on the mat"] * 3, level="bpe", vocabulary_size=270)
    collate = TranslationCollate(
        featurizer=Featurizer(tokens=both), target_tokenizer=both, bpe_dropout=0.5, copy=True
    )
    batch = collate({"source": ["the cat", "a"], "target": ["cat", "a"], "index": [0, 1]})
    assert batch.copies.tolist() == batch.features.tokens.tolist()


@pytest.mark.parametrize("subwords", ["source", "target"])
def test_merges_left_out_on_one_side(subwords):
    texts = ["the cat sat on the mat"] * 3
    pieces = Tokenizer.train(texts, level="bpe", vocabulary_size=270)
    letters = Tokenizer.train(texts, level="character")
    source, target = (pieces, letters) if subwords == "source" else (letters, pieces)
    collate = TranslationCollate(
        featurizer=Featurizer(tokens=source), target_tokenizer=target, bpe_dropout=0.5
    )
    rows = {"source": texts, "target": texts, "index": [0, 1, 2]}
    batch = collate(rows)
    read = [row.tolist() for row in batch.features.tokens]
    written = [row.tolist() for row in batch.target[:, 1:]]
    assert batch.copies is None
    whole, drawn = (written, read) if subwords == "source" else (read, written)
    ids = letters.encode(texts[0])[0]
    assert all([token for token in row if token > EOS] == ids for row in whole)
    assert len({tuple(row) for row in drawn}) > 1
    for row in drawn:
        assert pieces.decode([token for token in row if token > EOS]) == texts[0]
