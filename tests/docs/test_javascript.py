"""The worked example in JavaScript gives the entities that `predict` gives.

Needs Node.js and `npm install onnxruntime-node` in `docs/javascript`; skipped where they are not.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

import rnnlp
from rnnlp.tasks.export.export import export

HERE = Path(rnnlp.__file__).parent
EXAMPLE = HERE / "docs" / "javascript"
TEXTS = [
    "Barack Obama visited Berlin.",
    "Maria visited Oslo, didn't she? See www.x.org/a, @bob a@b.co 1,234.5 U.S. O'Neill…",
    "张伟去年在上海加入了华为公司。Dr. Merkel's 10:30",
    "",
]


@pytest.mark.skipif(
    shutil.which("node") is None or not (EXAMPLE / "node_modules" / "onnxruntime-node").exists(),
    reason="needs node, and onnxruntime-node in docs/javascript",
)
def test_the_entities_are_those_of_predict(tmp_path):
    folder = export(HERE / "tests" / "folders" / "tagging-v1", tmp_path / "tagger")
    run = subprocess.run(
        ["node", EXAMPLE / "tagger.mjs", folder, *TEXTS], capture_output=True, text=True, check=True
    )
    said = [json.loads(line) for line in run.stdout.splitlines()]
    wanted = rnnlp.load(folder)(TEXTS)
    for answer in wanted:
        for entity in answer["entities"]:
            del entity["score"]
    assert any(answer["entities"] for answer in wanted) and said == wanted
