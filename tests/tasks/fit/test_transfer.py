"""Encoders go from any task to any other: what is taken along, what learns, and what is refused."""

import json
from itertools import permutations

import pytest
import torch
from safetensors.torch import load_file

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.sample import sample_tagging
from rnnlp.tasks.base.reused_encoder import read_encoder
from rnnlp.tasks.cli import main as cli
from rnnlp.tasks.registry import task_specs
from rnnlp.tasks.tagging.module import Tagging

from .killing import check_same_end, killed

SENTENCES = [
    "the red dog saw a cat",
    "a cat saw the old man",
    "the man sold 12 red hats to Ann",
    "Ann and Bob saw the dog",
    "an old dog likes Bob",
    "Bob sold the hats in Rome",
    "in Rome the man likes Ann",
    "the old cat likes the red hats",
] * 3

CONFIGS = {
    "tagging": """\
data: {{train: {0}/tags.conll, validation: {0}/tags.conll}}
model: {{embedding: {{size: 12, characters: cnn, character_size: 6, character_features: 8,
         token_features: [shape], token_feature_size: 5}}, encoder: {{hidden_size: 10}}}}
""",
    "classification": """\
data: {{train: {0}/labels.jsonl, validation: {0}/labels.jsonl}}
model: {{embedding: {{size: 11}}, encoder: {{cell: gru, hidden_size: 9}}}}
""",
    "translation": """\
data: {{train: {0}/pairs.jsonl, validation: {0}/pairs.jsonl, source: en, target: xx, level: word}}
model: {{embedding: {{size: 13, characters: none}}, encoder: {{hidden_size: 7, cell: rnn}},
        decoder: {{hidden_size: 8, num_layers: 1}}}}
""",
    "generation": """\
data: {{train: {0}/texts.txt, validation: {0}/texts.txt, level: word}}
model: {{embedding: {{size: 14, characters: none}}, encoder: {{cell: gru, hidden_size: 8,
        bidirectional: false}}}}
""",
}
COMMON = """\
task: {}
trainer: {{max_epochs: 1, limit_train_batches: 4, limit_val_batches: 1, log_every_n_steps: 1,
           enable_progress_bar: false, accelerator: cpu}}
"""
KNOWN = [spec.name for spec in task_specs() if spec.name in CONFIGS]
FROZEN = ("--model.freeze_encoder", "true")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Data and a config for each task, all with the same words, and a trained model of each."""
    folder = tmp_path_factory.mktemp("reuse")
    words = [sentence.split() for sentence in SENTENCES]
    with (folder / "tags.conll").open("w") as file:
        for sentence in words:
            file.writelines(f"{w} {'B-PER' if w in ('Ann', 'Bob') else 'O'}\n" for w in sentence)
            file.write("\n")
    with (folder / "labels.jsonl").open("w") as file:
        for text in SENTENCES:
            file.write(json.dumps({"text": text, "label": str("dog" in text)}) + "\n")
    with (folder / "pairs.jsonl").open("w") as file:
        for text in SENTENCES:
            file.write(json.dumps({"en": text, "xx": text[::-1]}) + "\n")
    (folder / "texts.txt").write_text("\n".join(SENTENCES) + "\n")
    for task in KNOWN:
        text = COMMON.format(task) + CONFIGS[task].format(folder)
        (folder / f"{task}.yaml").write_text(text)
        arguments = ["fit", "--config", folder / f"{task}.yaml", "--output", folder / task]
        assert cli.run([str(argument) for argument in arguments]) == 0
    return folder


@pytest.fixture
def fit(rnnlp, folder, tmp_path):
    """Trains a task on a reused encoder; gives the new folder and what stderr said."""

    def run(task, source, *arguments, output="model"):
        name = source if isinstance(source, str) else str(source)
        code, _, err = rnnlp(
            *("fit", "--config", folder / f"{task}.yaml", "--output", tmp_path / output),
            *("--model.encoder_from", name, *arguments),
        )
        assert code == 0, err
        return tmp_path / output, err

    return run


@pytest.fixture
def refused(rnnlp, folder, tmp_path):
    """Tries that, and gives the one line that says why not."""

    def run(task, *arguments):
        code, out, err = rnnlp(
            *("fit", "--config", folder / f"{task}.yaml", "--output", tmp_path / "no", *arguments)
        )
        assert (code, out, err.count("\n")) == (2, "", 1), err
        assert not (tmp_path / "no").exists()
        return err

    return run


def shared(folder):
    """The weights of embedding and encoder in a model folder."""
    weights = load_file(folder / "model.safetensors")
    return {k: w for k, w in weights.items() if k.startswith(("embedding.", "encoder."))}


def last(folder):
    """The same at the very end of training."""
    state = torch.load(folder / "checkpoints/last.ckpt", weights_only=True)["state_dict"]
    actual = {name.removeprefix("network."): tensor for name, tensor in state.items()}
    return {k: w for k, w in actual.items() if k.startswith(("embedding.", "encoder."))}


def equal(first, second):
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


@pytest.mark.parametrize(("source", "target"), list(permutations(KNOWN, 2)))
def test_every_pair(rnnlp, fit, folder, tmp_path, source, target):
    if (source, target) == ("tagging", "generation"):  # which has no way to read characters
        code, _, err = rnnlp(
            *("fit", "--config", folder / "generation.yaml", "--output", tmp_path / "no"),
            *("--model.encoder_from", folder / source),
        )
        assert code == 2 and "model.embedding.characters none" in err
        source = "plain"
        code, _, err = rnnlp(
            *("fit", "--config", folder / "tagging.yaml", "--output", folder / source),
            *("--model.embedding.characters", "none", "--model.embedding.token_features", "[]"),
        )
        assert code == 0, err
    model, err = fit(target, folder / source, *FROZEN)
    reused, actual = shared(folder / source), shared(model)
    if target == "generation":  # reads one way: the backward direction stays behind
        reused = {name: w for name, w in reused.items() if not name.endswith("_reverse")}
        if reused.keys() != shared(folder / source).keys():
            assert "the backward direction of encoder" in err
    assert equal(reused, actual)
    config = json.loads((model / "config.json").read_text())["model"]
    origin = json.loads((folder / source / "config.json").read_text())["model"]
    for name in ("size", "characters", "token_features"):
        assert config["embedding"][name] == origin["embedding"][name]
    for name in ("cell", "hidden_size", "num_layers"):
        assert config["encoder"][name] == origin["encoder"][name]
    for file in ("tokenizer.json", "characters.json", "shape.json"):
        pair = [directory / file for directory in (folder / source, model)]
        assert pair[0].exists() == pair[1].exists()
        assert not pair[0].exists() or pair[0].read_bytes() == pair[1].read_bytes()
    kind = "tagging" if source == "plain" else source
    assert f"loaded from {folder / source} (a model for {kind}): embedding and encoder" in err
    assert f"not loaded from {folder / source}: " in err and "note: fresh: " in err
    assert "what was loaded stays as it is\n" in err
    assert "0.00 % are unknown to it" in err
    # The new folder stands alone, and answers with text that its own vocabulary has no token of.
    code, out, err = rnnlp("predict", model, "Ann saw 7 dogs", "")
    assert code == 0 and len(out.splitlines()) == 2, err


def test_what_is_reused_learns_unless_it_is_frozen(fit, folder):
    model, err = fit("classification", folder / "tagging")
    reused = shared(folder / "tagging")
    actual = last(model)
    assert reused.keys() == actual.keys() and not any(
        torch.equal(reused[name], actual[name]) for name in reused if name.startswith("encoder.")
    )
    assert "stays as it is" not in err
    assert "not 11" in err and "model.embedding.size is 12, as in" in err  # the file's gave way


def test_unfreezing(fit, folder):
    epochs = ("--trainer.max_epochs", "3", "--trainer.val_check_interval", "1.0")
    model, err = fit("tagging", folder / "classification", *FROZEN, *epochs, output="frozen")
    assert equal(last(model), shared(folder / "classification"))
    late = (*FROZEN, "--model.unfreeze_epoch", "2")
    model, err = fit("tagging", folder / "classification", *late, "--trainer.max_epochs", "2")
    assert "what was loaded stays as it is for 2 epochs" in err
    assert equal(last(model), shared(folder / "classification"))
    model, _ = fit("tagging", folder / "classification", *late, *epochs, output="late")
    actual, reused = last(model), shared(folder / "classification")
    assert not any(torch.equal(actual[k], reused[k]) for k in reused if k.startswith("encoder."))


def test_killed_and_resumed(fit, folder, tmp_path):
    settings = (
        *FROZEN, "--model.unfreeze_epoch", "1", "--model.encoder_learning_rate_factor", "0.3",
        "--trainer.max_epochs", "3", "--checkpoint_steps", "1",
        "--model.optimizer.schedule", "cosine", "--data.max_sentences", "6",
    )  # fmt: skip
    whole, _ = fit("tagging", folder / "translation", *settings, output="whole")
    for stop in (2, 7):  # while frozen, and after
        output = f"killed{stop}"
        with killed(Tagging, lambda step, batch, stop=stop: step == stop):
            fit("tagging", folder / "translation", *settings, output=output)
        fit("tagging", folder / "translation", *settings, "--resume", output=output)
        check_same_end(whole, tmp_path / output)
    # A finished run can be told from its own settings alone.
    assert cli.run(["fit", "--resume", "--output", str(whole), "--trainer.max_epochs", "4"]) == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--model.encoder.hidden_size", "30"], ["hidden_size is 30", "has 10", "leave"]),
        (
            ["--model.embedding.token_features", "[prefix]"],
            ["token_features is [prefix]", "has [shape]"],
        ),
        (["--model.encoder.bidirectional=false"], ["bidirectional is false", "has true"]),
        (["--data.level", "character"], ["data.level is character", "has word"]),
        (["--data.vectors", "glove.txt"], ["data.vectors", "leave one of them out"]),
        (["--model.encoder_learning_rate_factor", "0"], ["factor is 0", "above 0"]),
        (["--model.unfreeze_epoch", "2"], ["unfreeze_epoch", "freeze_encoder true"]),
    ],
)
def test_settings_that_contradict(refused, folder, arguments, words):
    line = refused("classification", "--model.encoder_from", folder / "tagging", *arguments)
    for word in words:
        assert word in line, line


def test_a_config_that_contradicts_itself_is_named_with_its_line(rnnlp, folder, tmp_path):
    config = tmp_path / "own.yaml"
    config.write_text(
        "task: classification\nmodel:\n"
        f"  encoder_from: {folder / 'tagging'}\n  encoder: {{hidden_size: 99}}\n"
    )
    code, _, err = rnnlp("fit", "--config", config, "--output", tmp_path / "no")
    assert code == 2 and "own.yaml:4: model.encoder.hidden_size is 99" in err
    # Settings of a config below give way, whatever they are; equal ones need no word.
    config.write_text(
        f"model:\n  encoder_from: {folder / 'tagging'}\n  encoder: {{hidden_size: 10}}\n"
    )
    code, _, err = rnnlp(
        *("fit", "--config", folder / "classification.yaml", "--config", config),
        *("--output", tmp_path / "model", "--trainer.fast_dev_run", "true"),
    )
    assert code == 0, err
    assert "model.encoder.cell is lstm, as in" in err and "hidden_size is" not in err


def test_more_can_be_told_of_tokens_than_the_reused_encoder_reads(rnnlp, fit, folder):
    told = (
        "--model.embedding.token_features",
        "[suffix,shape]",
        "--model.embedding.characters",
        "cnn",
    )
    model, err = fit("tagging", folder / "generation", *told, "--trainer.max_epochs", "0")
    assert "fresh: suffix, shape, characters of tokens, beside what was loaded" in err
    reused, actual = shared(folder / "generation"), shared(model)
    for name, tensor in reused.items():  # and nothing yet of what is beside it
        size = tensor.shape[-1]
        assert torch.equal(actual[name][..., :size], tensor) and not actual[name][..., size:].any()
    model, err = fit("tagging", folder / "generation", *told, output="learned")
    size = reused["encoder.weight_ih_l0"].shape[1]
    assert shared(model)["encoder.weight_ih_l0"][:, size:].all()
    for file in ("tokenizer.json", "characters.json", "shape.json", "suffix.json"):
        assert (model / file).exists()
    code, out, err = rnnlp("predict", model, "Ann saw 7 dogs")
    assert code == 0 and len(out.splitlines()) == 1, err
    # Attributes of a config that lies below give way, as all of its settings do.
    plain, _ = fit("tagging", folder / "generation", output="plain")
    assert shared(plain).keys() == reused.keys()


def test_a_frozen_encoder_cannot_learn_to_read_more(fit, refused, folder):
    told = (
        "--model.encoder_from",
        folder / "generation",
        "--model.embedding.token_features=[shape]",
    )
    line = refused("tagging", *told, *FROZEN)
    assert "token_features is [shape]" in line and "frozen" in line and "unfreeze_epoch" in line
    late = (*FROZEN, "--model.unfreeze_epoch", "1", "--trainer.max_epochs", "1")
    model, _ = fit(
        "tagging", folder / "generation", "--model.embedding.token_features=[shape]", *late
    )
    reused = shared(folder / "generation")["encoder.weight_ih_l0"]
    assert torch.equal(shared(model)["encoder.weight_ih_l0"][:, : reused.shape[1]], reused)


def test_what_cannot_be_reused(refused, folder, tmp_path):
    for name in ("--model.freeze_encoder=true", "--model.encoder_learning_rate_factor=0.5"):
        assert "set model.encoder_from" in refused("tagging", name)
    assert "no such model folder" in refused("tagging", "--model.encoder_from", tmp_path / "none")
    assert "no vocabulary" in refused("tagging", "--data.tokenizer_from", tmp_path)
    two = f"[{folder / 'tagging'}, {folder / 'classification'}]"
    assert "data.reverse" in refused("tagging", "--model.encoder_from", two)
    three = f"[{folder}, {folder}, {folder}]"
    assert "names 3 models" in refused("tagging", "--model.encoder_from", three)
    settings = ("--model.encoder_from", folder / "tagging", "--data.bpe_dropout", "0.1")
    words = ("--data.level", "word")
    assert "bpe_dropout is for data.level bpe" in refused("translation", *settings, *words)


def test_sub_words_are_not_for_words(rnnlp, refused, folder, tmp_path):
    code, _, err = rnnlp(
        *("fit", "--config", folder / "translation.yaml", "--output", tmp_path / "bpe"),
        *("--data.level", "bpe", "--data.vocabulary_size", "300"),
    )
    assert code == 0, err
    line = refused("tagging", "--model.encoder_from", tmp_path / "bpe")
    assert "reads sub-words" in line and "data.level word or character" in line


def test_print_config_shows_the_settings_that_follow(rnnlp, folder):
    code, out, _ = rnnlp(
        *("fit", "--config", folder / "classification.yaml", "--print_config"),
        *("--model.encoder_from", folder / "tagging"),
    )
    assert code == 0 and "hidden_size: 10" in out and "token_features:\n    - shape" in out
    assert f"tokenizer_from: {folder / 'tagging'}" in out


def test_a_joint_translator_takes_the_vocabulary_for_both_sides(fit, folder):
    settings = ("--data.joint_vocabulary", "true", "--model.decoder.tie_embeddings", "all", *FROZEN)
    model, _ = fit("translation", folder / "classification", *settings)
    assert (model / "target.json").read_bytes() == (model / "tokenizer.json").read_bytes()
    weights = load_file(model / "model.safetensors")
    assert torch.equal(
        weights["embedding.words.weight"],
        load_file(folder / "classification/model.safetensors")["embedding.words.weight"],
    )


def test_a_bag_of_embeddings_gives_and_takes_embeddings_only(fit, folder):
    bag, err = fit("classification", folder / "tagging", "--model.recurrent", "false", *FROZEN)
    reused = shared(folder / "tagging")
    embedding = {k: w for k, w in reused.items() if k.startswith("embedding.")}
    assert equal(shared(bag), embedding)
    assert "encoder (this model has none)" in err
    model, err = fit("tagging", bag, *FROZEN, "--model.encoder.hidden_size", "6", output="b")
    assert equal({k: w for k, w in shared(model).items() if "embedding" in k}, embedding)
    assert "has no recurrent layers" in err


def test_windows(fit, folder):
    windows = ("--model.long_texts", "windows", "--model.max_length", "4", *FROZEN)
    model, _ = fit("classification", folder / "tagging", *windows)
    again, _ = fit("tagging", model, *FROZEN, output="again")
    assert equal(shared(again), shared(folder / "tagging"))


def test_unknown_words_are_reported(rnnlp, folder, tmp_path):
    lines = []
    for example, _ in zip(sample_tagging("english", "train"), range(30), strict=False):
        lines += [f"{token} {'B-X' if token[0].isupper() else 'O'}" for token in example.tokens]
        lines.append("")
    (tmp_path / "other.conll").write_text("\n".join(lines) + "\n")
    code, _, err = rnnlp(
        *("fit", "--config", folder / "tagging.yaml", "--output", tmp_path / "model"),
        *("--data.train", tmp_path / "other.conll", "--data.validation", "null"),
        *("--model.encoder_from", folder / "classification", "--trainer.fast_dev_run", "true"),
    )
    assert code == 0, err
    share = float(err.split("of the training tokens ")[1].split(" %")[0])
    assert 40 < share < 100


def test_settings_of_the_module_are_checked_without_the_command_line(folder):
    encoder = read_encoder(folder / "tagging")
    assert encoder.settings()["model.encoder.hidden_size"] == 10
    with pytest.raises(InputError, match="no such model folder"):
        read_encoder(folder / "nothing")
    module = package.load_encoder(folder / "tagging")
    assert module.output_size == 20
