import json
import tracemalloc
from inspect import signature

import datasets
import pyarrow
import pytest
import torch

from rnnlp.data.corpus.report import Notes
from rnnlp.data.corpus.source import Source
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.collate import UNKNOWN_TAG
from rnnlp.data.tagging.corpus import SPANS, count_labels, store
from rnnlp.data.tagging.datamodule import TaggingData
from rnnlp.data.tagging.example import TaggedExample
from rnnlp.data.tagging.schemes import Span, spans_to_tags

SENTENCES = [
    (["Obama", "visited", "New", "York", "."], ["B-PER", "O", "B-LOC", "I-LOC", "O"]),
    (["He", "likes", "Berlin", "."], ["O", "O", "B-LOC", "O"]),
    (["Nothing", "here"], ["O", "O"]),
    (["Angela", "Merkel"], ["B-PER", "I-PER"]),
]
UNSEEN = [(["IBM", "hired", "Obama"], ["B-ORG", "O", "B-PER"])]


def conll(path, sentences):
    text = "\n\n".join(
        "\n".join(f"{token} {tag}" for token, tag in zip(*sentence, strict=True))
        for sentence in sentences
    )
    path.write_text(text + "\n")
    return str(path)


def jsonl(path, rows):
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return str(path)


def files(folder, train=SENTENCES, validation=SENTENCES, **options):
    return TaggingData(
        train=conll(folder / "train.conll", train),
        validation=conll(folder / "dev.conll", validation),
        **options,
    )


def everything(loader):
    """Index -> (tokens as ids, tag ids, gold) of all sentences of a loader."""
    actual = {}
    for batch in loader:
        for row, index in enumerate(batch.number.tolist()):
            length = int(batch.features.lengths[row])
            assert (batch.tags[row, length:] == UNKNOWN_TAG).all()
            assert index not in actual
            ids = batch.features.tokens[row, :length].tolist()
            actual[index] = (ids, batch.tags[row, :length].tolist(), batch.gold[row])
    return actual


@pytest.mark.parametrize("scheme", ["IOB1", "IOB2", "BIOES", "BILOU", "BMES"])
def test_files_are_converted_to_the_training_scheme(scheme, tmp_path):
    data = files(tmp_path, scheme=scheme)
    assert data.scheme == scheme
    actual = everything(data.train_dataloader())
    assert sorted(actual) == [0, 1, 2, 3]
    expected = [
        [Span(0, 1, "PER"), Span(2, 4, "LOC")],
        [Span(2, 3, "LOC")],
        [],
        [Span(0, 2, "PER")],
    ]
    for index, (tokens, _) in enumerate(SENTENCES):
        ids, tags, gold = actual[index]
        assert ids == data.featurizer.tokens.ids(tokens)
        assert gold == expected[index]
        assert [data.tags[i] for i in tags] == spans_to_tags(gold, len(tokens), scheme)


def test_tags_are_complete_for_the_scheme(tmp_path):
    tags = ["O", *(f"{letter}-{kind}" for letter in "BEIS" for kind in ("LOC", "PER"))]
    assert files(tmp_path).tags == tags


def test_plain_tags_have_no_scheme(tmp_path):
    pos = [(["dogs", "bark"], ["NOUN", "VERB"]), (["they", "do"], ["PRON", "AUX"])]
    dev = [(["dogs", "!"], ["NOUN", "PUNCT"])]
    data = files(tmp_path, train=pos, validation=dev)
    assert data.scheme is None
    assert data.tags == ["AUX", "NOUN", "PRON", "VERB"]
    batch = next(iter(data.val_dataloader()))
    assert batch.gold == [["NOUN", "PUNCT"]]
    assert batch.tags.tolist() == [[1, UNKNOWN_TAG]]
    assert any("PUNCT (1)" in note for note in data.notes)


def test_labels_that_training_never_saw_stay_in_gold_and_are_named(tmp_path):
    data = files(tmp_path, validation=UNSEEN)
    batch = next(iter(data.val_dataloader()))
    assert batch.gold == [[Span(0, 1, "ORG"), Span(2, 3, "PER")]]
    assert batch.tags.tolist() == [[UNKNOWN_TAG, 0, data.tags.index("S-PER")]]
    assert "ORG" not in " ".join(data.tags)
    assert any("never saw, counted as misses: ORG (1)" in note for note in data.notes)


def test_spans_over_raw_text(tmp_path):
    rows = [
        {"text": "温家宝在北京。", "label": {"name": {"温家宝": [[0, 2]]}}},
        {"text": "去北京", "entities": [[1, 3, "address"]]},
    ]
    data = TaggingData(
        train=jsonl(tmp_path / "train.json", rows),
        validation=jsonl(tmp_path / "dev.json", rows),
        level="character",
        characters=False,
    )
    actual = everything(data.val_dataloader())
    assert actual[0][2] == [Span(0, 3, "name")]
    assert actual[1][2] == [Span(1, 3, "address")]
    assert next(iter(data.val_dataloader())).features.characters is None


def test_words_where_characters_are_wanted_are_told(tmp_path):
    """A model of them would meet single characters, of which it has learned none."""
    told = "train: 11 of 13 tokens are more than a character, and texts will be read by characters"
    for level in ("word", "character"):
        notes = files(tmp_path, level=level).notes
        assert any(told in line for line in notes) == (level == "character")
    single = [(["在", "上", "海", "e\u0301", "."], ["O", "B-LOC", "I-LOC", "O", "O"])]
    notes = files(tmp_path, single, single, level="character").notes
    assert not any("by characters" in line for line in notes)


def test_validation_is_cut_from_training_if_not_given(tmp_path):
    many = [([f"w{i}", "Berlin"], ["O", "B-LOC"]) for i in range(20)]
    path = conll(tmp_path / "train.conll", many)
    data = TaggingData(train=path, validation_share=0.25)
    train, validation = everything(data.train_dataloader()), everything(data.val_dataloader())
    assert (len(train), len(validation)) == (15, 5)
    assert sorted([*train, *validation]) == list(range(20))
    assert any("no validation data" in note for note in data.notes)
    again = TaggingData(train=path, validation_share=0.25)
    assert everything(again.val_dataloader()) == validation
    other = TaggingData(train=path, validation_share=0.25, seed=2)
    assert sorted(everything(other.val_dataloader())) != sorted(validation)
    known = data.featurizer.tokens
    assert sum(f"w{i}" in known for i in range(20)) == 15


@pytest.mark.parametrize("language", ["english", "chinese"])
def test_sample_corpus(language):
    data = TaggingData(sample=language, level="word" if language == "english" else "character")
    assert data.has_test
    assert data.scheme == "BIOES"
    batch = next(iter(data.train_dataloader()))
    assert batch.features.lengths.device.type == "cpu"
    assert (batch.features.tokens != 0).sum() == batch.features.lengths.sum()
    assert len(data.test_dataloader()) >= 1


def test_hub_data_set_with_class_labels(tmp_path):
    names = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    features = datasets.Features(
        {
            "words": datasets.Sequence(datasets.Value("string")),
            "ner": datasets.Sequence(datasets.ClassLabel(names=names)),
        }
    )
    columns = {
        "words": [tokens for tokens, _ in SENTENCES],
        "ner": [[names.index(tag) for tag in tags] for _, tags in SENTENCES],
    }
    rows = datasets.Dataset.from_dict(columns, features=features)
    for split in ("train", "validation"):
        rows.to_parquet(tmp_path / f"{split}.parquet")
    data = TaggingData(hub=str(tmp_path), hub_tokens="words", hub_tags="ner")
    local = files(tmp_path)
    assert data.tags == local.tags
    assert everything(data.val_dataloader()) == everything(local.val_dataloader())
    with pytest.raises(InputError, match=r"no column 'tokens' among words, ner: set data\.hub_t"):
        TaggingData(hub=str(tmp_path)).prepare()
    with pytest.raises(InputError, match="cannot be loaded by datasets"):
        TaggingData(hub=str(tmp_path / "none")).prepare()


def test_vectors_may_be_in_the_encoding_of_the_data_or_in_utf_8(tmp_path):
    line = "Zoë O\n\nAnn B-PER\n\n"
    for name in ("train", "validation"):
        (tmp_path / f"{name}.conll").write_bytes(line.encode("latin-1"))
    for number, encoding in enumerate(("latin-1", "utf-8")):
        path = tmp_path / f"{number}.txt"
        path.write_bytes("Zoë 1 2\nAnn 3 4\n".encode(encoding))
        data = TaggingData(
            train=str(tmp_path / "train.conll"),
            validation=str(tmp_path / "validation.conll"),
            encoding="latin-1",
            vectors=str(path),
        )
        row = data.featurizer.tokens.ids(["Zoë"])[0]
        assert data.vectors_matrix[row].tolist() == [1.0, 2.0]


def test_pretrained_vectors(tmp_path):
    (tmp_path / "v.txt").write_text("berlin 1 2\nparis 3 4\nobama 5 6\nrest 7 8\n")
    data = files(tmp_path, vectors=str(tmp_path / "v.txt"), vectors_limit=2)
    vocabulary, matrix = data.featurizer.tokens.vocabulary, data.vectors_matrix
    assert matrix.shape == (len(vocabulary), 2)
    assert "paris" in vocabulary
    assert "rest" not in vocabulary
    assert matrix[vocabulary.index("Berlin")].tolist() == [1, 2]
    assert matrix[vocabulary.index("Obama")].tolist() == [5, 6]
    assert any("pretrained vectors cover" in note for note in data.notes)
    assert files(tmp_path).vectors_matrix is None


def test_batches_do_not_depend_on_workers(tmp_path):
    def tensors(num_workers):
        data = files(tmp_path, num_workers=num_workers, max_sentences=2)
        return [(batch.features.tokens, batch.tags) for batch in data.train_dataloader()]

    for one, two in zip(tensors(0), tensors(1), strict=True):
        assert all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


def test_over_long_sentences_are_counted_and_kept(tmp_path):
    data = files(tmp_path, max_tokens=4)
    assert any("above the token budget" in note and ": 1" in note for note in data.notes)
    assert sorted(everything(data.train_dataloader())) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"train": [(["a", "b"], ["O", "O"])]}, r"train\.conll: no entity in the training data"),
        ({"validation": [(["a", "b"], ["NN", "VB"])]}, r"dev\.conll: its tags are plain"),
        ({"train": SENTENCES[:1], "validation": None}, "1 examples are too few"),
        ({"train": None, "validation": SENTENCES}, r"without data\.train"),
        ({"hub": "somewhere"}, "both given"),
        ({"max_tokens": 0}, r"data\.max_tokens is 0: it must be 1 or more"),
        ({"validation_share": 1.5}, "is 1.5: give a share between 0 and 1"),
    ],
)
def test_mistakes_are_named(options, message, tmp_path):
    paths = {"train": "train.conll", "validation": "dev.conll"}
    settings = {"train": SENTENCES, "validation": SENTENCES, **options}
    for split, name in paths.items():
        settings[split] = settings[split] and conll(tmp_path / name, settings[split])
    with pytest.raises(InputError, match=message):
        TaggingData(**settings).prepare()


def test_memory_does_not_grow_with_the_corpus(tmp_path):
    def peak(size):
        def read(notes):
            for line in range(size):
                yield TaggedExample(["New", "York", "calls"], None, [Span(0, 2, "LOC")], line)

        path = tmp_path / f"{size}.arrow"
        tracemalloc.start()
        try:
            corpus = store(Source("made", read), path, labels=SPANS, notes=Notes())
            assert count_labels(corpus, spans=True) == {"LOC": size}
            assert len(corpus.rows[[0, size - 1]]["tokens"]) == 2
            return tracemalloc.get_traced_memory()[1] + pyarrow.total_allocated_bytes()
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(20_000) < 1.5 * peak(2_000)


def test_every_option_has_a_line_of_help():
    documented = TaggingData.__doc__.split("Args:")[1]
    for name in signature(TaggingData).parameters:
        assert f"        {name}: " in documented
