"""JSON in and out: every number is one."""

import pytest

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.files import as_json, read_json


def test_numbers_that_are_none_are_null():
    content = {"a": [float("nan"), 1.5, (float("inf"),)], "é": -float("inf"), "b": True}
    assert as_json(content) == '{"a": [null, 1.5, [null]], "é": null, "b": true}'


@pytest.mark.parametrize("text", ["NaN", "[-Infinity]", "{", "[" * 100_000, "9" * 10_000])
def test_damaged_json(tmp_path, text):
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path / "x.json")
