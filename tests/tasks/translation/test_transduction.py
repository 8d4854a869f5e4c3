"""Short strings to short strings: letters to sounds, lemma with features to form."""

import json
from itertools import islice

import pytest
from torchmetrics.functional.text import char_error_rate, word_error_rate

import rnnlp as package
from rnnlp.data.translation.sample_strings import sample_forms, sample_sounds
from rnnlp.tasks.translation.scores import (
    TranslationScores,
    exact_match,
    symbol_error_rate,
)

SMALL = (
    *("--model.embedding.size", 24, "--model.encoder.hidden_size", 32),
    *("--model.decoder.hidden_size", 32, "--model.decoder.attention_size", 16),
    *("--model.optimizer.learning_rate", 0.02, "--trainer.enable_progress_bar", "false"),
)


@pytest.fixture(scope="module")
def inflector(tmp_path_factory):
    from rnnlp.tasks.cli import main as cli

    folder = tmp_path_factory.mktemp("forms")
    for split, count in (("train", 300), ("validation", 40)):
        rows = []
        for pair in islice(sample_forms(split), count):
            lemma, features = pair.source.split("\t")
            rows.append(f"{lemma}\t{features}\t{pair.target}\n")
        (folder / f"{split}.tsv").write_text("".join(rows), encoding="utf-8")
    arguments = (
        *("fit", "--config", "inflection", "--data.train", folder / "train.tsv"),
        *("--data.validation", folder / "validation.tsv", "--output", folder / "model"),
        *("--trainer.max_epochs", 4, *SMALL),
    )
    assert cli.run([str(argument) for argument in arguments]) == 0
    return folder


def test_features_change_the_form(inflector):
    model = package.load(inflector / "model")
    answers = model(["makhut\tN;SG;NOM", "makhut\tV;FUT;1;PL"])
    assert answers[0]["translation_text"] != answers[1]["translation_text"]
    assert answers[0]["text"] == "makhut\tN;SG;NOM"
    batch = model(["stil\tN;SG;NOM", "makhut\tN;SG;NOM", "lo\tN;PL;GEN"])
    assert batch[1] == answers[0]


def test_what_training_never_had_is_named(rnnlp, inflector, tmp_path):
    texts = tmp_path / "texts.txt"
    texts.write_text("ħaħß\tN;PAUCAL\nmak\tN;SG\n", encoding="utf-8")
    code, out, err = rnnlp("predict", inflector / "model", "--input", texts)
    assert code == 0 and len(out.splitlines()) == 2
    assert err.count("not in the vocabulary") == 1
    assert "not in the vocabulary of lemma, unread: 'ħ', 'ß', 'PAUCAL'" in err


def test_evaluate_reads_the_columns_of_training(rnnlp, inflector):
    code, out, err = rnnlp(
        *("evaluate", inflector / "model", inflector / "validation.tsv", "--json"),
    )
    assert code == 0, err
    stored = json.loads((inflector / "model" / "metrics.json").read_text())["validation"]
    actual = json.loads(out)
    for name in ("exact_match", "symbol_error_rate", "chrf"):
        assert actual[name] == stored[name]


def _answers(rnnlp, model, path, *options):
    code, out, err = rnnlp("predict", model, "--input", path, *options)
    assert code == 0, err
    lines = map(json.loads, out.splitlines())
    return [(one["text"], one["translation_text"], one["score"]) for one in lines], err


def test_features_are_read_from_every_kind_of_file(rnnlp, inflector, tmp_path):
    model = inflector / "model"
    cells = [("makhut", "N;SG;NOM"), ("makhut", "V;FUT;1;PL"), ("stil", "N;PL;GEN")]
    plain = tmp_path / "cells.txt"
    plain.write_text("".join(f"{lemma}\t{marks}\n" for lemma, marks in cells), encoding="utf-8")
    gold, _ = _answers(rnnlp, model, plain)
    table = tmp_path / "cells.tsv"
    table.write_text(plain.read_text())
    said, err = _answers(rnnlp, model, table)
    assert said == gold and "the text in 1, its features in 2" in err
    table.write_text("lemma\tfeatures\n" + plain.read_text())
    said, err = _answers(rnnlp, model, table)
    assert said == gold and "a table with a header" in err
    rows = [{"form": "", "features": marks, "lemma": lemma} for lemma, marks in cells]
    rows[1]["features"] = rows[1]["features"].split(";")
    lines = tmp_path / "cells.jsonl"
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert _answers(rnnlp, model, lines, "--text_column", "lemma")[0] == gold
    code, out, _ = rnnlp("predict", model, "--input", lines, "--text_column", "lemma")
    assert code == 0
    lines.write_text(out)  # what predict writes is read
    assert _answers(rnnlp, model, lines)[0] == gold


def test_files_without_features_are_refused(rnnlp, inflector, tmp_path):
    model, lines, table = inflector / "model", tmp_path / "no.jsonl", tmp_path / "no.csv"
    lines.write_text('{"lemma": "makhut", "form": "makhuta"}\n')
    table.write_text("makhut\n")
    for path, options in ((lines, ("--text_column", "lemma")), (table, ())):
        code, out, err = rnnlp("predict", model, "--input", path, *options)
        assert code == 2 and not out and "no features beside the text among" in err
        assert f"{path}:1" in err and "call their column 'features'" in err
    code, _, err = rnnlp("evaluate", model, lines)
    assert code == 2 and "no key 'features' among lemma, form: set --features_column" in err
    code, _, err = rnnlp("predict", model, "makhut")
    assert code == 0 and "no features after a tab" in err


def test_evaluate_reads_features_of_another_format(rnnlp, inflector, tmp_path):
    lines = tmp_path / "validation.jsonl"
    rows = (row.split("\t") for row in (inflector / "validation.tsv").read_text().splitlines())
    named = (dict(zip(("lemma", "features", "form"), row, strict=True)) for row in rows)
    lines.write_text("".join(json.dumps(row) + "\n" for row in named))
    scores = [
        json.loads(rnnlp("evaluate", inflector / "model", path, "--json")[1])["perplexity"]
        for path in (inflector / "validation.tsv", lines)
    ]
    assert scores[0] == scores[1]


def test_exported_inflection_gives_the_same(rnnlp, inflector):
    code, _, err = rnnlp("export", inflector / "model", "--output", inflector / "onnx")
    assert code == 0, err
    texts = ["makhut\tN;SG;NOM", "stil\tV;FUT;1;PL", "unseen\tX;Y"]
    said = [model(texts) for model in map(package.load, (inflector / "model", inflector / "onnx"))]
    for one, other in zip(*said, strict=True):
        assert one["translation_text"] == other["translation_text"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-4)


def test_letters_to_sounds_on_the_sample(rnnlp, tmp_path, monkeypatch):
    from rnnlp.data.samples.grammar import SIZES

    for split, size in (("train", 300), ("validation", 20), ("test", 20)):
        monkeypatch.setitem(SIZES, split, size)
    code, _, err = rnnlp(
        *("fit", "--config", "g2p", "--output", tmp_path / "model"),
        *("--trainer.max_epochs", 3, "--model.search.min_length", 1, *SMALL),
    )
    assert code == 0, err
    assert "characters in word and" in err and "symbols in phones" in err
    (answer,) = package.load(tmp_path / "model")(["knigh"])
    phones = {phone for pair in sample_sounds("train") for phone in pair.target.split()}
    assert answer["translation_text"]
    assert set(answer["translation_text"].split()) <= phones


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("--data.level", "character"), "data.features_column needs data.level lemma"),
        (("--data.features_column", "3"), "would both be column 3"),
        (("--data.features_column", "4"), "would be in column 4 of 3"),
        (("--data.joint_vocabulary", "true"), "one level for both sides"),
        (("--data.bpe_dropout", "0.1"), "bpe_dropout is for data.level bpe"),
        (("--model.metric", "wer"), "metric"),
        (
            ("--model.decoder.attention", "monotonic", "--model.decoder.input_feeding", "true"),
            "which monotonic attention sums over",
        ),
    ],
)
def test_wrong_settings(rnnlp, inflector, tmp_path, settings, words):
    code, _, err = rnnlp(
        *("fit", "--config", "inflection", "--data.train", inflector / "train.tsv"),
        *("--output", tmp_path / "model", *settings),
    )
    assert code == 2 and words in err and "Traceback" not in err, err


def test_monotonic_attention(rnnlp, inflector, tmp_path):
    model = tmp_path / "model"
    code, _, err = rnnlp(
        *("fit", "--config", "inflection", "--data.train", inflector / "train.tsv"),
        *("--data.validation", inflector / "validation.tsv", "--output", model, *SMALL),
        *("--model.decoder.attention", "monotonic", "--model.decoder.copy", "true"),
        *("--trainer.max_epochs", 6),
    )
    assert code == 0, err
    stored = json.loads((model / "metrics.json").read_text())["validation"]
    actual = json.loads(rnnlp("evaluate", model, inflector / "validation.tsv", "--json")[1])
    assert actual["exact_match"] == stored["exact_match"]
    alignment = package.load(model).align("makhut\tN;SG;NOM")
    assert alignment.target and all(sum(row) == pytest.approx(1.0) for row in alignment.weights)
    assert package.load(model).notes_on(["makħut\tN;SG;NOM"]) == []
    # A letter that training never had is copied, at the place where it stands.
    (answer,) = package.load(model)(["makħut\tN;SG;NOM"])
    assert "ħ" in answer["translation_text"]
    code, _, err = rnnlp("export", model, "--output", tmp_path / "onnx")
    assert code == 2 and "monotonic attention cannot be exported" in err


def test_error_rates_are_those_of_torchmetrics():
    said = ["n aɪ t", "f eɪ s", "", "ʃ ɛ l i i"]
    gold = ["n aɪ t", "f eɪ z", "k æ t", "ʃ ɛ l i"]
    right = [[one] for one in gold]
    assert symbol_error_rate(said, right, level="symbol") == pytest.approx(
        100 * float(word_error_rate(said, gold))
    )
    assert symbol_error_rate(said, right, level="character") == pytest.approx(
        100 * float(char_error_rate(said, gold))
    )
    assert exact_match(said, right) == 25.0
    said, gold = ["我买了书", "他去上海"], ["我买了一本书", "他来了上海"]
    assert symbol_error_rate(
        said, [[one] for one in gold], level="bpe", by_character=True
    ) == pytest.approx(100 * float(char_error_rate(said, gold)))


def test_spellings_of_one_character_are_one():
    scores = TranslationScores(language="vi", level="character", beam_size=1)
    said = ["ma\u0301", "mà"]
    scores.add(said, [["m\u00e1"], ["ma\u0300"]], log_probability=-1.0, tokens=2)
    result = scores.result()
    assert result["exact_match"] == 100.0 and result["symbol_error_rate"] == 0.0
    assert result["bleu"] == pytest.approx(100.0) or result["chrf"] == pytest.approx(100.0)
