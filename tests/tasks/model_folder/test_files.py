"""JSON and weights in and out: every number is one, and the same weights are the same bytes."""

import pytest
import torch

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.files import as_json, read_json
from rnnlp.tasks.model_folder.weights import write_weights


def test_numbers_that_are_none_are_null():
    content = {"a": [float("nan"), 1.5, (float("inf"),)], "é": -float("inf"), "b": True}
    assert as_json(content) == '{"a": [null, 1.5, [null]], "é": null, "b": true}'


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", "{", "[" * 100_000, "9" * 10_000])
def test_damaged_json(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path / "x.json")


def test_the_same_weights_are_the_same_file(tmp_path):
    weights = {"b": torch.ones(3), "a": torch.zeros(2)}
    files = [tmp_path / f"{number}.safetensors" for number in range(16)]
    for file in files:
        write_weights(file, weights)
    assert len({file.read_bytes() for file in files}) == 1
