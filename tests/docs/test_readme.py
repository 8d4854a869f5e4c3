"""The code of README and guide runs in its order, as a user types it, on small files.

Bash reads each block, so that quotes, pipes and `$(…)` are its own; a command `rnnlp` in its path
writes down how it was called, and the calls are then made in this process. Training is cut short;
what neither ends nor can be cut short is looked up in its help.
"""

import io
import json
import shutil
import subprocess
import sys

import pytest

from rnnlp.tasks.cli import main as cli

from .test_code_blocks import help_of, pages

SHORT = [
    "--trainer.max_epochs=1", "--trainer.limit_train_batches=2", "--trainer.limit_val_batches=1",
    "--trainer.limit_test_batches=1", "--trainer.enable_progress_bar=false",
]  # fmt: skip
SMALL = {  # instead of the sample corpora, which take seconds each
    "ner": ["--data.train=train.conll", "--data.validation=dev.conll"],
    "sentiment": ["--data.train=train.csv", "--data.validation=dev.csv"],
    "translation": ["--data.train=train", "--data.validation=val"],
    "g2p": ["--data.train=words.tsv", "--data.validation=words.tsv"],
    "joint": [
        "--data.tagging.train=train.conll", "--data.tagging.validation=dev.conll",
        "--data.classification.train=train.csv", "--data.classification.validation=dev.csv",
    ],
}  # fmt: skip
LONG = ("serve", "compare")
GUIDE = (
    "tagging",
    "classification",
    "translation",
    "generation",
    "streams",
    "joint",
    "python",
    "reuse",
    "compare",
    "export-serve",
)  # a page takes up what those before it have trained
STUB = """\
#!/bin/bash
n=$(ls calls | wc -l)
printf '%s\\0' "$@" > calls/$n
if [ -p /dev/stdin ]; then cat > stdin/$n; fi
"""
NOT_RUN = ("make ", "pip ", "python ", "source ", "curl ", "     -d ", "{")  # beginnings of lines


def write_files(folder):
    """What the commands read."""
    files = {}
    conll = "Angela B-PER\nMerkel I-PER\nmet O\nher O\nin O\nParis B-LOC\n{} O\n\n"
    for name in ("train", "dev", "test", "ner"):
        files[f"{name}.conll"] = "".join(conll.format(number) for number in range(40))
    review = "Room {0} was good.,good\nRoom {0} was not good at all.,bad\n"
    reviews = "text,label\n" + "".join(review.format(number) for number in range(40))
    for name in ("train", "dev", "reviews"):
        files[f"{name}.csv"] = reviews
    for name in ("train", "val"):
        files[f"{name}.en"] = "A man plays the guitar.\nTwo dogs run on the beach.\n" * 20
        files[f"{name}.de"] = "Ein Mann spielt Gitarre.\nZwei Hunde laufen am Strand.\n" * 20
        files[f"{name}.zh"] = "我在弹吉他。\n他去年去了北京。\n" * 20
    files["other.de"] = files["val.de"]
    files["words.tsv"] = "kam\tk a m\nta\tt a:\n" * 20
    for name in ("deu.trn", "deu.dev"):
        files[name] = "gehen\tging\tV;PST;3;SG\nsehen\tsah\tV;PST;3;SG\n" * 20
    files["texts.txt"] = "张伟在上海的华为公司工作。\n李娜去年去了北京。\n" * 40
    files["vectors.jsonl"] = json.dumps({"vector": [0.5] * 48}) + "\n"
    entities = {"name": {"张伟": [[0, 1]]}, "address": {"上海": [[3, 4]]}}
    cluener = json.dumps({"text": "张伟在上海工作。", "label": entities}, ensure_ascii=False)
    for name in ("train", "dev"):
        files[f"{name}.json"] = f"{cluener}\n" * 20
    for name in ("articles", "log", "chat"):
        files[f"{name}.txt"] = "Angela Merkel met Tim Cook.\nShe was in Paris.\n"
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def calls_of(code, folder):
    """The calls of `rnnlp` in a block: arguments, and what came through a pipe."""
    for name in ("calls", "stdin"):
        (folder / name).mkdir(exist_ok=True)
        for file in (folder / name).iterdir():
            file.unlink()
    lines = code.replace("tail -f ", "cat ").splitlines(keepends=True)
    code = "".join(line for line in lines if not line.startswith(NOT_RUN))
    path = f"{folder / 'bin'}:/usr/bin:/bin"
    command = ["bash", "-e", "-c", code]
    subprocess.run(command, cwd=folder, env={"PATH": path}, check=True, stdin=subprocess.DEVNULL)
    for number in range(len(list((folder / "calls").iterdir()))):
        words = (folder / "calls" / str(number)).read_text(encoding="utf-8").split("\0")[:-1]
        piped = folder / "stdin" / str(number)
        yield words, piped.read_bytes() if piped.exists() else None


def test_the_guide_is_whole():
    assert {page.stem for page in (pages.DOCS / "en" / "guide").iterdir()} == set(GUIDE)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.filterwarnings("ignore")
def test_the_readme_and_the_guide_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    stub = tmp_path / "bin" / "rnnlp"
    stub.parent.mkdir()
    stub.write_text(STUB)
    stub.chmod(0o755)
    ran, failed, seen = [], [], set()
    for page in (pages.README, *(pages.DOCS / "en" / "guide" / f"{name}.md" for name in GUIDE)):
        names = {"lines": ["Anna met Bo."], "chunks": ["Anna met ", "Bo."]}
        for block in pages.blocks(page.read_text(encoding="utf-8")):
            if block.language == "python":
                pages.run_python(block, names, source=str(page))
            for (verb, *rest), piped in () if block.language else calls_of(block.code, tmp_path):
                if (verb, *rest) in seen:  # a page begins with what the README has
                    continue
                seen.add((verb, *rest))
                if verb in LONG:
                    known = help_of(verb, rest, capsys)
                    assert all(word in known for word in rest if word.startswith("--"))
                    continue
                if "runs/demo-en" in rest:  # which `make demo` has trained
                    shutil.copytree("runs/mine", "runs/demo-en")
                if piped is not None:
                    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(piped)))
                capsys.readouterr()
                more = SHORT if verb == "fit" else []
                data = [word for word in rest if word.startswith("--data.") and ".train" in word]
                if more and not data:
                    more = [*more, *SMALL.get(rest[1], ())]
                code = cli.main([verb, *rest, *more])
                out, err = capsys.readouterr()
                if code != 0:
                    failed.append(f"{page}:{block.line}: rnnlp {verb} {rest}: {err}")
                elif verb == "predict" and "--stream" not in rest:  # it has learned to find nothing
                    assert [json.loads(line) for line in out.splitlines()], rest
                ran.append(verb)
    assert not failed, "\n".join(failed)
    assert {"fit", "predict", "evaluate", "encode", "explain", "export"} == set(ran)
    assert len(ran) > 25
