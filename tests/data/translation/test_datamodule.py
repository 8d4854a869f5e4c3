import json
import re
import tracemalloc
from inspect import signature
from pathlib import Path

import datasets
import pyarrow
import pytest
import torch

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TARGET_FILE, Featurizer
from rnnlp.data.text.tokenizer import BOS, EOS, PAD, UNK, Tokenizer
from rnnlp.data.translation.collate import TranslationCollate
from rnnlp.data.translation.datamodule import TranslationData

ADJECTIVES = {"red": "rote", "big": "große", "small": "kleine", "old": "alte", "new": "neue"}
NOUNS = {"house": "Haus", "horse": "Pferd", "child": "Kind", "book": "Buch", "bed": "Bett"}
TRAIN = [
    (f"The {first} and {second} {noun}.", f"Das {ADJECTIVES[first]} und {ADJECTIVES[second]} {das}")
    for first in ADJECTIVES
    for second in ADJECTIVES
    for noun, das in NOUNS.items()
]
DEV = [("The old house.", "Das alte Haus"), TRAIN[3], (TRAIN[4][0], "Etwas anderes")]


def files(folder, train=TRAIN, validation=DEV, **options):
    for name, pairs in (("train", train), ("dev", validation)):
        for side, language in enumerate(("en", "de")):
            text = "".join(pair[side] + "\n" for pair in pairs)
            Path(folder, f"{name}.{language}").write_text(text, encoding="utf-8")
    options = {"vocabulary_size": 320, **options}
    return TranslationData(
        train=str(folder / "train"),
        validation=str(folder / "dev"),
        source="en",
        target="de",
        **options,
    )


def everything(loader):
    """Number -> (source ids, target ids with their ends, source, target) of a loader's pairs."""
    actual = {}
    for batch in loader:
        assert batch.target_lengths.device.type == "cpu"
        assert batch.target.dtype == batch.target_lengths.dtype == torch.int64
        for row, number in enumerate(batch.number.tolist()):
            ids = batch.features.tokens[row, : batch.features.lengths[row]].tolist()
            target, rest = batch.target[row].split(
                [batch.target_lengths[row], batch.target.shape[1] - batch.target_lengths[row]]
            )
            assert (rest == PAD).all()
            assert number not in actual
            actual[number] = ids, target.tolist(), batch.sources[row], batch.gold[row]
    return actual


def test_files(tmp_path):
    data = files(tmp_path)
    assert not data.has_test
    assert data.vectors_matrix is None
    actual = everything(data.train_dataloader())
    assert sorted(actual) == list(range(len(TRAIN)))
    for number, (source, target) in enumerate(TRAIN):
        ids = data.featurizer.tokens.encode(source)[0]
        gold = data.target_tokenizer.encode(target)[0]
        assert actual[number] == (ids, [BOS, *gold, EOS], source, target)
    assert [everything(data.val_dataloader())[i][2:] for i in range(3)] == DEV
    with pytest.raises(InputError, match=r"set data\.test"):
        data.test_dataloader()


def test_notes_say_what_the_splits_hold(tmp_path):
    notes = files(tmp_path, train=[*TRAIN, (TRAIN[0][0], "Anders")]).notes
    assert notes[0].startswith("train: 126 pairs, on average ")
    assert "sub-words in en and " in notes[0]
    assert "train: 1 different sources have several translations" in notes
    assert (
        "validation: 2 of 3 sources are in the training data as well, 1 of them with the same "
        "translation"
    ) in notes
    assert any(re.fullmatch(r"vocabulary: \d+ sub-words of en, \d+ of de", note) for note in notes)


def test_batches_are_measured_by_the_longer_side(tmp_path):
    train = [*TRAIN[:40], ("a", "lang " * 30), ("long " * 30, "b")]
    data = files(tmp_path, train=train, max_tokens=120, max_length=None)
    seen = 0
    for batch in data.train_dataloader():
        rows = len(batch.gold)
        longest = max(batch.features.tokens.shape[1], batch.target.shape[1] - 1)
        assert rows == 1 or rows * longest <= 120
        seen += rows
    assert seen == len(train)


def test_pairs_with_a_long_side_are_left_out_of_training_only(tmp_path):
    long = [("a " * 40, "kurz"), ("short", "b " * 40)]
    data = files(tmp_path, train=[*TRAIN, *long], validation=[*DEV, *long], max_length=39)
    assert sorted(everything(data.train_dataloader())) == list(range(len(TRAIN)))
    assert len(everything(data.val_dataloader())) == len(DEV) + 2
    assert "train pairs with a side of more than 39 tokens, left out: 2" in data.notes
    assert "validation pairs with a side of more than 39 tokens, kept: 2" in data.notes
    assert any(note.startswith("train: 125 pairs") for note in data.notes)


def test_a_share_of_training_is_cut_off_for_validation(tmp_path):
    files(tmp_path)
    data = TranslationData(
        train=str(tmp_path / "train"), source="en", target="de", vocabulary_size=300
    )
    train, validation = (
        everything(loader) for loader in (data.train_dataloader(), data.val_dataloader())
    )
    assert len(validation) == 12
    assert sorted([*train, *validation]) == list(range(125))
    assert all(actual[2:] == TRAIN[number] for number, actual in (train | validation).items())


def test_one_vocabulary_for_both_sides(tmp_path):
    data = files(tmp_path, joint_vocabulary=True, bpe_dropout=0.1, vocabulary_size=1000)
    assert data.featurizer.tokens is data.target_tokenizer
    assert any(
        re.fullmatch(r"one vocabulary of \d+ sub-words for both sides", note) for note in data.notes
    )
    assert "ĠPferd" in data.target_tokenizer.vocabulary
    assert "Ġhorse" in data.target_tokenizer.vocabulary
    data.save_tokenizers(tmp_path)
    names = "tokenizer.json", TARGET_FILE
    assert (tmp_path / names[0]).read_bytes() == (tmp_path / names[1]).read_bytes()


def test_saved_tokenizers_are_those_of_training(tmp_path):
    data = files(tmp_path)
    data.save_tokenizers(tmp_path)
    featurizer = Featurizer.load(tmp_path)
    target = Tokenizer.load(tmp_path / TARGET_FILE)
    assert featurizer.level == "bpe"
    assert featurizer.tokens.vocabulary == data.featurizer.tokens.vocabulary
    assert target.vocabulary == data.target_tokenizer.vocabulary
    rows = {"source": ["Horses?", "a"], "target": ["Pferde!", "b"], "index": [0, 1]}
    one = TranslationCollate(featurizer=featurizer, target_tokenizer=target)(rows)
    other = TranslationCollate(featurizer=data.featurizer, target_tokenizer=data.target_tokenizer)(
        rows
    )
    assert one.features.tokens.equal(other.features.tokens)
    assert one.target.equal(other.target)


def test_lower_case_is_for_the_sources_only(tmp_path):
    data = files(tmp_path, lowercase=True)
    assert data.featurizer.encode("THE HORSE")[0] == data.featurizer.encode("the horse")[0]
    assert data.target_tokenizer.decode(data.target_tokenizer.encode("Das Haus")[0]) == "Das Haus"
    assert "ĠHaus" in data.target_tokenizer.vocabulary


@pytest.mark.parametrize("level", ["word", "character"])
def test_words_and_characters(level, tmp_path):
    data = files(tmp_path, level=level, vocabulary_size=None, validation=[("\u200b", "Das Haus")])
    ids, target, *texts = everything(data.val_dataloader())[0]
    assert ids == ([UNK] if level == "word" else data.featurizer.tokens.encode("\u200b")[0])
    assert target == [BOS, *data.target_tokenizer.encode("Das Haus")[0], EOS]
    assert texts == ["\u200b", "Das Haus"]


def epoch(data, number, *, num_workers=0, start=0):
    data.num_workers = num_workers
    loader = data.train_dataloader()
    loader.load_state_dict({"epoch": number, "batch": start, "batches": len(loader)})
    iterator = iter(loader)
    loader.sampler.set_epoch(number)  # as Lightning does it: after asking for an iterator
    return [
        (batch.features.tokens.tolist(), batch.target.tolist(), batch.number.tolist())
        for batch in iterator
    ]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_resumed_run_draws_the_same_sub_words(num_workers, tmp_path):
    data = files(tmp_path, bpe_dropout=0.2, max_tokens=200)
    whole = epoch(data, 3)
    assert epoch(data, 3, num_workers=num_workers) == whole
    again = files(tmp_path, bpe_dropout=0.2, max_tokens=200)
    assert epoch(again, 3, num_workers=num_workers, start=4) == whole[4:]
    assert epoch(data, 4, num_workers=num_workers) != whole


def test_sub_words_of_a_pair_depend_on_seed_epoch_and_number_alone(tmp_path):
    data = files(tmp_path, bpe_dropout=0.3)
    plain = everything(files(tmp_path).train_dataloader())
    first = everything(data.train_dataloader())
    assert first == everything(data.train_dataloader())
    small = everything(files(tmp_path, bpe_dropout=0.3, max_tokens=70).train_dataloader())
    assert first == small
    loader = data.train_dataloader()
    loader.sampler.set_epoch(1)
    assert sum(a != b for a, b in zip(first.values(), everything(loader).values(), strict=True)) > 9
    assert sum(first[number] != plain[number] for number in plain) > len(plain) / 2
    tokens = data.featurizer.tokens
    for ids, target, source, gold in first.values():
        assert tokens.decode(ids) == source
        assert data.target_tokenizer.decode(target) == gold
    validation = everything(data.val_dataloader())
    assert all(ids == tokens.encode(source)[0] for ids, _, source, _ in validation.values())


@pytest.mark.parametrize("languages", [("zh", "en"), ("en", "zh")])
def test_sample_corpus(languages):
    source, target = languages
    data = TranslationData(source=source, target=target)
    assert data.has_test
    actual = everything(data.val_dataloader())
    assert len(actual) == 300
    for _, _, left, right in actual.values():
        chinese, english = (left, right) if source == "zh" else (right, left)
        assert english.isascii()
        assert not chinese.isascii()


@pytest.mark.parametrize("nested", [False, True])
def test_hub_data_set(nested, tmp_path):
    rows = [{"en": source, "de": target} for source, target in TRAIN]
    table = datasets.Dataset.from_list([{"translation": row} for row in rows] if nested else rows)
    if nested:
        table = table.cast(
            datasets.Features({"translation": datasets.Translation(languages=["en", "de"])})
        )
    for split in ("train", "validation"):
        table.to_parquet(tmp_path / f"{split}.parquet")
    hub = {"hub": str(tmp_path), "vocabulary_size": 300}
    data = TranslationData(source="en", target="de", **hub)
    actual = everything(data.val_dataloader())
    assert [actual[number][2:] for number in range(len(TRAIN))] == TRAIN
    with pytest.raises(InputError, match=r"no (key|column) 'fr' among .*: set data\.target or"):
        TranslationData(source="en", target="fr", **hub).prepare()
    with pytest.raises(InputError, match="would both be column 'de'"):
        TranslationData(source="en", target="de", source_column="de", **hub).prepare()


def test_mistakes_in_a_hub_data_set_are_named_with_their_row(tmp_path):
    for text, message in (("  ", "1 examples are too few"), (None, r"\(train\):2: .*not a text")):
        table = datasets.Dataset.from_dict({"en": ["a", "b"], "de": ["c", text]})
        table.to_parquet(tmp_path / "train.parquet")
        with pytest.raises(InputError, match=message):
            TranslationData(source="en", target="de", hub=str(tmp_path)).prepare()


def test_other_formats(tmp_path):
    path = tmp_path / "all.jsonl"
    path.write_text("".join(json.dumps({"en": x, "de": y}) + "\n" for x, y in TRAIN))
    table = tmp_path / "dev.tsv"
    table.write_text("".join(f"{y}\t{x}\n" for x, y in DEV), encoding="utf-8")
    data = TranslationData(
        train=str(path), validation=str(table), source="en", target="de", vocabulary_size=300,
        source_column=2, target_column=1, format="tsv",
    )  # fmt: skip
    with pytest.raises(InputError, match=r"all\.jsonl:1: the text in 'en' would be in column 2"):
        data.prepare()
    data = TranslationData(
        train=str(path), validation=str(path), source="de", target="en", vocabulary_size=300
    )
    assert everything(data.val_dataloader())[0][2:] == TRAIN[0][::-1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 1}, r"every training pair has a side of more than 1 tokens: raise data\.m"),
        ({"max_length": 0}, r"data\.max_length is 0"),
        ({"vocabulary_size": 259}, r"data\.vocabulary_size is 259: .* 256 bytes .* 260 or more"),
        ({"level": "word", "vocabulary_size": 4}, r"data\.vocabulary_size is 4: it must be 5"),
        ({"bpe_dropout": 1.0}, r"data\.bpe_dropout is 1\.0: give a probability"),
        ({"bpe_dropout": 0.1, "level": "word"}, r"is for data\.level bpe, not word"),
        ({"lowercase": True, "joint_vocabulary": True}, r"data\.lowercase is for the sources only"),
        ({"max_tokens": 0}, r"data\.max_tokens is 0"),
    ],
)
def test_mistakes_are_named(options, message, tmp_path):
    with pytest.raises(InputError, match=message):
        files(tmp_path, **options).prepare()


def test_languages_must_fit_the_data():
    with pytest.raises(InputError, match=r"no data from 'en' to 'de': set data\.train, or"):
        TranslationData(source="en", target="de")
    with pytest.raises(InputError, match=r"data\.source and data\.target are both 'en'"):
        TranslationData(train="x", source="en", target="en")


def test_memory_does_not_grow_with_the_file(tmp_path):
    def peak(size):
        pairs = [
            (f"The {size + i % 99} books.", f"Die {size + i % 99} Bücher") for i in range(size)
        ]
        data = files(tmp_path, train=pairs, validation=pairs[:10])
        del pairs
        tracemalloc.start()
        try:
            assert len(data.train_dataloader()) > 0
            return tracemalloc.get_traced_memory()[1] + pyarrow.total_allocated_bytes()
        finally:
            tracemalloc.stop()

    peak(10)
    assert peak(20_000) < 2.5 * peak(2_000)  # some 50 bytes a pair, where a pair is 150


def test_every_option_has_a_line_of_help():
    documented = TranslationData.__doc__.split("Args:")[1]
    for name in signature(TranslationData).parameters:
        assert f"        {name}: " in documented
