"""Vectors of texts: from Python, from the shell, and inside a user's own module."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.models.encoders.bag import BagEncoder
from rnnlp.tasks.cli import main as cli

TEXTS = [
    "Maria Miller visited Berlin on Monday.",
    "",
    "In Paris the café opened again",
    "word " * 300,
    "   ",
    "Paris",
]
PAGE = Path(package.__file__).parent / "docs" / "en" / "guide" / "reuse.md"


@pytest.fixture(scope="module")
def encoder(english):
    return package.load_encoder(english)


def test_alone_and_together(encoder):
    with torch.inference_mode():
        together = encoder.encode(TEXTS)
        turned = encoder.encode(TEXTS[::-1])
        alone = [encoder.encode([text]) for text in TEXTS]
    assert together.states.shape == (6, 300, encoder.output_size)
    assert together.lengths.tolist() == [7, 0, 6, 300, 0, 1]
    torch.testing.assert_close(turned.pooled.flip(0), together.pooled)
    for row, one in enumerate(alone):
        length = int(one.lengths[0])
        torch.testing.assert_close(one.pooled[0], together.pooled[row])
        states = together.states[row]
        torch.testing.assert_close(one.states[0, :length], states[:length])
        assert not states[length:].any()
    for blank in (1, 4):
        assert not together.pooled[blank].any()


def test_poolings(encoder):
    with torch.inference_mode():
        states = encoder([TEXTS[0]]).states[0]
        actual = {way: encoder.encode(TEXTS[:1], pooling=way).pooled[0] for way in
                 ("max", "mean", "last")}  # fmt: skip
    torch.testing.assert_close(actual["max"], states.amax(0))
    torch.testing.assert_close(actual["mean"], states.mean(0))
    half = encoder.output_size // 2
    torch.testing.assert_close(actual["last"], torch.cat([states[-1, :half], states[0, half:]]))
    with pytest.raises(ValueError, match="pooling"):
        encoder.encode(["a"], pooling="sum")


def test_tables_are_read_as_in_training(rnnlp, tmp_path):
    """The column of the training file goes before a usual name."""
    config, target = tmp_path / "tiny.yaml", tmp_path / "v.npy"
    config.write_text("base: sentiment\ntrainer: {max_epochs: 1}\n")
    rows = "".join(f"no {n},{word} {n},{word}\n" for n in range(30) for word in ("good", "bad"))
    (tmp_path / "train.csv").write_text("text,said,label\n" + rows)
    data = {"train": str(tmp_path / "train.csv"), "text_column": "said"}
    package.fit(str(config), output=tmp_path / "model", data=data)
    assert rnnlp("export", tmp_path / "model", "--output", tmp_path / "onnx")[0] == 0
    (tmp_path / "in.csv").write_text("text,said\nno,good\n")
    for folder in ("model", "onnx"):
        command = ["encode", tmp_path / folder, "--input", tmp_path / "in.csv", "--output", target]
        code, _, err = rnnlp(*command)
        assert code == 0 and "the text in said" in err
        expected = package.load_encoder(tmp_path / folder).arrays(["good"])
        np.testing.assert_allclose(np.load(target), expected, atol=1e-6)


def test_no_text_and_no_token(encoder):
    assert encoder.encode([]).pooled.shape == (0, encoder.output_size)
    assert encoder.encode(["", " "]).states.shape == (2, 1, encoder.output_size)


def test_an_encoder_without_recurrence(encoder):
    bag = package.tasks.inference.encoder.PretrainedEncoder(
        featurizer=encoder.featurizer,
        embedding=encoder.embedding,
        encoder=BagEncoder(input_size=encoder.embedding.output_size),
    )
    actual = bag.encode(TEXTS, pooling="last")
    torch.testing.assert_close(actual.pooled, bag.encode(TEXTS, pooling="mean").pooled)


def test_gradients_flow(english):
    encoder = package.load_encoder(english).train()
    encoder.encode(TEXTS).pooled.sum().backward()
    assert all(parameter.grad is not None for parameter in encoder.encoder.parameters())


def read(path):
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    table = pq.read_table(path)
    assert table.column_names == ["text", "vector"]
    assert table["text"].to_pylist() == TEXTS
    return np.array(table["vector"].to_pylist(), dtype=np.float32)


@pytest.mark.parametrize("way", ["max", "mean", "last"])
@pytest.mark.parametrize("suffix", [".npy", ".parquet"])
def test_files(rnnlp, english, encoder, tmp_path, suffix, way):
    source, target = tmp_path / "in.jsonl", tmp_path / f"vectors{suffix}"
    source.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS))
    code, out, err = rnnlp(
        "encode", english, "--input", source, "--output", target, "--pooling", way
    )
    assert (code, out) == (0, ""), err
    assert f"6 vectors of {encoder.output_size} numbers" in err
    vectors = read(target)
    assert vectors.dtype == np.float32 and vectors.shape == (6, encoder.output_size)
    with torch.inference_mode():
        expected = encoder.encode(TEXTS, pooling=way).pooled
    np.testing.assert_allclose(vectors, expected.numpy(), atol=1e-6)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.jsonl", target.name]


def test_chunks_and_odd_texts(rnnlp, english, tmp_path, monkeypatch):
    monkeypatch.setattr("rnnlp.tasks.cli.rows.CHUNK", 2)
    for suffix in (".npy", ".parquet"):
        target = tmp_path / f"v{suffix}"
        code, _, err = rnnlp("encode", english, *TEXTS, "--output", target)
        assert code == 0, err
        assert read(target).shape[0] == 6
    (tmp_path / "odd.jsonl").write_text('{"text": "half \\ud800 a character"}\n')
    code, _, err = rnnlp("encode", english, "--input", tmp_path / "odd.jsonl", "--output", target)
    assert code == 2 and "half of a character" in err


def test_wrong_inputs(rnnlp, english, tmp_path):
    for arguments, words in (
        (["a", "--output", tmp_path / "v.csv"], ".parquet or .npy"),
        (["a", "--output", tmp_path / "no" / "v.npy"], "in a folder there is"),
        (["a", "--input", "b", "--output", tmp_path / "v.npy"], "not both"),
        (["--input", tmp_path / "none", "--output", tmp_path / "v.npy"], "no such file"),
        (["a"], "--output"),
        (["a", "--output", tmp_path / "v.npy", "--pooling", "sum"], "pooling"),
    ):
        code, out, err = rnnlp("encode", english, *arguments)
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert words in err
    code, _, err = rnnlp("encode", tmp_path / "none", "a", "--output", tmp_path / "v.npy")
    assert code == 2 and "no such model folder" in err
    assert not list(tmp_path.iterdir())


# What the guide shows: a module of a user's own on an encoder of ours.
OWN_MODULE = """\
import pytorch_lightning as pl
import rnnlp
import torch


class Own(pl.LightningModule):
    def __init__(self, model, classes):
        super().__init__()
        self.encoder = rnnlp.load_encoder(model).train()
        self.output = torch.nn.Linear(self.encoder.output_size, classes)

    def training_step(self, batch, batch_idx):
        texts, labels = batch
        logits = self.output(self.encoder.encode(texts).pooled)
        return torch.nn.functional.cross_entropy(logits, labels)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=1e-3)
"""


def test_a_module_of_a_users_own(english):
    import pytorch_lightning as pl

    names: dict = {}
    exec(OWN_MODULE, names)
    torch.manual_seed(1)
    own = names["Own"](english, 2)
    before = {name: tensor.clone() for name, tensor in own.state_dict().items()}
    rows = [("in Berlin", 1), ("Ann", 0), ("", 0)] * 20
    loader = torch.utils.data.DataLoader(rows, batch_size=3)
    trainer = pl.Trainer(
        max_epochs=1, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
    )  # fmt: skip
    trainer.fit(own, loader)
    own.eval()
    assert own.output(own.encoder.encode(["in Berlin", "Ann"]).pooled).argmax(1).tolist() == [1, 0]
    changed = [name for name, tensor in own.state_dict().items() if not tensor.equal(before[name])]
    assert {"output.weight", "encoder.embedding.words.weight"} <= set(changed)
    assert any(name.startswith("encoder.encoder.") for name in changed)


def test_the_guide_shows_just_that():
    shown = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    modules = [code for code in shown if "class Own(" in code]
    assert modules == [OWN_MODULE]


# --- A forward and a backward language model ------------------------------------------------------

LINES = ["the red dog saw a cat", "a cat saw the old man", "Ann sold the red hats"] * 6


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Two language models of the same vocabulary, which read in opposite directions."""
    folder = tmp_path_factory.mktemp("pair")
    (folder / "texts.txt").write_text("\n".join(LINES) + "\n")
    (folder / "tags.conll").write_text(
        "".join(
            "".join(f"{word} {'B-X' if word == 'cat' else 'O'}\n" for word in line.split()) + "\n"
            for line in LINES
        )
    )
    (folder / "lm.yaml").write_text(
        "task: generation\n"
        f"data: {{train: {folder}/texts.txt, validation: {folder}/texts.txt, level: word}}\n"
        "model: {embedding: {size: 6, characters: none}, encoder: {hidden_size: 5}}\n"
        "trainer: {max_epochs: 1, enable_progress_bar: false, accelerator: cpu}\n"
    )
    for name, more in (
        ("forward", []),
        ("backward", ["--data.reverse=true", f"--data.tokenizer_from={folder / 'forward'}"]),
        ("wide", ["--model.encoder.hidden_size=7", "--data.reverse=true"]),
        ("deep", ["--model.encoder.num_layers=2"]),
        ("deep_backward", ["--model.encoder.num_layers=2", "--data.reverse=true"]),
    ):
        arguments = ["--config", str(folder / "lm.yaml"), "--output", str(folder / name), *more]
        assert cli.run(["fit", *arguments]) == 0
    return folder


def test_two_directions_joined_are_exactly_the_two(pair):
    both = package.load_encoder([str(pair / "forward"), str(pair / "backward")])
    forward = package.load_encoder(pair / "forward")
    backward = package.load(pair / "backward").network
    text = "the old cat saw Ann"
    with torch.inference_mode():
        states = both([text]).states
        torch.testing.assert_close(states[..., :5], forward([text]).states)
        batch = forward.batch([text])
        embedded = backward.embedding(batch.tokens.flip(1))
        expected = backward.encoder(embedded, batch.lengths).states.flip(1)
        torch.testing.assert_close(states[..., 5:], expected)


def test_a_tagger_on_two_directions(rnnlp, pair, tmp_path):
    config = tmp_path / "tagging.yaml"
    config.write_text(
        f"task: tagging\ndata: {{train: {pair}/tags.conll, validation: {pair}/tags.conll}}\n"
        "trainer: {max_epochs: 1, enable_progress_bar: false, accelerator: cpu}\n"
    )
    fit = ("fit", "--config", config, "--output", tmp_path / "tagger", "--model.encoder_from")
    two = f"[{pair / 'forward'}, {pair / 'backward'}]"
    code, _, err = rnnlp(*fit, two, "--model.freeze_encoder", "true")
    assert code == 0, err
    assert f"loaded from {pair / 'forward'} and {pair / 'backward'}" in err
    settings = json.loads((tmp_path / "tagger" / "config.json").read_text())["model"]
    assert settings["embedding"]["size"] == 12 and settings["encoder"]["bidirectional"]
    both = package.load_encoder([str(pair / "forward"), str(pair / "backward")])
    tagger = package.load_encoder(tmp_path / "tagger")
    with torch.inference_mode():
        torch.testing.assert_close(tagger(LINES[:2]).states, both(LINES[:2]).states)


def test_what_does_not_join(pair):
    for names, words in (
        (["backward"], "reads texts from end to start"),
        (["backward", "forward"], "the first must read from start to end"),
        (["forward", "forward"], "data.reverse true"),
        (["forward", "wide"], "hidden_size is 5 in the first and 7 in the second"),
        (["deep", "deep_backward"], "2 layers"),
    ):
        models = [str(pair / name) for name in names]
        with pytest.raises(InputError, match=re.escape(words)):
            package.load_encoder(models if len(models) > 1 else models[0])


def test_a_backward_model_goes_on_backward_only(rnnlp, pair, tmp_path):
    fit = ("fit", "--config", pair / "lm.yaml", "--output", tmp_path / "lm", "--model.encoder_from")
    code, _, err = rnnlp(*fit, pair / "forward", "--data.reverse", "true")
    assert code == 2 and "data.reverse is true" in err
    code, _, err = rnnlp(*fit, pair / "backward", "--data.reverse", "true")
    assert code == 0, err
    assert "loaded from" in err


@pytest.mark.parametrize(
    "text", ["Nice.<br /><br />Big <b>room</b>", "it\x92s", "a\nb", "word " * 700]
)
def test_encode_reads_the_tokens_that_the_classifier_reads(text):
    folder = Path(__file__).parents[2] / "folders" / "classification-v1"
    classifier, encoder = package.load(folder), package.load_encoder(folder)
    tokens, _ = classifier.tokens(text)
    with torch.inference_mode():
        own = encoder(classifier.featurizer.batch([tokens])).states[0].amax(0)
        assert torch.allclose(encoder.encode([text]).pooled[0], own, atol=1e-5)
        assert torch.allclose(encoder.vectors([text, " "])[0], own, atol=1e-5)
        assert not encoder.vectors([text, " "])[1].any()


class Largest(TorchDispatchMode):
    """Notes the largest tensor that is made."""

    numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.numbers = max(self.numbers, made.numel())
        return made


def test_vectors_take_no_memory_for_padded_states(encoder):
    texts = ["a short one"] * 900 + ["word " * 3000]
    with torch.inference_mode(), Largest() as largest:
        together = encoder.vectors(texts)
    assert together.shape == (901, encoder.output_size)
    assert largest.numbers <= 4 * 8192 * encoder.output_size < 900 * 3000 * encoder.output_size
    with torch.inference_mode():
        torch.testing.assert_close(together[:1], encoder.vectors(texts[:1]))
