"""A prompt that ends within a word is gone on with as training text goes on, on both engines."""

import importlib.util

import pytest

import rnnlp
from rnnlp.data.text.tokenizer import Tokenizer
from rnnlp.tasks.generation.prompts import BegunWords, Spellings

TEXTS = (
    "Dear Anna, thank you for the lovely book about old ships.",
    "Dear Tom, we hope to see you at the harbour on Sunday.",
    "My uncle keeps four bees and a goat behind the small barn.",
)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    data = folder / "texts.txt"
    data.write_text("\n".join(TEXTS * 20) + "\n")
    rnnlp.fit(
        "generation",
        output=folder / "m",
        data={"train": data, "validation": data, "level": "bpe", "vocabulary_size": 340},
        model={
            "embedding": {"size": 16},
            "encoder": {"hidden_size": 48},
            "optimizer": {"learning_rate": 0.02},
        },
        trainer={"max_epochs": 30, "accelerator": "cpu"},
    )
    actual = [rnnlp.load(folder / "m")]
    if importlib.util.find_spec("onnx"):
        rnnlp.export(folder / "m", output=folder / "onnx")
        actual.append(rnnlp.load(folder / "onnx"))
    return actual


@pytest.mark.parametrize(
    ("prompt", "beginning"),
    [
        ("My unc", "My uncle keeps"),
        ("My uncle ke", "My uncle keeps four"),
        ("My uncle", "My uncle keeps"),
        ("My uncle ", "My uncle keeps"),
        ("Dear Anna, thank yo", "Dear Anna, thank you for"),
        ("M", "My uncle"),
        ("", ""),
    ],
)
def test_a_word_is_written_to_its_end(models, prompt, beginning):
    answers = [model(prompt, max_length=14, top_k=1)["generated_text"] for model in models]
    assert all(answer.startswith(beginning) for answer in answers), answers
    assert len(set(answers)) == 1  # both engines


@pytest.mark.parametrize("prompt", ["zzqx", "Ünïcode 中文 My", "My qqq\nunc", "x" * 50, "My 🙂"])
def test_what_was_typed_stays(models, prompt):
    for model in models:
        for length in (1, 3, 40):
            text = model(prompt, max_length=length)["generated_text"]
            assert text.startswith(prompt)


def test_prompts_do_not_change_each_other(models):
    prompts = ["My unc", "Dear T", "", "My uncle "]
    for model in models:
        together = model(prompts, max_length=9, seed=3)
        for number, (prompt, answer) in enumerate(zip(prompts, together, strict=True)):
            assert model(prompt, max_length=9, seed=3, first=number) == answer


def test_what_is_said_is_what_is_added(models):
    for model in models:
        said = []
        answer = model.write("My unc", said.append, max_length=12, top_k=1)
        assert "My unc" + "".join(said) == answer["generated_text"]


def test_any_way_of_spelling_a_word_is_allowed():
    tokenizer = Tokenizer.train(["banana bandana"] * 9, level="bpe", vocabulary_size=270)
    begun = BegunWords(["banan", ""], Spellings(tokenizer))
    assert begun.allowed(1) is None
    written = ""
    while (ids := begun.allowed(0)) is not None:
        pieces = [tokenizer.vocabulary[one] for one in ids]
        left = "banan"[len(written) :]
        assert all(left.startswith(piece) or piece.startswith(left) for piece in pieces)
        assert left[0] in pieces  # any byte is a piece: there is always a way on
        begun.chosen(0, min(ids, key=lambda one: len(tokenizer.vocabulary[one])))
        written += min(pieces, key=len)
    assert written == "banan"
