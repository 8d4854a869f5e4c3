"""Batches of models in use: where each position is wide, there are fewer of them at a time."""

from pathlib import Path

import pytest

from rnnlp import evaluate, load
from rnnlp.tasks.base import length_batches
from rnnlp.tasks.base.length_batches import NUMBERS, by_length, positions
from rnnlp.tasks.generation import scores

FOLDERS = Path(__file__).parents[2] / "folders"
TEXTS = ["Ann saw Rome.", "Bob ran.", "Cy sat, and Di left."]


def test_batches_by_length():
    lengths = [3, 0, 9, 3, 1, 30]
    batches = list(by_length(lengths, budget=10))
    assert sorted(row for batch in batches for row in batch) == [0, 2, 3, 4, 5]
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[row] for row in batch) <= 10
    assert max(map(len, batches)) == 3
    assert max(map(len, by_length(lengths, budget=10, most=2))) == 2


def test_positions():
    assert positions(8192, width=12 * 9) == 8192
    assert positions(8192, width=2 * 50_000) == NUMBERS // 100_000 == 671
    assert positions(8192, width=10**9) == 1


@pytest.mark.parametrize("task", ["tagging", "translation"])
def test_wide_scores_are_held_for_few_texts_at_a_time(task, monkeypatch):
    pipeline = load(FOLDERS / f"{task}-v1")
    verb = {"tagging": "decode", "translation": "search"}[task]
    options = {"translation": {"beam_size": 2, "max_length": 3}}.get(task, {})
    rows, run = [], getattr(pipeline.engine, verb)

    def spied(batch, *args, **more):
        rows.append(len(batch.lengths))
        return run(batch, *args, **more)

    monkeypatch.setattr(pipeline.engine, verb, spied)
    together = pipeline(TEXTS, **options)
    assert rows == [3]
    monkeypatch.setattr(length_batches, "NUMBERS", 1)
    alone = pipeline(TEXTS, **options)
    assert rows == [3, 1, 1, 1]
    assert [one["text"] for one in alone] == TEXTS
    assert str(alone) == str(together)


def test_texts_are_read_in_pieces_where_the_vocabulary_is_large(monkeypatch, tmp_path):
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS))
    sizes = []

    def spied(self, stretch, read, run=scores.TextScores.add):
        sizes.append(sum(stretch.lengths))
        return run(self, stretch, read)

    monkeypatch.setattr(scores.TextScores, "add", spied)
    whole = evaluate(FOLDERS / "generation-v1", tmp_path / "texts.txt")
    monkeypatch.setattr(length_batches, "NUMBERS", 2 * 150 * 5)  # of a vocabulary of 150 tokens
    pieces = evaluate(FOLDERS / "generation-v1", tmp_path / "texts.txt")
    assert max(sizes[1:]) <= 5 and sum(sizes[1:]) == sizes[0]
    assert pieces["perplexity"] == pytest.approx(whole["perplexity"], rel=1e-5)
