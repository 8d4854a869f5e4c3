"""A hundred odd files through `fit`, `predict` and `evaluate`: an answer, or one line and code 2.

Nothing is said here about which of the two: other tests do. What this one does not let pass is a
traceback, an error of several lines, a run that succeeds in silence about a guess, or half a line
of JSON. Each file goes to one task with each verb, in turns, and a third of them to `fit`;
`RNNLP_SEARCH=1` gives all to all.
"""

import gzip
import json
import os
import struct
from pathlib import Path

import pytest

FOLDERS = Path(__file__).parents[2] / "folders"
CONFIGS = {
    "tagging": "ner",
    "classification": "sentiment",
    "translation": "translation",
    "generation": "generation",
}
SMALL = ["--trainer.fast_dev_run=1", "--trainer.accelerator=cpu", "--model.embedding.size=8"]
PERSON = "Ann B-PER\nlaughed O\n\n"
ROW = '{"text": "Ann laughed.", "label": "good"}\n'
DEEP = "[" * 6000 + "]" * 6000


def odd_contents():
    """Names and contents; of what is text, more are made by `variants`."""
    texts = {
        "plain.txt": "Ann laughed.\nBob sleeps.\n" * 4,
        "columns.conll": PERSON * 6,
        "tabs.conll": PERSON.replace(" ", "\t") * 6,
        "outside.conll": "Ann O\nlaughed O\n\n" * 6,
        "tags_only.conll": "B-PER\nO\n\n" * 6,
        "four.conll": "Ann NN x B-PER\nlaughed VB y O\n\n" * 6,
        "words.conllu": "1\tAnn\t_\tPROPN\t_\t_\t0\troot\t_\t_\n\n" * 6,
        "form.conllu": "1\t_\t_\tPROPN\t_\t_\t0\troot\t_\t_\n\n" * 6,
        "labels.csv": "text,label\n" + "Ann laughed,good\nBob sleeps,bad\n" * 6,
        "semicolons.csv": "text;label\n" + "Ann laughed;good\nBob sleeps;bad\n" * 6,
        "bare.csv": "Ann laughed,good\nBob sleeps,bad\n" * 6,
        "quotes.csv": 'text,label\n"Ann ""laughed"",\nand left",good\nBob,bad\n' * 4,
        "open_quote.csv": 'text,label\n"Ann,good\nBob,bad\n',
        "header.csv": "text,label\n",
        "twins.csv": "text,text\na,b\n",
        "numbers.csv": "1,2\n3,4\n5,6\n",
        "pairs.tsv": "en\tfr\n" + "hello\tbonjour\ngood day\tbon jour\n" * 4,
        "ragged.tsv": "a\tb\tc\nd\n\te\n",
        "rows.jsonl": ROW * 6,
        "spans.jsonl": '{"text": "Ann laughed.", "entities": [[0, 3, "PER"]]}\n' * 6,
        "reversed_span.jsonl": '{"text": "Ann", "entities": [[3, 0, "PER"]]}\n' * 6,
        "text_span.jsonl": '{"text": "Ann", "entities": [["0", "3", 7]]}\n' * 6,
        "null_text.jsonl": '{"text": null, "label": null}\n' * 6,
        "number_text.jsonl": '{"text": 5, "label": 5.0}\n' * 6,
        "list_label.jsonl": '{"text": "a", "label": []}\n{"text": "b", "label": ["x", null]}\n' * 4,
        "nan.jsonl": '{"text": "a", "label": NaN}\n' * 4,
        "deep.jsonl": f'{ROW}{{"text": "a", "x": {DEEP}}}\n',
        "half.jsonl": '{"text": "a \\ud83d", "label": "x"}\n' * 4,
        "array.json": '[{"text": "a", "label": "x"}]\n',
        "pretty.json": '{\n  "text": "a",\n  "label": "x"\n}\n',
        "huge_number.jsonl": '{"text": "a", "label": 1' + "0" * 5000 + "}\n",
        "fasttext.txt": "__label__good Ann laughed\n__label__bad Bob\n" * 4,
        "tunes.abc": "X:1\nT:x\nM:6/8\nK:G\nGAB|\n\n" * 4,
        "tune_without_key.abc": "X:1\nGAB|\n",
        "brat.ann": "T1\tPER 0 3\tAnn\n",
        "markup.html": "<html><body>Ann</body></html>\n",
        "config.yaml": "task: tagging\n",
        "blank.txt": "\n \n\t\n",
        "controls.txt": "\x1b[31mred\x07\x08\n\u202eturned\u2028\u0085\n" * 3,
        "marks.txt": "\u0301\u200d\ufe0f\u3000\n👩\u200d👩\n" * 3,
        "one_word.txt": "a" * 1_500 + "\n",
        "one_line.txt": "Ann laughed. " * 60,
    }
    binary = {
        "empty.txt": b"",
        "empty.jsonl": b"",
        "nul.txt": b"\x00\x01\x02" * 50,
        "latin.txt": "Müller lacht.\n".encode("latin-1") * 4,
        "utf16.csv": "text,label\na,b\n".encode("utf-16"),
        "utf32.csv": "text,label\na,b\n".encode("utf-32"),
        "table.xlsx": b"PK\x03\x04" + bytes(100),
        "table.xls": b"\xd0\xcf\x11\xe0" + bytes(100),
        "table.parquet": b"PAR1" + bytes(100),
        "paper.pdf": b"%PDF-1.4\n%\xe2\xe3\n",
        "image.png": b"\x89PNG\r\n\x1a\n" + bytes(50),
        "weights.safetensors": struct.pack("<Q", 1 << 60) + b"{}",
        "cut.txt.gz": gzip.compress(b"Ann laughed.\n" * 1000)[:-9],
        "not.gz": b"Ann laughed.\n",
        "packed.txt": gzip.compress(b"Ann laughed.\n"),
        "twice.txt.gz": gzip.compress(gzip.compress(b"Ann laughed.\n")),
        "half_byte.txt": b"Ann \xc3\n" * 3,
    }
    yield from binary.items()
    for name, text in texts.items():
        yield name, text.encode()
        if len(text) < 2_000:
            yield from variants(name, text.encode())


def variants(name, content):
    """The same, as other machines and cut files have it; two of them for each, in turns."""
    stem, _, suffix = name.rpartition(".")
    ways = [
        ("crlf", suffix, content.replace(b"\n", b"\r\n")),
        ("cr", suffix, content.replace(b"\n", b"\r")),
        ("mark", suffix, b"\xef\xbb\xbf" + content),
        ("cut", suffix, content[: len(content) * 2 // 3]),
        ("end", suffix, content.rstrip(b"\n")),
        ("blank", suffix, b"\n\n" + content + b"\n\n"),
        ("other", "dat", content),
        ("zip", f"{suffix}.gz", gzip.compress(content)),
    ]
    first = len(stem) % len(ways)
    for way in (ways[first], ways[first - 3]):
        yield f"{stem}_{way[0]}.{way[1]}", way[2]


FILES = dict(odd_contents())
TASKS = tuple(CONFIGS)
SHARE = 8  # tests, so that several processes share them


def test_there_are_a_hundred():
    assert len(FILES) >= 100


@pytest.mark.parametrize("share", range(SHARE))
def test_an_answer_or_one_line(rnnlp, tmp_path, share):
    wrong = []
    for number, (name, content) in list(enumerate(FILES.items()))[share::SHARE]:
        file = tmp_path / name
        file.write_bytes(content)
        everything = "RNNLP_SEARCH" in os.environ
        for turn, verb in enumerate(("fit", "predict", "evaluate")):
            if verb == "fit" and number % 3 and not everything:
                continue  # it takes ten times as long as the others
            first = (number // SHARE + number + turn) % len(TASKS)
            for task in TASKS if everything else (TASKS[first],):
                problem = tried(rnnlp, verb, task, file, tmp_path / "output")
                if problem:
                    wrong.append(f"{verb} {task} {name}: {problem}")
    assert not wrong, "\n".join(wrong)


def tried(rnnlp, verb, task, file, output):
    """Runs a verb on a file, and says what is wrong with how it ends."""
    model = FOLDERS / f"{task}-v1"
    if verb == "fit":
        arguments = ["fit", "--config", CONFIGS[task], "--data.train", file]
        arguments += ["--data.validation", file, "--output", output, *SMALL]
        if task == "translation":
            arguments += ["--data.source=en", "--data.target=fr", "--data.vocabulary_size=300"]
    elif verb == "predict":
        arguments = ["predict", model, "--input", file]
        arguments += ["--max_length=5"] if task == "generation" else []
        arguments += ["--beam_size=1"] if task == "translation" else []
    else:
        arguments = ["evaluate", model, file, "--json"]
    try:
        code, out, err = rnnlp(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error!s:.300}"
    lines = err.splitlines()
    if code == 2:
        if out or not lines or not lines[-1].startswith("rnnlp: "):
            return f"exit code 2 and {out[:100]!r}, {err[-300:]!r}"
        if odd := [line for line in lines[:-1] if not line.startswith("note: ")]:
            return f"several lines: {odd[0]:.200}"
        return "" if len(lines[-1]) < 3_000 else "a long line"
    if code != 0 or "Traceback" in err:
        return f"exit code {code}: {err[-300:]!r}"
    if verb == "fit" and "note: " not in err:
        return "no note"
    for line in out.split("\n")[:-1] if verb != "fit" else ():  # U+2028 ends no line
        json.loads(line, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    return ""
