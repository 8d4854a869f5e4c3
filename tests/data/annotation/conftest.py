"""Files that annotation tools might have written."""

import json

import pytest


@pytest.fixture
def write(tmp_path):
    """Writes a text, an object, or with a name in `l` an object a line; gives the path."""

    def run(content, name="export.json"):
        text = content
        if not isinstance(content, str):
            rows = name.endswith("l")
            text = "".join(json.dumps(r) + "\n" for r in content) if rows else json.dumps(content)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return run
