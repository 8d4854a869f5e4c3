"""Translators from fit to predict, as a user drives them, and the user's mistakes."""

import json
from itertools import islice

import pytest
import sacrebleu

import rnnlp as package
from rnnlp.data.translation.sample import sample_translation
from rnnlp.tasks.cli import main as cli
from rnnlp.tasks.translation.scores import compare, translation_scores

from ..fit.killing import check_same_end

TEXTS = ["他是老师。", "", "我儿子想洗那件衬衫。", "A word of English, 42 👍🏽", "\u3000"]

CONFIG = """\
task: translation
data: {{train: {0}/train.tsv, validation: {0}/validation.tsv, vocabulary_size: 500,
  bpe_dropout: 0.05, max_sentences: 16}}
model:
  embedding: {{size: 24, characters: none, dropout: 0.0}}
  encoder: {{cell: gru, hidden_size: 24}}
  decoder: {{hidden_size: 32, attention_size: 16, heads: 2, embedding_dropout: 0.0, dropout: 0.1}}
  search: {{beam_size: 3}}
  optimizer: {{learning_rate: 0.02, beta2: 0.98}}
trainer: {{max_epochs: 6, log_every_n_steps: 1, enable_progress_bar: false, accelerator: cpu}}
"""


def write(path, pairs, header="zh\ten\n"):
    rows = "".join(f"{pair.source}\t{pair.target}\n" for pair in pairs)
    path.write_text(header + rows, encoding="utf-8")


@pytest.fixture(scope="module")
def parallel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pairs")
    for split, count in (("train", 400), ("validation", 60), ("test", 60)):
        pairs = list(islice(sample_translation(split, 1), count))
        write(folder / f"{split}.tsv", pairs)
        for side in ("zh", "en"):
            texts = [pair.source if side == "zh" else pair.target for pair in pairs]
            (folder / f"{split}.{side}").write_text("\n".join(texts) + "\n", encoding="utf-8")
    (folder / "tiny.yaml").write_text(CONFIG.format(folder))
    return folder


def train(folder, parallel, *settings):
    arguments = ["fit", "--config", parallel / "tiny.yaml", "--output", folder, *settings]
    assert cli.run([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture(scope="module")
def model(parallel):
    return train(parallel / "model", parallel)


def test_the_folder_is_complete(model):
    names = {file.name for file in model.iterdir()}
    assert {"config.json", "model.safetensors", "tokenizer.json", "target.json", "metrics.json",
            "config.yaml", "README.md", "curves.png"} <= names  # fmt: skip
    validation = json.loads((model / "metrics.json").read_text())["validation"]
    assert validation["chrf"] > 4
    assert validation["perplexity"] < 100  # of 500 tokens
    assert "tok:13a" in validation["signature"] and "case:mixed" in validation["signature"]
    card = (model / "README.md").read_text()
    assert "pipeline_tag: translation" in card and "from zh to en" in card


def test_evaluate_is_sacrebleu_on_what_predict_says(rnnlp, parallel, model):
    code, out, _ = rnnlp("evaluate", model, parallel / "test.tsv", "--json")
    assert code == 0
    actual = json.loads(out)
    keys = {"bleu", "chrf", "signature", "perplexity", "examples", "seconds", "tokens_per_second"}
    assert keys <= actual.keys()
    pairs = list(islice(sample_translation("test", 1), 60))
    said = [a["translation_text"] for a in package.load(model)([p.source for p in pairs])]
    gold = [pair.target for pair in pairs]
    assert actual["bleu"] == pytest.approx(sacrebleu.corpus_bleu(said, [gold]).score, abs=0.006)
    assert actual["chrf"] == pytest.approx(sacrebleu.corpus_chrf(said, [gold]).score, abs=0.006)
    low, high = actual["interval"]["bleu"]
    assert 0.0 <= low < actual["bleu"] < high
    code, table, _ = rnnlp("evaluate", model, parallel / "test")  # test.zh and test.en
    assert code == 0 and "signature: BLEU nrefs:1" in table
    assert f"BLEU {actual['bleu']:.2f}" in table


def test_validation_scores_are_those_of_evaluate(rnnlp, parallel, model):
    _, out, _ = rnnlp("evaluate", model, parallel / "validation.tsv", "--json")
    stored = json.loads((model / "metrics.json").read_text())["validation"]
    actual = json.loads(out)
    for name in ("bleu", "chrf"):
        assert actual[name] == stored[name]
    assert actual["perplexity"] == pytest.approx(stored["perplexity"], abs=0.002)


def test_evaluate_against_other_translations(rnnlp, parallel, model, tmp_path):
    references = (parallel / "test.en").read_text(encoding="utf-8")
    (tmp_path / "perfect.txt").write_text(references, encoding="utf-8")
    code, out, _ = rnnlp(
        *("evaluate", model, parallel / "test", "--json", "--against", tmp_path / "perfect.txt")
    )
    other = json.loads(out)["against"]
    assert code == 0 and other["bleu"] == 100.0 and other["bleu_p"] < 0.05
    (tmp_path / "short.txt").write_text("one\ntwo\n")
    code, out, err = rnnlp(
        "evaluate", model, parallel / "test", "--against", tmp_path / "short.txt"
    )
    assert code == 2 and "short.txt" in err and "2 translations" in err and "60 pairs:" in err
    rows = "zh\ten\n书。\tBooks.\n。\t \n猫。\tCats.\n"
    (tmp_path / "blank.tsv").write_text(rows, encoding="utf-8")
    (tmp_path / "three.txt").write_text("Books.\nNone.\nCats.\n")
    arguments = ("evaluate", model, tmp_path / "blank.tsv", "--against", tmp_path / "three.txt")
    code, out, err = rnnlp(*arguments)
    assert code == 2 and "3 translations where" in err
    assert "has 2 pairs (1 more have a blank side: leave out their lines here): one a" in err


def test_the_difference_between_a_text_and_itself_is_chance():
    said = ["a small cat sat here .", "the dog ran off again ."] * 10
    actual = compare(said, list(said), [[one] for one in said], language="en")
    assert actual["bleu_p"] > 0.5 and actual["bleu"] == 100.0


def test_chinese_is_scored_by_the_tokenizer_for_chinese():
    actual = translation_scores(["他昨天买了一本书。"], [["他昨天买了两本书。"]], language="zh")
    assert "tok:zh" in actual["signature"] and actual["bleu"] > 30


def test_predict(rnnlp, model):
    code, out, _ = rnnlp("predict", model, *TEXTS)
    answers = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [answer["text"] for answer in answers] == TEXTS
    for answer in answers:
        assert set(answer) == {"text", "translation_text", "score"}
        assert "<unk>" not in answer["translation_text"]
        blank = not answer["text"].strip()
        assert (answer["translation_text"] == "") is blank
        assert answer["score"] == 0.0 if blank else answer["score"] < 0.0


def test_neither_order_nor_company_changes_an_answer(model):
    pipeline = package.load(model)
    together = pipeline(TEXTS * 3)
    for text, answer in zip(TEXTS * 3, together, strict=True):
        alone = pipeline(text)
        assert alone["translation_text"] == answer["translation_text"]
        assert alone["score"] == pytest.approx(answer["score"], abs=2e-4)


def test_nbest_and_beam(rnnlp, model):
    code, out, _ = rnnlp("predict", model, "--nbest", "3", "--beam_size", "4", TEXTS[2])
    actual = json.loads(out)["translations"]
    scores = [entry["score"] for entry in actual]
    assert code == 0 and 2 <= len(actual) <= 3 and scores == sorted(scores, reverse=True)
    assert len({entry["translation_text"] for entry in actual}) == len(actual)
    pipeline = package.load(model)
    assert (
        pipeline(TEXTS[2], beam_size=1)["score"] <= pipeline(TEXTS[2], beam_size=8)["score"] + 1e-6
    )


def test_length_and_repetition_are_bounded(rnnlp, model):
    pipeline, texts = package.load(model), [text for text in TEXTS if text.strip()]
    sizes = [len(pipeline.featurizer.encode(text)[0].tokens) for text in texts]

    def counts(**search):
        return [len(best[0].tokens) for best in pipeline.search(texts, **search)]

    assert all(n >= 2 * size for n, size in zip(counts(min_length_ratio=2), sizes, strict=True))
    assert all(n <= 3 for n in counts(max_length=3, min_length_ratio=2))
    assert all(n >= 15 for n in counts(min_length=15))
    for (best,) in pipeline.search(texts, min_length=15, no_repeat_ngram_size=1):
        assert len(set(best.tokens)) == len(best.tokens)
    options = ("--min_length", 15, "--no_repeat_ngram_size", 1, "--coverage_penalty", 0.2)
    code, out, err = rnnlp("predict", model, *texts, *options)
    wanted = pipeline(texts, min_length=15, no_repeat_ngram_size=1, coverage_penalty=0.2)
    assert code == 0 and [json.loads(line) for line in out.splitlines()] == wanted, err
    for odd, message in (
        (("--max_length", 3, "--min_length", 4), "max_length is 3: it must be 1 or more, and not"),
        (("--min_length_ratio", -1), "min_length_ratio is -1.0"),
        (("--no_repeat_ngram_size", -1), "--no_repeat_ngram_size is -1"),
    ):
        assert message in refused(rnnlp, "predict", model, *odd, texts[0])


def test_attention_picture(rnnlp, model, tmp_path):
    picture = tmp_path / "alignment.png"
    code, _, _ = rnnlp("predict", model, TEXTS[0], "--attention", picture)
    assert code == 0 and picture.read_bytes().startswith(b"\x89PNG")
    actual = package.load(model).align(TEXTS[0])
    assert "".join(actual.source).replace("·", "") == TEXTS[0]
    assert len(actual.weights) == len(actual.target) and actual.target[-1] == "end"
    for row in actual.weights:
        assert len(row) == len(actual.source) and sum(row) == pytest.approx(1.0, abs=1e-4)


def test_log_probabilities_are_the_scores_of_the_search(model):
    pipeline = package.load(model)
    (best,) = pipeline.search([TEXTS[2]])[0]
    said = pipeline.target_tokenizer.decode(best.tokens)
    if pipeline.target_tokenizer.encode(said)[0] == best.tokens:  # not cut in another way
        (actual,) = pipeline.log_probabilities([TEXTS[2]], [said])
        assert actual == pytest.approx(best.log_prob, abs=1e-3)


@pytest.mark.parametrize(
    "settings",
    [
        ["--model.decoder.cell=gru", "--model.decoder.attention=multihead"],
        ["--model.decoder.attention=dot", "--model.encoder.hidden_size=16"],
        ["--model.decoder.lexical=false", "--model.decoder.num_layers=1"],
        ["--model.decoder.num_layers=1", "--model.decoder.attention=additive"],
        [
            "--data.joint_vocabulary=true",
            "--model.decoder.tie_embeddings=all",
            "--model.encoder.cell=lstm",
        ],
        ["--model.decoder.input_feeding=true", "--model.decoder.tie_embeddings=none"],
        ["--data.level=character", "--data.bpe_dropout=0", "--model.scheduled_sampling=0.2"],
        ["--data.level=word", "--data.bpe_dropout=0", "--model.encoder.bidirectional=false"],
        ["--model.encoder.cell=mingru", "--model.decoder.cell=ssru"],
    ],
)
def test_every_kind_of_model_trains_and_comes_back(tmp_path, parallel, settings):
    folder = train(
        tmp_path / "model", parallel, *settings,
        "--trainer.max_epochs=1", "--trainer.limit_train_batches=4",
    )  # fmt: skip
    stored = json.loads((folder / "metrics.json").read_text())["validation"]
    pairs = list(islice(sample_translation("validation", 1), 60))
    said = [a["translation_text"] for a in package.load(folder)([p.source for p in pairs])]
    gold = [[pair.target] for pair in pairs]
    assert translation_scores(said, gold, language="en")["chrf"] == stored["chrf"]


def test_resumed_is_the_same_bit_by_bit(tmp_path, parallel):
    whole = train(tmp_path / "whole", parallel, "--trainer.max_epochs=2")
    train(tmp_path / "parts", parallel, "--trainer.max_epochs=1")
    train(tmp_path / "parts", parallel, "--trainer.max_epochs=2", "--resume")
    check_same_end(whole, tmp_path / "parts")


def refused(rnnlp, *arguments):
    code, out, err = rnnlp(*arguments)
    assert code == 2 and out == "" and err.count("\n") == 1, err
    return err


def test_wrong_files(rnnlp, parallel, tmp_path):
    fit = ("fit", "--config", parallel / "tiny.yaml", "--output", tmp_path / "m")
    (tmp_path / "a.zh").write_text("一\n二\n三\n", encoding="utf-8")
    (tmp_path / "a.en").write_text("one\ntwo\n", encoding="utf-8")
    err = refused(rnnlp, *fit, "--data.train", tmp_path / "a")
    assert "3" in err and "2" in err and "lines" in err
    err = refused(rnnlp, *fit, "--data.train", tmp_path / "a", "--data.source", "fr")
    assert "a.fr" in err and "zh" in err
    (tmp_path / "b.tsv").write_text("zh\ten\n一\tone\n二\n", encoding="utf-8")
    assert "b.tsv:3" in refused(rnnlp, *fit, "--data.train", tmp_path / "b.tsv")
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (["--model.decoder.tie_embeddings=all"], ["data.joint_vocabulary"]),
        (["--model.embedding.characters=cnn"], ["model.embedding.characters"]),
        (["--model.decoder.attention=dot"], ["dot", "32", "48"]),
        (["--model.search.beam_size=0"], ["model.search.beam_size"]),
        (["--data.source=en"], ["en"]),
        (["--data.vocabulary_size=100"], ["data.vocabulary_size", "260"]),
        (["--model.label_smoothing=1.5"], ["model.label_smoothing", "1.5"]),
    ],
)
def test_wrong_settings(rnnlp, parallel, tmp_path, settings, words):
    err = refused(
        *(rnnlp, "fit", "--config", parallel / "tiny.yaml", "--output", tmp_path / "m"), *settings
    )
    assert all(word in err for word in words), err
    assert not (tmp_path / "m").exists()


def test_a_swapped_direction_is_noticed(rnnlp, parallel, model, tmp_path):
    rows = (parallel / "test.tsv").read_text(encoding="utf-8").splitlines()[1:]
    swapped = "".join("\t".join(reversed(row.split("\t"))) + "\n" for row in rows)
    (tmp_path / "bare.tsv").write_text(swapped, encoding="utf-8")
    assert "no column 'zh'" in refused(rnnlp, "evaluate", model, tmp_path / "bare.tsv")
    (tmp_path / "swapped.tsv").write_text("zh\ten\n" + swapped, encoding="utf-8")
    code, _, err = rnnlp("evaluate", model, tmp_path / "swapped.tsv")
    assert code == 0 and "may be swapped" in err and "--source_column" in err
    code, _, err = rnnlp("evaluate", model, parallel / "test.tsv")
    assert code == 0 and "swapped" not in err
    code, out, _ = rnnlp(
        *("evaluate", model, tmp_path / "swapped.tsv", "--json"),
        *("--source_column", "en", "--target_column", "zh"),
    )
    assert code == 0 and json.loads(out)["examples"] == 60


def test_an_over_long_sentence_is_told(rnnlp, model):
    code, out, err = rnnlp("predict", model, "我喜欢你。" * 60)
    assert code == 0 and len(out.splitlines()) == 1
    assert "training had at most 100" in err


def test_options_of_other_tasks_are_refused(rnnlp, parallel, model, english):
    assert "--text_column" in refused(
        rnnlp, "evaluate", model, parallel / "test.tsv", "--text_column", "1"
    )
    assert "translation" in refused(rnnlp, "predict", english, "--nbest", "2", "Hello.")
    assert "--beam_size" in refused(rnnlp, "predict", model, "--beam_size", "0", "他")
    assert "cannot be written" in refused(
        rnnlp, "predict", model, "他", "--attention", parallel / "nowhere" / "a.png"
    )


@pytest.mark.parametrize(
    ("names", "same_as"),
    [
        (["zh-CN", "zh_TW", "cmn_Hans", "zho", "chi", "yue", "Chinese"], "zh"),
        (["jpn", "jpn_Jpan", "Japanese", "tha", "khm", "lao", "mya", "bod"], "ja"),
        (["deu", "en", "English", "kor"], "de"),
    ],
)
def test_languages_are_known_by_all_their_names(names, same_as):
    def tokenizer(language):
        return translation_scores(["a b"], [["a b"]], language=language)["signature"]

    assert {tokenizer(name) for name in names} == {tokenizer(same_as)}


def test_translations_may_be_as_long_as_in_training(rnnlp, parallel, tmp_path):
    """Three letters that stand for a long sentence each, by character."""
    rows = {
        "ab": "a long sentence about nothing at all " * 2,
        "ba": "and another one of this kind " * 2,
    }
    text = "src\ttrg\n" + "".join(f"{x}\t{y.strip()}\n" for x, y in rows.items()) * 30
    (tmp_path / "pairs.tsv").write_text(text)
    train(
        *(tmp_path / "model", parallel, f"--data.train={tmp_path}/pairs.tsv"),
        *(f"--data.validation={tmp_path}/pairs.tsv", "--data.source=src", "--data.target=trg"),
        *("--data.level=character", "--data.bpe_dropout=0", "--trainer.max_epochs=1"),
    )
    settings = json.loads((tmp_path / "model" / "config.json").read_text())["model"]
    longest = max(map(len, rows.values())) - 1
    assert 2 * settings["search"]["max_length_ratio"] + 10 == pytest.approx(longest, abs=0.1)
