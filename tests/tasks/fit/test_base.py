"""A config that begins with another one and holds only what differs."""

import pytest
import torch
import yaml

from rnnlp import load


def settings(rnnlp, *arguments):
    code, out, err = rnnlp("fit", *arguments, "--print_config")
    assert code == 0, err
    return yaml.safe_load(out)


def test_a_config_holds_what_differs(rnnlp, tmp_path):
    (tmp_path / "gru.yaml").write_text("base: ner\nmodel: {encoder: {cell: gru}}\n")
    (tmp_path / "small.yaml").write_text("base: gru.yaml\nmodel: {encoder: {hidden_size: 7}}\n")
    whole = settings(rnnlp, "--config", "ner")
    small = settings(rnnlp, "--config", tmp_path / "small.yaml")
    assert (small["model"]["encoder"]["cell"], small["model"]["encoder"]["hidden_size"]) == (
        "gru",
        7,
    )
    whole["model"]["encoder"].update(cell="gru", hidden_size=7)
    assert small["model"] == whole["model"] and small["data"] == whole["data"]


@pytest.mark.parametrize(
    ("base", "says"),
    [("a.yaml", "begins with it in turn"), ("b.yaml", "begins with it in turn"), ("nope", "nope")],
)
def test_a_base_that_leads_nowhere(rnnlp, tmp_path, base, says):
    (tmp_path / "a.yaml").write_text(f"base: {base}\n")
    (tmp_path / "b.yaml").write_text("base: a.yaml\n")
    code, _, err = rnnlp("fit", "--config", tmp_path / "a.yaml", "--print_config")
    assert code == 2 and says in err and len(err.splitlines()) == 1


def test_on_the_command_line_there_are_several_configs_instead(rnnlp):
    code, _, err = rnnlp("fit", "--config", "ner", "--base", "sentiment")
    assert code == 2 and "give --config sentiment before" in err and len(err.splitlines()) == 1


def test_words_without_a_frozen_vector_get_the_mean(corpus, tmp_path, rnnlp):
    (tmp_path / "v.txt").write_text("Anna 1 2 3\nvisited 3 2 1\nBerlin 2 5 -1\n")
    settings = [
        "--config", corpus / "tiny.yaml", "--trainer.max_epochs=1", "--data.vectors",
        tmp_path / "v.txt", "--model.embedding.size=3",
    ]  # fmt: skip
    code, _, err = rnnlp(
        "fit", *settings, "--output", tmp_path / "m", "--model.embedding.freeze_vectors=true"
    )
    assert code == 0, err
    words = load(tmp_path / "m").network.embedding.words.weight
    tokens = load(tmp_path / "m").featurizer.tokens
    pretrained = {(1, 2, 3), (3, 2, 1), (2, 5, -1)}
    known = torch.tensor([row for row in words.tolist() if tuple(row) in pretrained])
    unknown = words[tokens.ids(["no such word", ","])]
    assert len(known) >= 3 and torch.allclose(unknown, known.mean(0).expand(2, 3))
    (tmp_path / "v.txt").write_text("2 3\nqqq 1 2 3\nqqx 1 2 3\n")
    code, _, err = rnnlp("fit", *settings, "--output", tmp_path / "n")
    assert code == 2 and f"{tmp_path / 'v.txt'}: has a vector for none of the" in err
    (tmp_path / "v.txt").write_text("0 3\n")
    code, _, err = rnnlp("fit", *settings, "--output", tmp_path / "n")
    assert code == 2 and err.splitlines()[-1].startswith("rnnlp: ")
