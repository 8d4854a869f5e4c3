"""`fit --unlabelled`: the same model as by three commands, and what is wrong is said at once."""

import json

import pytest
from safetensors.numpy import load_file

import rnnlp as package

TEXTS = "Anna saw a dog in Oslo\nTom met Anna in Rome\nthe dog saw Tom\nwho met Tom in Oslo\n" * 6
TAGS = "Anna B-PER\nsaw O\nTom B-PER\n\nthe O\ndog O\nin O\nOslo B-LOC\n\n" * 8
TINY = (
    "--model.embedding.size=8", "--model.embedding.characters=none",
    "--model.encoder.hidden_size=6", "--trainer.max_epochs=1", "--trainer.accelerator=cpu",
)  # fmt: skip


@pytest.fixture
def files(tmp_path):
    (tmp_path / "texts.txt").write_text(TEXTS)
    (tmp_path / "few.conll").write_text(TAGS)
    few = tmp_path / "few.conll"
    return ["--config", "ner", "--data.train", few, "--data.validation", few, *TINY]


def test_one_command_is_as_good_as_three(rnnlp, files, tmp_path):
    texts = ["--unlabelled", tmp_path / "texts.txt", "--pretraining.trainer.max_epochs", 2]
    files.append("--data.vocabulary_size=12")
    code, _, err = rnnlp("fit", *files, *texts, "--output", tmp_path / "one")
    assert code == 0 and "16 training texts and 24 unlabelled ones" in err, err
    assert "embedding and encoder" in err
    read = tmp_path / "one" / "pretraining" / "texts.jsonl"
    assert json.loads(read.read_text().splitlines()[0]) == {"text": "Anna saw Tom"}
    models = [tmp_path / name for name in ("forward", "backward")]
    turned = ["--data.reverse=true", f"--data.tokenizer_from={models[0]}"]
    for model, more in zip(models, ([], turned), strict=True):
        rnnlp(
            "fit", "--config", "language_model", "--data.train", read, "--data.level=word", *TINY,
            *more, "--data.vocabulary_size=12", "--model.embedding.size=4",
            "--trainer.max_epochs=2", "--output", model,
        )  # fmt: skip
    reuse = f"--model.encoder_from=[{models[0]}, {models[1]}]"
    own = [part for part in files if part != "--model.embedding.characters=none"]
    code, _, err = rnnlp("fit", *own, reuse, "--output", tmp_path / "three")
    assert code == 0, err
    one, three = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "three"))
    assert one.keys() == three.keys() and all((one[name] == three[name]).all() for name in one)


def test_tables_have_their_texts_where_training_has_them(rnnlp, tmp_path):
    (tmp_path / "few.csv").write_text("stars,review\n" + "1,bad day\n5,good day\n" * 8)
    (tmp_path / "more.csv").write_text("id,review\n" + "".join(f"{i},day {i}\n" for i in range(9)))
    few = tmp_path / "few.csv"
    columns = ["--data.text_column=review", "--data.label_column=stars"]
    code, _, err = rnnlp(
        "fit", "--config", "sentiment", "--data.train", few, "--data.validation", few, *columns,
        *TINY, "--unlabelled", tmp_path / "more.csv", "--pretraining.trainer.max_epochs=1",
        "--output", tmp_path / "model",
    )  # fmt: skip
    assert code == 0 and "16 training texts and 9 unlabelled ones" in err, err
    read = (tmp_path / "model" / "pretraining" / "texts.jsonl").read_text().splitlines()
    assert [json.loads(line)["text"] for line in read[16:]] == [f"day {i}" for i in range(9)]


def test_the_training_texts_alone(rnnlp, files, tmp_path):
    code, _, err = rnnlp("fit", *files, "--output", tmp_path / "shell", "--unlabelled",
                         "--pretraining.trainer.max_epochs=1")  # fmt: skip
    assert code == 0 and "16 training texts and 0 unlabelled ones" in err, err
    few = tmp_path / "few.conll"
    package.fit(
        "ner", data={"train": few, "validation": few},
        model={"embedding": {"size": 8}, "encoder": {"hidden_size": 6}},
        trainer={"max_epochs": 1, "accelerator": "cpu"}, output=tmp_path / "python",
        pretraining={"trainer": {"max_epochs": 1}}, unlabelled=[],
    )  # fmt: skip
    texts = [tmp_path / name / "pretraining" / "texts.jsonl" for name in ("shell", "python")]
    assert texts[0].read_text() == texts[1].read_text()


def test_it_goes_on_where_it_was_stopped(rnnlp, files, tmp_path):
    asked = ["fit", *files, "--unlabelled", tmp_path / "texts.txt", "--output", tmp_path / "m",
             "--pretraining.trainer.max_epochs=1"]  # fmt: skip
    code, _, err = rnnlp(*asked, "--model.encoder.dropout=7")
    assert code == 2 and not (tmp_path / "m").exists(), err  # before anything is trained
    code, _, err = rnnlp(*asked)
    stages = tmp_path / "m" / "pretraining"
    for name in ("config.json", "metrics.json"):  # as if it had been stopped while going backwards
        (stages / "backward" / name).unlink()
        (tmp_path / "m" / name).unlink(missing_ok=True)
    before = (stages / "forward" / "model.safetensors").stat().st_mtime_ns
    code, out, err = rnnlp(*asked, "--resume")
    assert code == 0 and f"{stages / 'forward'} is there already" in err and "validation f1" in out
    assert (stages / "forward" / "model.safetensors").stat().st_mtime_ns == before
    code, _, err = rnnlp(*asked)
    assert code == 2 and "holds a model already" in err.splitlines()[-1]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--unlabelled", "missing.txt"], "missing.txt: no such file"),
        (["--pretraining.trainer.max_epoch=1"], "did you mean trainer.max_epochs"),
        (["--config", "generation"], "a generator learns from texts as data.train"),
    ],
)
def test_wrong_inputs(rnnlp, files, tmp_path, more, words):
    few = files if "--config" not in more else []
    texts = ["--unlabelled", tmp_path / "texts.txt"]
    code, _, err = rnnlp("fit", *few, *texts, *more, "--output", tmp_path / "m")
    assert code == 2 and words in err.splitlines()[-1], err
    assert not (tmp_path / "m").exists()


def test_settings_of_language_models_without_any(rnnlp, files, tmp_path):
    asked = ["fit", *files, "--pretraining.trainer.max_epochs=1", "--output", tmp_path / "m"]
    code, _, err = rnnlp(*asked)
    assert code == 2 and "--pretraining.… is for language models: say --unlabelled" in err, err
