"""A translator that copies, from fit to predict: names that no vocabulary has come out as typed."""

import json
import random

import pytest

import rnnlp as package
from rnnlp.tasks.cli import main as cli

CONFIG = """\
task: translation
data: {{train: {0}/train.tsv, validation: {0}/validation.tsv, source: note, target: short,
  level: word, vocabulary_size: null, min_frequency: 3, bpe_dropout: 0.0, max_sentences: 16}}
model:
  embedding: {{size: 24, characters: none, dropout: 0.0}}
  encoder: {{cell: gru, hidden_size: 24}}
  decoder: {{hidden_size: 24, num_layers: 1, copy: true,
    embedding_dropout: 0.0, dropout: 0.0}}
  search: {{beam_size: 3}}
  metric: exact_match
  optimizer: {{learning_rate: 0.01, beta2: 0.98}}
trainer: {{max_epochs: 15, log_every_n_steps: 1, enable_progress_bar: false, accelerator: cpu}}
"""
VERBS = {"called": "call", "visited": "visit", "paid": "pay"}


def pairs(count, seed):
    """Notes with a name and a number that are nowhere else, and what is kept of them."""
    draw = random.Random(seed)
    for _ in range(count):
        name = "".join(draw.choice("bdfgklmnprst") + draw.choice("aeiou") for _ in range(3)).title()
        number, verb = str(draw.randrange(10000, 99999)), draw.choice(list(VERBS))
        when = draw.choice(("today", "at night", "on a very fine day"))
        yield f"{when} our {name} {verb} number {number}", f"{VERBS[verb]} {number} {name}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("notes")
    for split, count, seed in (("train", 400, 1), ("validation", 40, 2), ("test", 40, 3)):
        rows = "".join(f"{source}\t{target}\n" for source, target in pairs(count, seed))
        (folder / f"{split}.tsv").write_text("note\tshort\n" + rows, encoding="utf-8")
    (folder / "tiny.yaml").write_text(CONFIG.format(folder))
    arguments = ["fit", "--config", folder / "tiny.yaml", "--output", folder / "model"]
    assert cli.run([str(one) for one in arguments]) == 0
    return folder


def test_words_of_no_vocabulary_come_out_as_typed(folder):
    model = package.load(folder / "model")
    known = set(model.target_tokenizer.vocabulary)
    right = 0
    held_out = list(pairs(40, 3))
    for answer, (_, target) in zip(model([s for s, _ in held_out]), held_out, strict=True):
        assert not set(target.split()[1:]) & known
        right += answer["translation_text"] == target
    assert right >= 36
    (answer,) = model(["today our ZoËß called number 77_x"])
    assert answer["translation_text"] == "call 77_x ZoËß"


def test_neither_batch_nor_order_changes_a_result(folder):
    model = package.load(folder / "model")
    texts = [source for source, _ in pairs(12, 4)] + ["Xi", "  ", "called " * 30]
    together = model(texts, nbest=2)
    for text, wanted in zip(texts, together, strict=True):
        (alone,) = model([text], nbest=2)
        assert alone["translations"] == wanted["translations"]
    assert model(texts[::-1], nbest=2) == together[::-1]


def test_alignment_names_what_was_copied(folder):
    model = package.load(folder / "model")
    (source, target), *_ = pairs(1, 5)
    actual = model.align(source)
    assert actual.target[:-1] == target.split()
    for row, word in enumerate(target.split()[1:], 1):
        place = max(range(len(actual.source)), key=actual.weights[row].__getitem__)
        assert actual.source[place] == word


def test_evaluate_gives_what_training_found(rnnlp, folder):
    code, out, err = rnnlp("evaluate", folder / "model", folder / "validation.tsv", "--json")
    assert code == 0, err
    stored = json.loads((folder / "model" / "metrics.json").read_text())["validation"]
    actual = json.loads(out)
    for name in ("exact_match", "symbol_error_rate", "chrf", "perplexity"):
        assert actual[name] == pytest.approx(stored[name], rel=1e-4)
    assert actual["exact_match"] > 80 and actual["perplexity"] < 2


def test_exported_it_says_the_same(rnnlp, folder):
    pytest.importorskip("onnxruntime")
    code, _, err = rnnlp("export", folder / "model", "--output", folder / "onnx")
    assert code == 0, err
    sources, targets = zip(*pairs(20, 6), strict=True)
    models = [package.load(folder / name) for name in ("model", "onnx")]
    for one, other in zip(*(model(sources) for model in models), strict=True):
        assert one["translation_text"] == other["translation_text"]
        assert one["score"] == pytest.approx(other["score"], abs=1e-3)
    scores = [model.log_probabilities(sources, targets) for model in models]
    assert scores[0] == pytest.approx(scores[1], abs=1e-3)


def test_fit_says_what_can_be_copied(rnnlp, folder, tmp_path):
    arguments = ("fit", "--config", folder / "tiny.yaml", "--output", tmp_path / "model")
    code, _, err = rnnlp(
        *arguments, "--trainer.max_epochs", 1, "--model.scheduled_sampling", 0.2,
        "--model.decoder.input_feeding", "true", "--model.metric", "rouge_l",
    )  # fmt: skip
    assert code == 0, err
    assert "validation: 80 words of targets are in no vocabulary, 80 of them in their source" in err
    scores = json.loads((tmp_path / "model" / "metrics.json").read_text())["validation"]
    code, out, err = rnnlp("evaluate", tmp_path / "model", folder / "validation.tsv")
    assert code == 0 and f"ROUGE-L {scores['rouge_l']:.2f}" in out, err


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (("--data.level", "bpe"), "set data.joint_vocabulary to true"),
        (("--data.target_level", "character"), "from level word to level character"),
    ],
)
def test_wrong_settings(rnnlp, folder, tmp_path, settings, words):
    code, _, err = rnnlp(
        *("fit", "--config", folder / "tiny.yaml", "--output", tmp_path / "model", *settings)
    )
    assert code == 2 and words in err and "Traceback" not in err, err
