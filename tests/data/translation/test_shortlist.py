"""Shortlists: IBM model 1 against counting by hand, what they hold, files."""

import random
from itertools import product

import numpy as np
import pytest

from rnnlp.data.text.tokenizer import EOS, PAD, Tokenizer
from rnnlp.data.translation import shortlist
from rnnlp.data.translation.datamodule import TranslationData
from rnnlp.data.translation.shortlist import Shortlist

WORDS = {"haus": "house", "buch": "book", "das": "the", "ein": "a", "klein": "small", "alt": "old"}


def corpus(count=200, seed=1):
    """Pairs that translate word by word, in another order."""
    draw = random.Random(seed)
    for _ in range(count):
        words = draw.sample([*WORDS], draw.randint(2, 4))
        said = [WORDS[word] for word in words]
        draw.shuffle(said)
        yield " ".join(words), " ".join(said)


@pytest.fixture(scope="module")
def vocabularies():
    sources, targets = zip(*corpus(), strict=True)
    return [Tokenizer.train(texts, level="word") for texts in (sources, targets)]


@pytest.fixture(scope="module")
def pairs(vocabularies):
    source, target = vocabularies
    return [(source.encode(a)[0], target.encode(b)[0]) for a, b in corpus()]


def learn(pairs, vocabularies, width=2):
    source, target = vocabularies
    return Shortlist.learn(pairs, source=source, target=target, width=width)


def by_hand(pairs):
    """t(e|f) after the same rounds, from the equations, token by token."""
    probable = {pair: 1.0 for a, b in pairs for pair in product(a, b)}
    for _ in range(shortlist.ROUNDS):
        counts, totals = dict.fromkeys(probable, 0.0), {}
        for source, target in pairs:
            for e in target:
                total = sum(probable[f, e] for f in source)
                for f in source:
                    counts[f, e] += probable[f, e] / total
        for (f, _), count in counts.items():
            totals[f] = totals.get(f, 0.0) + count
        probable = {(f, e): count / totals[f] for (f, e), count in counts.items()}
    return probable


@pytest.mark.parametrize("chunk", [3, 1000])
def test_what_is_proposed_is_most_probable_by_ibm_model_1(chunk, pairs, vocabularies, monkeypatch):
    monkeypatch.setattr(shortlist, "_CHUNK", chunk)
    probable = by_hand(pairs)
    learned = learn(pairs, vocabularies, width=4)
    for f in {f for f, _ in probable}:
        ranked = sorted((e for g, e in probable if g == f), key=lambda e: -probable[f, e])
        assert learned.proposals[f, 1:].tolist() == ranked[:3]


def test_words_propose_their_translations(pairs, vocabularies):
    source, target = vocabularies
    learned = learn(pairs, vocabularies)
    for word, said in WORDS.items():
        assert learned.proposals[source.ids([word])[0], 1] == target.ids([said])[0]


def test_a_token_proposes_the_one_that_is_spelled_like_it():
    texts = ["Anna ran", "Bob slept"]
    tokens = Tokenizer.train(texts, level="word")
    pairs = [(tokens.encode(text)[0], tokens.encode("ran")[0]) for text in texts]
    learned = Shortlist.learn(pairs, source=tokens, target=tokens, width=1)
    assert learned.proposals[:, 0].tolist() == list(range(len(tokens)))


def test_candidates(pairs, vocabularies, monkeypatch):
    monkeypatch.setattr(shortlist, "FREQUENT", 2)
    learned = learn(pairs, vocabularies, width=3)
    counts = np.bincount([e for _, target in pairs for e in target])
    assert sorted(counts[learned.frequent]) == sorted(counts)[-2:]
    sources = [pairs[0][0], pairs[0][0] * 2, []]
    for width in (1, 3):
        lists = learned.candidates(sources, width)
        assert lists[0].tolist() == lists[1].tolist()  # a token proposes once
        for ids, row in zip(sources, lists, strict=True):
            proposed = {*learned.proposals[ids, :width].ravel().tolist()}
            wanted = sorted({one for one in proposed if one > EOS} | {EOS, *learned.frequent})
            assert row.tolist() == wanted + [PAD] * (lists.shape[1] - len(wanted))


def test_of_many_pairs_some_are_counted(tmp_path, monkeypatch):
    rows = [*corpus()]
    for split, some in (("all", rows), ("some", rows[::3])):
        content = "".join(f"{a}\t{b}\n" for a, b in some)
        (tmp_path / f"{split}.tsv").write_text(f"de\ten\n{content}")
    options = {
        "source": "de", "target": "en", "level": "word", "shortlist": 3,
        "validation": str(tmp_path / "some.tsv"),
    }  # fmt: skip
    some = TranslationData(train=str(tmp_path / "some.tsv"), **options)
    lengths = np.array([1 + max(len(one.split()) for one in row) for row in rows])
    monkeypatch.setattr(shortlist, "MOST", int((lengths**2).sum() / 2.5))
    few = TranslationData(train=str(tmp_path / "all.tsv"), **options)
    assert "shortlist: learned from one pair in 3" in few.prepare().notes
    for data in (few, some):
        for word, said in WORDS.items():
            (proposed,) = data.shortlist.proposals[data.featurizer.tokens.ids([word]), 1]
            assert data.target_tokenizer.decode([proposed]) == said


def test_a_file(pairs, vocabularies, tmp_path):
    learned, path = learn(pairs, vocabularies), tmp_path / "shortlist.npz"
    learned.save(path)
    source, target = map(len, vocabularies)
    again = Shortlist.load(path, source_size=source, target_size=target)
    assert again.proposals.tolist() == learned.proposals.tolist()
    assert again.frequent.tolist() == learned.frequent.tolist()
    for sizes in ((source + 1, target), (source, int(learned.proposals.max()))):
        with pytest.raises(ValueError, match="is not of"):
            Shortlist.load(path, source_size=sizes[0], target_size=sizes[1])
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ValueError, match="holds no shortlist"):
        Shortlist.load(path, source_size=source, target_size=target)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="holds no shortlist"):
        Shortlist.load(path, source_size=source, target_size=target)
