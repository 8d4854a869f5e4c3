"""A corpus in shards, several processes, and pipelines that are sent to them."""

import copy
import json
import pickle
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import rnnlp as package
from rnnlp.tasks.cli.shards import shards
from rnnlp.tasks.cli.workers import AHEAD, in_order

FOLDERS = Path(__file__).parents[2] / "folders"
CLASSIFIER, TAGGER = FOLDERS / "classification-v1", FOLDERS / "tagging-v1"
WORDS = ["good", "dull", "fine", "merry"] * 3
TEXTS = [f"a {word} film, 第{number}部" for number, word in enumerate(WORDS)]


def answers(out):
    return [json.loads(line) for line in out.splitlines()]


@pytest.fixture
def corpus_in_shards(tmp_path):
    """Three files of four rows each, and what is no shard."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for shard in range(3):
        rows = TEXTS[4 * shard : 4 * shard + 4]
        table = pa.table({"number": range(4 * shard, 4 * shard + 4), "review": rows})
        pq.write_table(table, folder / f"part-{shard}.parquet", row_group_size=2)
    (folder / "_SUCCESS").touch()
    return folder


@pytest.mark.parametrize("name", [".", "part-*.parquet"])
def test_a_folder_and_a_pattern_are_read_in_order(rnnlp, corpus_in_shards, tmp_path, name):
    target = tmp_path / "out.parquet"
    command = ["predict", CLASSIFIER, "--input", corpus_in_shards / name, "--output", target]
    code, _, err = rnnlp(*command)
    assert code == 0, err
    written = pq.read_table(target).to_pydict()
    assert written["review"] == TEXTS and written["number"] == list(range(12))
    assert "3 files" in err and err.count("the text in review") == 1  # said once, holds for all


def test_lines_and_json_lines_in_a_folder(rnnlp, tmp_path):
    (tmp_path / "a.txt").write_text("first\nsecond\n")
    (tmp_path / "b.jsonl").write_text('{"text": "third", "id": 3}\n')
    (tmp_path / "notes.md").write_text("no text of the corpus\n")
    code, out, err = rnnlp("predict", CLASSIFIER, "--input", tmp_path)
    assert code == 0, err
    assert [one["text"] for one in answers(out)] == ["first", "second", "third"]


@pytest.mark.parametrize("damage", ["cut", "emptied", "other"])
def test_a_damaged_shard_is_named_before_anything_is_read(
    rnnlp, corpus_in_shards, tmp_path, damage
):
    broken = corpus_in_shards / "part-1.parquet"
    content = broken.read_bytes()
    broken.write_bytes(
        {"cut": content[:-20], "emptied": b"", "other": b"no parquet at all"}[damage]
    )
    target = tmp_path / "out.jsonl"
    code, out, err = rnnlp("predict", CLASSIFIER, "--input", corpus_in_shards, "--output", target)
    assert code == 2 and out == "" and err.count("\n") == 1 and f"{broken}: cannot be read" in err
    assert not target.exists()


def test_a_shard_that_is_damaged_inside_is_named(rnnlp, corpus_in_shards):
    broken = corpus_in_shards / "part-1.parquet"
    content = bytearray(broken.read_bytes())
    content[4:40] = b"\xff" * 36
    broken.write_bytes(content)
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", corpus_in_shards)
    assert code == 2 and f"{broken}: cannot be read" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("name", "said"), [("none-*.txt", "no file fits"), ("empty", "no file in it ends in")]
)
def test_no_shards(rnnlp, tmp_path, name, said):
    (tmp_path / "empty").mkdir()
    code, _, err = rnnlp("encode", TAGGER, "--input", tmp_path / name, "--output", "x.npy")
    assert code == 2 and said in err and err.count("\n") == 1


def test_a_name_with_brackets_that_is_a_file(tmp_path):
    file = tmp_path / "a[1].txt"
    file.touch()
    assert shards(str(file)) == [str(file)]


@pytest.fixture
def small_chunks(monkeypatch):
    from rnnlp.tasks.cli import rows

    monkeypatch.setattr(rows, "CHUNK", 2)


def test_workers_answer_in_order_as_one_does(rnnlp, corpus_in_shards, small_chunks):
    """Each text has the random numbers of its place, whichever process writes it."""
    command = ["predict", FOLDERS / "generation-v1", "--input", corpus_in_shards]
    command += ["--count", 2, "--max_length", 8]
    alone = rnnlp(*command)[1]
    code, out, err = rnnlp(*command, "--workers", 2)
    assert code == 0, err
    assert out == alone and [one["text"] for one in answers(out)[::2]] == TEXTS


def test_workers_encode_in_order(rnnlp, corpus_in_shards, small_chunks, tmp_path):
    vectors = {}
    for workers in (1, 2):
        target = tmp_path / f"{workers}.npy"
        command = ["encode", TAGGER, "--input", corpus_in_shards, "--output", target]
        code, _, err = rnnlp(*command, "--workers", workers)
        assert code == 0, err
        vectors[workers] = np.load(target)
    assert len(vectors[2]) == len(TEXTS)
    np.testing.assert_allclose(vectors[1], vectors[2], atol=1e-6)


def test_a_mistake_in_a_later_shard_is_a_line(rnnlp, corpus_in_shards):
    (corpus_in_shards / "part-9.jsonl").write_text('{"review": "x"}\n{"review": 3}\n')
    code, _, err = rnnlp("predict", CLASSIFIER, "--input", corpus_in_shards, "--workers", 2)
    last = err.splitlines()[-1]
    assert code == 2 and "part-9.jsonl:2: 'review' is 3, not a text" in last


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--workers", "0"], "--workers is 0: give 1 to"),
        (["--workers", "9999"], "--workers is 9,999: give 1 to"),
        (["--workers", "2", "--stream"], "leave out --stream"),
    ],
)
def test_workers_that_are_none(rnnlp, options, said):
    code, _, err = rnnlp("predict", CLASSIFIER, *options)
    assert code == 2 and said in err


def half(number):
    return number / 2


def test_only_a_few_items_are_read_ahead():
    """However long the corpus is, few chunks of it are in memory."""
    read = []

    def items():
        for number in range(10_000):
            read.append(number)
            yield number, number

    results = in_order(half, items(), workers=2)
    assert list(islice(results, 3)) == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert len(read) <= 3 + 2 * AHEAD
    results.close()


@pytest.mark.parametrize("folder", [CLASSIFIER, TAGGER, FOLDERS / "translation-v1"])
def test_a_pipeline_is_pickled_by_its_folder(folder, monkeypatch, tmp_path):
    monkeypatch.chdir(folder.parent)
    pipeline = package.load(folder.name)
    sent = pickle.dumps(pipeline)
    assert len(sent) < 500
    monkeypatch.chdir(tmp_path)
    assert pickle.loads(sent)(TEXTS) == pipeline(TEXTS)
    assert pickle.dumps(pickle.loads(sent)) == sent


def test_a_copy_has_weights_of_its_own_and_is_sent_to_nobody():
    pipeline = package.load(CLASSIFIER)
    before = pipeline(TEXTS)
    twin = copy.deepcopy(pipeline)
    for parameter in twin.network.parameters():
        parameter.data.zero_()
    assert twin(TEXTS) != before == pipeline(TEXTS)
    with pytest.raises(package.InputError, match="save this one and load it"):
        pickle.dumps(twin)


def test_an_ensemble_is_pickled_by_its_folders():
    pipeline = package.load([CLASSIFIER, CLASSIFIER])
    again = pickle.loads(pickle.dumps(pipeline))
    assert again.members == 2 and again(TEXTS) == pipeline(TEXTS)


def test_a_pipeline_in_map_of_datasets():
    """Two processes answer; rows stay in order, and the result can be kept by its fingerprint."""
    from datasets import Dataset
    from datasets.fingerprint import Hasher

    pipeline = package.load(CLASSIFIER)

    def label(batch):
        return {"label": [answer["label"] for answer in pipeline(batch["text"])]}

    data = Dataset.from_dict({"text": TEXTS})
    mapped = data.map(label, batched=True, batch_size=3, num_proc=2)
    assert mapped["label"] == [answer["label"] for answer in pipeline(TEXTS)]
    assert Hasher.hash(package.load(CLASSIFIER)) == Hasher.hash(pipeline)
    assert Hasher.hash(package.load(TAGGER)) != Hasher.hash(pipeline)


def test_a_pipeline_in_map_batches_of_ray(tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_worker_niceness", "0")  # 15 starves it where other work is at hand
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    pytest.importorskip("ray", reason="Ray Data is tried where it is installed")
    import ray

    pipeline = package.load(CLASSIFIER)

    def label(batch):
        batch["label"] = [answer["label"] for answer in pipeline(list(batch["text"]))]
        return batch

    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "texts.parquet", row_group_size=4)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    try:
        rows = ray.data.read_parquet(tmp_path).map_batches(label, batch_size=4).take_all()
    finally:
        ray.shutdown()
    assert {row["text"]: row["label"] for row in rows} == {
        text: answer["label"] for text, answer in zip(TEXTS, pipeline(TEXTS), strict=True)
    }
