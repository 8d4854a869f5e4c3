"""Several references a source: each score is that of its library, or of the nearest one."""

import json
from pathlib import Path

import pytest
from sacrebleu.metrics import BLEU, CHRF

import rnnlp as package
from rnnlp.tasks.translation.scores import (
    TranslationScores,
    compare,
    exact_match,
    symbol_error_rate,
    translation_scores,
)

GOLDEN = Path(__file__).parents[2] / "folders" / "translation-v1"
SAID = ["the cat sat on the mat", "a dog ran off", "no rain today"]
RIGHT = [
    ["a cat sat on the mat", "the cat sat on a mat"],
    ["a dog ran off"],
    ["rain", "no rain", "no"],
]


def test_scores_are_those_of_sacrebleu():
    actual = translation_scores(SAID, RIGHT, language="en")
    streams = [[*column] for column in zip(*(r + r[:1] * (3 - len(r)) for r in RIGHT), strict=True)]
    assert actual["bleu"] == pytest.approx(BLEU().corpus_score(SAID, streams).score)
    assert actual["chrf"] == pytest.approx(CHRF().corpus_score(SAID, streams).score)
    assert "nrefs:var" in actual["signature"]
    fewer = translation_scores(SAID, [right[:1] for right in RIGHT], language="en")
    assert fewer["bleu"] < actual["bleu"] and "nrefs:1" in fewer["signature"]
    assert compare(SAID, SAID, RIGHT, language="en")["bleu"] == round(actual["bleu"], 2)


def test_the_nearest_counts():
    assert exact_match(SAID, RIGHT) == pytest.approx(100 / 3)
    assert exact_match(["no"], [RIGHT[2]]) == 100
    # two words of twelve: "the" for "a", and "today" that is in no reference
    assert symbol_error_rate(SAID, RIGHT, level="word") == pytest.approx(100 * 2 / 12)
    scores = TranslationScores(language="en", level="word", beam_size=1)
    scores.add(SAID, RIGHT, log_probability=-1.0, tokens=3)
    assert "of several references BLEU and chrF take all" in scores.policy
    assert scores.result()["exact_match"] == pytest.approx(100 / 3)


def test_evaluate_reads_them_from_a_list_and_from_columns(rnnlp, tmp_path):
    pipeline = package.load(GOLDEN)
    source, target = pipeline.settings.source, pipeline.settings.target
    texts = ["他 昨天", "书", "我们 去"]
    said = [answer["translation_text"] for answer in pipeline(texts)]
    right = [["x", said[0]], ["y"], ["z", "w", said[2]]]
    rows = [{source: text, target: some} for text, some in zip(texts, right, strict=True)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    lines = ["\t".join(["source", "a", "b", "c"])]
    lines += [
        "\t".join([text, *some, *[""] * (3 - len(some))])
        for text, some in zip(texts, right, strict=True)
    ]
    (tmp_path / "b.tsv").write_text("\n".join(lines) + "\n")
    results = []
    for options in (
        (tmp_path / "a.jsonl",),
        (tmp_path / "b.tsv", "--source_column", "source", "--target_column", "a,b,c"),
        (tmp_path / "b.tsv", "--source_column", "1", "--target_column", "2,3,4"),
    ):
        code, out, err = rnnlp("evaluate", GOLDEN, *options, "--json")
        assert code == 0, err
        actual = json.loads(out)
        if options[-1] == "2,3,4":  # the header is a row as well
            assert actual["examples"] == 4
            continue
        results.append(
            {name: actual[name] for name in ("bleu", "chrf", "exact_match", "perplexity")}
        )
    assert results[0] == results[1] and results[0]["exact_match"] == pytest.approx(200 / 3)
    code, out, _ = rnnlp("evaluate", GOLDEN, tmp_path / "a.jsonl")
    assert "perplexity the first" in out


def test_lists_are_not_learned_from_and_hold_texts(rnnlp, tmp_path):
    (tmp_path / "a.jsonl").write_text('{"zh": "一", "en": ["one", "a"]}\n')
    fit = ("fit", "--config", "translation", "--data.train", tmp_path / "a.jsonl")
    code, _, err = rnnlp(*fit, "--output", tmp_path / "m")
    assert code == 2 and "a.jsonl:1: 'en' is a list of texts, which evaluate scores against" in err
    pipeline = package.load(GOLDEN)
    source, target = pipeline.settings.source, pipeline.settings.target
    for value, message in (('["a", 3]', "['a', 3], not a text"), ("[]", "[], not a text")):
        (tmp_path / "a.jsonl").write_text(f'{{"{source}": "a", "{target}": {value}}}\n')
        code, _, err = rnnlp("evaluate", GOLDEN, tmp_path / "a.jsonl")
        assert code == 2 and f"a.jsonl:1: {target!r} is {message}" in err, err
    (tmp_path / "a.tsv").write_text("s\tt\tu\na\tb\tc\na\tb\n")
    options = ("--source_column", "s", "--target_column", "t,u")
    code, _, err = rnnlp("evaluate", GOLDEN, tmp_path / "a.tsv", *options)
    assert code == 0, err  # a source may have fewer references than others
    code, _, err = rnnlp("evaluate", GOLDEN, tmp_path / "a.tsv", *options[:3], "t,v")
    assert code == 2 and "no column 'v' among s, t, u" in err
