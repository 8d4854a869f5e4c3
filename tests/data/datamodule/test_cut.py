"""Validation data cut from the training data: seeded, stratified, equal texts together."""

import json
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.classification.datamodule import ClassificationData
from rnnlp.data.corpus.arrow import write
from rnnlp.data.corpus.cut import Fold, Kin, cut
from rnnlp.data.errors import InputError
from rnnlp.data.generation.datamodule import GenerationData
from rnnlp.data.tagging.datamodule import TaggingData
from rnnlp.data.translation.datamodule import TranslationData

KINS = st.lists(
    st.builds(
        Kin,
        st.sampled_from("abcdefgh"),
        st.lists(st.sampled_from("XYZ"), max_size=2),
        st.sampled_from(["1", "2", "3", "4", None]),
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def cut_of(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")

    def run(kin, *, share=0.1, seed=1):
        rows = [{"tokens": ["x"], "index": i, "line": i + 1} for i in range(len(kin))]
        columns = {"tokens": pa.list_(pa.string()), "index": pa.int64(), "line": pa.int64()}
        path = folder / f"{len(list(folder.iterdir()))}.arrow"
        actual = cut(write(rows, path, columns=columns, name="f"), kin, part=share, seed=seed)
        sides = [list(side.column("index")) for side in (actual.train, actual.validation)]
        assert actual.lines == [index + 1 for index in sides[1]]
        return sides

    return run


@given(KINS, st.floats(0.01, 0.9))
def test_nothing_that_belongs_together_is_parted(cut_of, kin, share):
    kin = [Kin("alone"), Kin("another"), *kin]
    train, validation = cut_of(kin, share=share)
    assert sorted([*train, *validation]) == list(range(len(kin))) and train and validation
    for what in ("text", "group"):
        sides = [{getattr(kin[row], what) for row in side} - {None} for side in (train, validation)]
        assert not sides[0] & sides[1]


@given(KINS, st.integers(2, 4))
def test_folds_are_disjoint_and_together_all(cut_of, kin, folds):
    kin = [*(Kin(f"alone {number}") for number in range(folds)), *kin]
    every = []
    for number in range(1, folds + 1):
        train, validation = cut_of(kin, share=Fold(number, folds))
        assert sorted([*train, *validation]) == list(range(len(kin))) and train and validation
        every += validation
        for what in ("text", "group"):
            sides = [{getattr(kin[row], what) for row in s} - {None} for s in (train, validation)]
            assert not sides[0] & sides[1]
    assert sorted(every) == list(range(len(kin)))


def test_folds_have_each_label_in_its_share(cut_of):
    kin = [Kin(f"t{i}", ["common" if i % 10 else "rare"]) for i in range(1000)]
    for number in range(1, 6):
        _, validation = cut_of(kin, share=Fold(number, 5))
        counts = Counter(kin[row].labels[0] for row in validation)
        assert counts == {"common": 180, "rare": 20}
    with pytest.raises(InputError, match="3 examples are too few to validate on each of 5 folds"):
        cut_of(kin[:3], share=Fold(5, 5))


def test_each_label_stands_on_both_sides_in_its_share(cut_of):
    kin = [Kin(f"t{i}", ["common" if i % 10 else "rare"]) for i in range(1000)] + [
        Kin("one", ["single"])
    ]
    train, validation = cut_of(kin, share=0.2)
    assert Counter(kin[row].labels[0] for row in validation) == {"common": 180, "rare": 20}
    assert any(kin[row].labels == ["single"] for row in train)
    assert cut_of(kin, share=0.2) == [train, validation] != cut_of(kin, share=0.2, seed=2)


def test_many_rare_labels_give_their_share_together(cut_of):
    kin = [Kin(f"t{i}", [f"label {i // 3}"]) for i in range(300)]
    assert len(cut_of(kin, share=0.1)[1]) == 30


def test_one_text_alone_cannot_be_cut(cut_of):
    with pytest.raises(InputError, match="4 examples are too few"):
        cut_of([Kin("a  b"), Kin("a b"), Kin(" a b"), Kin("a b ")])
    with pytest.raises(InputError, match=r"\(equal texts and groups stay together, which leaves 1"):
        cut_of([Kin("a", group="one"), Kin("b", group="one")])


TEXTS = [f"word{i % 30} here" for i in range(60)]  # each of them twice


def _tagging(path):
    path.write_text("".join(f"{t.split()[0]} B-X\nhere O\n\n" for t in TEXTS))
    return TaggingData(train=str(path)), "tokens", range(1, 181, 3)


def _classification(path):
    path.write_text("text,label\n" + "".join(f"{t},{i % 2}\n" for i, t in enumerate(TEXTS)))
    return ClassificationData(train=str(path)), "tokens", range(2, 62)


def _generation(path):
    path.write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS))
    return GenerationData(train=str(path)), "text", range(1, 61)


def _translation(path):
    path.write_text("".join(f"{t}\tdort {i}\n" for i, t in enumerate(TEXTS)))
    return TranslationData(train=str(path)), "source", range(1, 61)


@pytest.mark.parametrize("make", [_tagging, _classification, _generation, _translation])
def test_every_task_keeps_equal_texts_together_and_names_its_lines(make, tmp_path):
    data, column, lines = make(tmp_path / "train.txt")
    corpora = data.read().corpora
    train, validation = (list(corpora[side].column(column)) for side in ("train", "validation"))
    assert (len(train), len(validation)) == (54, 6)
    assert not any(text in train for text in validation)
    told = data.splits()
    assert [lines.index(line) for line in told.pop("validation_lines")] == list(
        corpora["validation"].column("index")
    )
    assert told == {"train": str(tmp_path / "train.txt"), "share": 0.1, "seed": 1}
    assert "no validation data: 6 of 60 training examples" in " ".join(data.notes)
    both = type(data)(train=str(tmp_path / "train.txt"), validation=str(tmp_path / "train.txt"))
    assert both.splits() is None
    assert any("60 of 60" in note and "in the training data as well" in note for note in both.notes)


def test_folds_take_the_place_of_a_validation_split_that_comes_with_the_data(tmp_path):
    """Of a sample corpus, or of a data set of the hub; a file that is named is a contradiction."""
    for split, count in (("train", 30), ("validation", 5), ("test", 5)):
        rows = [json.dumps({"text": f"t {split} {n}", "label": n % 2}) for n in range(count)]
        (tmp_path / f"{split}.jsonl").write_text("\n".join(rows))
    for source, name, total in (
        ({}, "sample corpus (english, train)", 2000),
        ({"hub": str(tmp_path)}, f"{tmp_path} (train)", 30),
    ):
        data = ClassificationData(**source, folds=5, fold=2)
        corpora = data.read().corpora
        assert {*corpora} == {"train", "validation", "test"}
        assert corpora["validation"].name == name
        assert len(corpora["train"].lengths) + len(corpora["validation"].lengths) == total
        assert any("fold 2 of 5, in place of the validation split" in line for line in data.notes)
    with pytest.raises(InputError, match="validation data already: leave out one of them"):
        ClassificationData(hub=str(tmp_path), validation="more.jsonl", folds=5)


def test_the_cut_takes_little_time(cut_of):
    sizes = np.random.default_rng(1).integers(0, 10**6, 20_000)
    _, validation = cut_of([Kin(str(n), [str(n % 500)]) for n in sizes])
    assert len(validation) == pytest.approx(2000, abs=20)


ROWS = [{"doc": i // 5, "words": f"w{i} {i % 2}", "x": "ab"[i % 2]} for i in range(60)]


def _table(path):
    lines = [",".join(map(str, row.values())) for row in (dict.fromkeys(ROWS[0]), *ROWS)]
    lines[0] = ",".join(ROWS[0])
    path.write_text("\n".join(lines) + "\n")
    return ClassificationData(
        train=str(path), group_column="doc", text_column="words", label_column="x"
    )


def _lines(path):
    path.write_text("".join(json.dumps({**row, "text": row["words"]}) + "\n" for row in ROWS))
    return ClassificationData(train=str(path), group_column="doc", label_column="x")


def _spans(path):
    rows = [{"doc": r["doc"], "text": r["words"], "spans": [[0, 2, "X"]]} for r in ROWS]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return TaggingData(train=str(path), group_column="doc")


@pytest.mark.parametrize(
    ("make", "name"), [(_table, "a.csv"), (_lines, "a.jsonl"), (_spans, "a.jsonl")]
)
def test_groups_stay_together(make, name, tmp_path):
    corpora = make(tmp_path / name).read().corpora
    train, validation = (set(corpora[side].column("group")) for side in ("train", "validation"))
    assert len(train) + len(validation) == 12 and validation and not train & validation


def test_groups_that_cannot_be_kept_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    _table(path)
    with pytest.raises(InputError, match=r"no column 'page' among doc, words, x"):
        ClassificationData(
            train=str(path), group_column="page", text_column="words", label_column="x"
        ).read()
    with pytest.raises(InputError, match=r"leave out data\.validation"):
        TaggingData(train=str(path), validation=str(path), group_column="doc")
    (tmp_path / "a.conll").write_text("Anna B-X\n")
    with pytest.raises(InputError, match="for JSON lines, not conll"):
        TaggingData(train=str(tmp_path / "a.conll"), group_column="2").read()
