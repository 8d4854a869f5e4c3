"""ROUGE: the library's figures for English, characters for Chinese, a line where it is missing."""

import sys

import pytest

from rnnlp.data.errors import InputError
from rnnlp.tasks.translation.rouge import rouge
from rnnlp.tasks.translation.scores import TranslationScores, score_lines

scorer = pytest.importorskip("rouge_score.rouge_scorer")
SAID = ["Storm hits the old town!", "nobody won", ""]
GOLD = [["A storm hit the old town"], ["Nobody has won 2 - 1"], ["rain"]]


def test_english_is_counted_as_the_library_does():
    actual = rouge(SAID, GOLD, by_character=False)
    theirs = scorer.RougeScorer(["rouge1", "rouge2", "rougeL"])
    for name, key in (("rouge_1", "rouge1"), ("rouge_2", "rouge2"), ("rouge_l", "rougeL")):
        scores = [theirs.score(g[0], s)[key].fmeasure for s, g in zip(SAID, GOLD, strict=True)]
        assert actual[name] == pytest.approx(100 * sum(scores) / 3)
    assert actual["rouge_l"] > 30


def test_words_of_other_scripts_count():
    scores = TranslationScores(language="zh", level="character", beam_size=1, rouge=True)
    scores.add(["大雨袭击北京"], [["暴雨袭击北京。"]], log_probability=-1.0, tokens=3)
    result = scores.result()
    assert result["rouge_1"] == pytest.approx(100 * 5 / 6)  # 雨袭击北京
    assert result["rouge_2"] == pytest.approx(100 * 4 / 5)
    assert any("ROUGE-L 83.33" in line for line in score_lines(result, "policy"))
    assert rouge(["Größe zählt"], [["größe", "nichts"]], by_character=False)[
        "rouge_1"
    ] == pytest.approx(200 / 3)


def test_without_the_library(rnnlp, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "rouge_score.rouge_scorer", None)
    with pytest.raises(InputError, match=r"pip install 'rnnlp\[rouge\]'"):
        rouge(SAID, GOLD, by_character=False)
    code, _, err = rnnlp(
        *("fit", "--config", "summarisation", "--model.metric", "rouge_l"),
        *("--output", tmp_path / "model"),
    )
    assert code == 2 and "needs the package rouge-score" in err and "Traceback" not in err
