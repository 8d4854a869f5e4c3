"""Model folders as a stranger hands them over: refused in one line, before memory is taken."""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.data.text.tokenizer import Tokenizer
from rnnlp.tasks.base.reused_encoder import read_encoder
from rnnlp.tasks.model_folder.weights import read_weights, write_weights

GOLDEN = Path(__file__).parents[2] / "folders"


@pytest.fixture
def copy(tmp_path):
    """A copy of a golden folder."""
    return lambda name="tagging-v1": Path(shutil.copytree(GOLDEN / name, tmp_path / name))


def rewrite(file, change):
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def refused(folder):
    with pytest.raises(InputError) as error:
        package.load(folder)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("finished", [True, False])
def test_a_file_is_missing(copy, name, finished):
    folder = copy()
    (folder / "checkpoints").mkdir()
    (folder / name).unlink()
    if not finished:
        (folder / "metrics.json").unlink(missing_ok=True)
        hint = "its training was cut short: finish it with `rnnlp fit --resume`"
    else:
        (folder / "metrics.json").write_text("{}")
        hint = "it was complete once: get the folder again as a whole"
    assert refused(folder).endswith(f"is not a complete model folder: no {name}; {hint}")


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("encoder", "hidden_size", 20_000),
        ("encoder", "hidden_size", 10**9),
        ("encoder", "hidden_size", -1),
        ("encoder", "layers", 100_000),
        ("sizes", "tokens", 10**8),
    ],
)
def test_sizes_that_the_weights_do_not_have(copy, part, name, value):
    folder = copy()
    rewrite(folder / "config.json", lambda content: content["model"][part].update({name: value}))
    assert "config.json" in refused(folder)


def test_an_encoder_is_reused_from_a_whole_folder_only(copy):
    folder = copy()
    rewrite(folder / "config.json", lambda content: content["model"]["sizes"].update(tokens=10**9))
    with pytest.raises(InputError, match="is 13 x"):
        read_encoder(folder)
    other = copy("classification-v1")
    (other / "tokenizer.json").write_text("{}")
    with pytest.raises(InputError, match="cannot be read"):
        read_encoder(other)


@pytest.mark.parametrize(
    ("name", "part", "setting", "value"),
    [
        ("translation-v1", "search", "beam", 0),
        ("translation-v1", "search", "length_penalty", -1.0),
        ("generation-v1", "sampling", "temperature", 0.0),
        ("generation-v1", "sampling", "max_length", 0),
    ],
)
def test_settings_out_of_their_range(copy, name, part, setting, value):
    folder = copy(name)
    rewrite(folder / "config.json", lambda content: content["model"][part].update({setting: value}))
    message = refused(folder)
    assert "config.json" in message and f"{setting}" in message and str(value) in message


def test_nothing_is_built_in_memory_before_the_sizes_are_compared(copy, monkeypatch):
    devices = set()
    build = nn.Linear.__init__

    def spied(self, *arguments, **keywords):
        build(self, *arguments, **keywords)
        devices.add(self.weight.device.type)

    monkeypatch.setattr(nn.Linear, "__init__", spied)
    folder = copy()
    rewrite(folder / "config.json", lambda content: content["model"]["tags"].append("B-X"))
    refused(folder)
    assert devices == {"meta"}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(copy, value):
    folder = copy("translation-v1")
    weights = load_file(folder / "model.safetensors")
    next(iter(weights.values())).view(-1)[0] = value
    save_file(weights, folder / "model.safetensors")
    assert "model.safetensors" in refused(folder) and "NaN" in refused(folder)


def test_a_flipped_bit_in_the_weights(tmp_path):
    file = tmp_path / "model.safetensors"
    weights = {
        "a": torch.arange(6.0).view(2, 3), "b": torch.tensor(2), "c": torch.tensor([True, False]),
        "d": torch.ones(3, dtype=torch.bfloat16), "e": torch.zeros(0), "f": torch.eye(2).T,
    }  # fmt: skip
    write_weights(file, weights)
    again = read_weights(file)
    assert again.keys() == weights.keys()
    assert all(torch.equal(again[name], weights[name]) for name in weights)
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        read_weights(file)
    save_file(weights | {"f": torch.eye(2)}, file)  # other writers give no checksum
    read_weights(file)


@pytest.mark.parametrize("value", [0.0, -1.0])
@pytest.mark.parametrize("name", ["classification-v1", "joint-v1"])
def test_a_temperature_that_nothing_can_be_divided_by(copy, name, value):
    folder = copy(name)
    weights = load_file(folder / "model.safetensors")
    key = next(key for key in weights if key.endswith("temperature"))
    weights[key].fill_(value)
    save_file(weights, folder / "model.safetensors")
    assert "temperature" in refused(folder)


def test_a_padding_row_that_is_not_zero_changes_nothing(copy):
    folder = copy()
    weights = load_file(folder / "model.safetensors")
    tables = [k for k in weights if re.search(r"words|spelling\.embedding|attributes", k)]
    assert len(tables) == 4
    for key in tables:
        weights[key][0] = 100.0
    save_file(weights, folder / "model.safetensors")
    tagger, clean = package.load(folder), package.load(GOLDEN / "tagging-v1")
    texts = ["Anna went to Berlin", "x", "Ann"]
    assert tagger(texts) == [tagger(text) for text in texts] == clean(texts)


@pytest.mark.parametrize("name", ["tokenizer.json", "characters.json", "bigram.json"])
@pytest.mark.parametrize("content", ["", "{", "[" * 100_000, "null", '{"model": 3}', None])
def test_damaged_vocabularies(copy, name, content):
    folder = copy()
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    refused(folder)


def test_vocabularies_of_another_model(copy):
    folder = copy()
    shutil.copy(GOLDEN / "classification-v1/tokenizer.json", folder)
    assert "tokenizer.json" in refused(folder)
    shutil.copy(GOLDEN / "tagging-v1/tokenizer.json", folder)
    shutil.copy(folder / "bigram.json", folder / "prefix.json")
    assert "prefix.json" in refused(folder)
    target = copy("translation-v1")
    (target / "target.json").unlink()
    assert "target.json" in refused(target)


@pytest.mark.parametrize("content", ["[" * 100_000, '{"a": NaN}', "{}", "[]", "\xff"])
def test_a_damaged_config(copy, content):
    folder = copy()
    (folder / "config.json").write_text(content, encoding="latin-1")
    assert "config.json" in refused(folder)


def test_files_that_are_none(copy, tmp_path):
    folder = copy()
    for name in ("characters.json", "config.json", "model.safetensors", "README.md"):
        shutil.move(folder / name, tmp_path / "kept")
        os.mkfifo(folder / name)
        assert f"{name}: is no file" in refused(folder)
        (folder / name).unlink()
        for target in ("/dev/zero", tmp_path / "kept", tmp_path / "nowhere"):
            (folder / name).symlink_to(target)
            assert f"{name}: is a link out of the model folder" in refused(folder)
            (folder / name).unlink()
        (folder / name).symlink_to(name)  # to itself
        refused(folder)
        (folder / name).unlink()
        shutil.move(tmp_path / "kept", folder / name)
    package.load(folder)


def test_the_cache_of_the_hub_consists_of_links(copy, tmp_path):
    repository = tmp_path / "models--owner--name"
    snapshot, blobs = repository / "snapshots" / "abc123", repository / "blobs"
    shutil.move(copy(), blobs)
    snapshot.mkdir(parents=True)
    for file in blobs.iterdir():
        (snapshot / file.name).symlink_to(Path("..", "..", "blobs", file.name))
    text = "Maria visited Oslo."
    assert package.load(snapshot)(text) == package.load(GOLDEN / "tagging-v1")(text)
    (tmp_path / "link").symlink_to(snapshot)  # the folder itself may lie anywhere
    package.load(tmp_path / "link")


def test_a_tokenizer_neither_pads_nor_cuts_nor_draws_lots(copy):
    folder = copy("translation-v1")
    plain = Tokenizer.load(folder / "tokenizer.json").encode("one two three")

    def change(content):
        content["padding"] = {
            "strategy": {"Fixed": 10**12}, "direction": "Right", "pad_to_multiple_of": None,
            "pad_id": 0, "pad_type_id": 0, "pad_token": "<pad>",
        }  # fmt: skip
        content["truncation"] = {
            "max_length": 1, "strategy": "LongestFirst", "stride": 0, "direction": "Right",
        }  # fmt: skip
        content["model"]["dropout"] = 0.9

    rewrite(folder / "tokenizer.json", change)
    assert Tokenizer.load(folder / "tokenizer.json").encode("one two three") == plain


@pytest.mark.parametrize(
    "change",
    [
        {"normalizer": {"type": "Prepend", "prepend": "x" * 1000}},
        {"pre_tokenizer": {"type": "Whitespace"}},
        {"pre_tokenizer": None},
        {"model": {"type": "WordPiece", "vocab": {}}},
        {"added_tokens": []},
    ],
)
def test_a_tokenizer_of_another_make_is_refused(copy, change):
    folder = copy()
    rewrite(folder / "tokenizer.json", lambda content: content.update(change))
    assert "tokenizer" in refused(folder)
