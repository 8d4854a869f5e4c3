"""Runs the small inputs of `../shared/cases`, each of which failed once, and says which fail now.

    python benchmarks/cases.py                 all, two at a time
    python benchmarks/cases.py predict_ r_     those whose names begin so

Each case is a `run.sh` that exits 0 when the product behaves. They were written before modules and
settings got the names of today, so that a copy with these names is run.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rnnlp.tasks.model_folder.versions import RENAMED

CASES = Path(os.environ.get("CASES", "../shared/cases")).resolve()
SECONDS = 900  # most for one case

MODULES = {
    "data.alignment": "data.tagging.span_alignment",
    "data.notes": "data.corpus.report",
    "data.schemes": "data.tagging.schemes",
    "data.tagging_readers": "data.tagging.readers",
    "data.tokenizer": "data.text.tokenizer",
    "data.classification": "data.classification.datamodule",
    "tasks.tagging_pipeline": "tasks.tagging.pipeline",
    "tasks.translation_scores": "tasks.translation.scores",
}
# What an engine takes for the network today: the featurizer gives numpy arrays.
BATCH = "t.featurizer.batch([[text[a:b] for a, b in places]])"


def renamed(text: str) -> str:
    """A script with the names of today."""
    for old, new in MODULES.items():
        text = re.sub(rf"\brnnlp\.{re.escape(old)}(?=[ \n,])", f"rnnlp.{new}", text)
    for old, new in RENAMED.items():
        text = re.sub(rf"(--(?:data|model)\.(?:\w+\.)*){old}\b(?!\.)", rf"\g<1>{new}", text)
        text = text.replace(f"['{old}']", f"['{new}']")
    if BATCH in text:
        text = text.replace(
            "import itertools",
            "from rnnlp.data.datamodule.tensors import as_tensors\nimport itertools",
        )
        text = text.replace(BATCH, f"as_tensors({BATCH})").replace(".attributes", ".token_features")
    return text


def run(case: Path) -> tuple[str, bool, float, str]:
    """Name, whether it behaves, seconds, and the last line that it printed."""
    began = time.perf_counter()
    try:
        done = subprocess.run(
            ["bash", str(case / "run.sh")], timeout=SECONDS, capture_output=True, text=True,
            errors="replace", stdin=subprocess.DEVNULL,
        )  # fmt: skip
        code, said = done.returncode, done.stdout + done.stderr
    except subprocess.TimeoutExpired:
        code, said = 124, f"still running after {SECONDS} s"
    last = said.strip().splitlines()[-1:] or [""]
    return case.name, code == 0, time.perf_counter() - began, last[0][:150]


def main() -> int:
    """Runs the cases that are named."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "cases"
        shutil.copytree(CASES, copy)
        for script in [*copy.glob("*/*.sh"), *copy.glob("*/*.py")]:
            script.write_text(renamed(script.read_text(encoding="utf-8")), encoding="utf-8")
        names = tuple(sys.argv[1:]) or ("",)
        cases = [path.parent for path in sorted(copy.glob("*/run.sh"))]
        cases = [case for case in cases if case.name.startswith(names)]
        failed = 0
        with ThreadPoolExecutor(max_workers=2) as pool:
            for name, fine, seconds, last in pool.map(run, cases):
                failed += not fine
                print(
                    f"{'ok  ' if fine else 'FAIL'} {name:36} {seconds:6.1f} s  {last}", flush=True
                )
    print(f"{len(cases) - failed} of {len(cases)} behave")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
