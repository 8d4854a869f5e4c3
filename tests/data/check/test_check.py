"""`rnnlp check`: each kind of fault is found, and sound data has none."""

import json

import pytest

from rnnlp.data.check.items import task_of
from rnnlp.tasks.cli import main as cli


@pytest.fixture
def check(tmp_path, capsys):
    """Writes files, checks the first against the others: exit code, stdout and stderr."""

    def run(*files, **options):
        paths = []
        for number, (suffix, content) in enumerate(files):
            paths.append(tmp_path / f"f{number}.{suffix}")
            paths[-1].write_text(content, encoding="utf-8")
        against = ["--against", *map(str, paths[1:])] if paths[1:] else []
        more = [part for name, value in options.items() for part in (f"--{name}", value)]
        code = cli.main(["check", str(paths[0]), *against, *more])
        return code, *capsys.readouterr()

    return run


def table(rows):
    return "csv", "text,label\n" + "".join(f"{text},{label}\n" for text, label in rows)


SOUND = [(f"text {i} here", "ab"[i % 2]) for i in range(20)]


def test_sound_data(check):
    code, out, err = check(table(SOUND))
    assert code == 0 and "nothing wrong" in out and "20 examples" in out and "a 10, b 10" in out
    assert "checked as data for classification" in err
    assert "f0.csv: read as csv with a header: text in text, label in label" in out


def test_texts_of_exports_are_named_as_the_export_has_them(check):
    value = {"start": 0, "end": 4, "text": "Anna", "labels": ["X"]}
    task = {
        "data": {"text": "Anna ran"},
        "annotations": [{"result": [{"type": "labels", "value": value}]}],
    }
    _, out, _ = check(("json", json.dumps([task, task])))
    assert "whose text stands there before: 1 (first at " in out and "f0.json, task 2)" in out


def test_plain_tags_and_entities_are_not_compared(check):
    tags = "conll", "Anna NNP\nran VBD\n\n" * 3
    spans = "jsonl", json.dumps({"text": "Anna ran", "entities": [[0, 4, "NNP"]]})
    code, _, err = check(tags, spans)
    assert code == 2 and "f1.jsonl: has entities, and " in err
    assert "f0.conll has plain tags: they cannot be compared" in err


def test_columns_of_other_names(check):
    rows = "".join(f"{i},text {i} here,{'ab'[i % 2]}{';c' * (i % 3 == 0)}\n" for i in range(20))
    file = "csv", f"id,message,team\n{rows}"
    code, _, err = check(file)
    assert code == 2 and "set --label_column" in err
    code, out, _ = check(file, text_column="message", label_column="3", label_separator=";")
    assert code == 0 and "a 10, b 10, c 7" in out
    code, _, err = check(("conll", "a O\n"), label_column="2")
    assert code == 2 and "--task classification" in err


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ([("text 1  here", "b")], "examples whose text stands there before: 1"),
        ([("text 1 here", "a")], "of them labelled otherwise than before: 1"),
        ([("new", "A")] * 5, "labels that may mean the same: A, a"),
        ([("new", "c")], "labels with fewer than 5 examples: c 1"),
        ([("schÃ¶n", "a")], "damaged characters"),
        ([("sch\ufffdn", "a")], "damaged characters"),
    ],
)
def test_faults_in_a_file(check, rows, line):
    code, out, _ = check(table(SOUND + rows))
    assert code == 1 and line in out.partition("!")[2]


def test_leaks_between_files(check):
    other = [("text 1 here", "b"), ("text 2 here", "b"), ("quite new", "z"), ("also new", "b")]
    code, out, _ = check(table(SOUND), table(other))
    assert code == 1
    assert "as well: 2 (50.0 %), 1 of them labelled otherwise" in out
    assert "lacks: z" in out and "tokens that" in out and "lacks: 40.0 %" in out


def test_tags(check):
    good = "Anna B-PER\nran O\n\nBo B-PER\nsat O\n\n"
    files = [("conll", good * 5 + "O O\nran I-PER\n\n")]
    code, out, err = check(*files)
    assert code == 1 and "checked as data for tagging" in err
    assert "sentences with ill-formed IOB2 tags, read as conlleval does: 1" in out
    assert "examples whose text stands there before: 8" in out


def test_spans_that_cut_words(check):
    rows = [{"text": f"Anna{i} ran", "spans": [[0, 2 if i else 5, "PER"]]} for i in range(6)]
    code, out, _ = check(("jsonl", "".join(json.dumps(row) + "\n" for row in rows)))
    assert code == 1 and "spans that begin or end inside a token, widened to it: 5" in out


def test_a_mistake_is_no_finding(check):
    assert check(("csv", "text\n"))[0] == 2


@pytest.mark.parametrize(
    ("name", "content", "task"),
    [
        ("a.conll", "Anna B-PER\n", "tagging"),
        ("a.txt", "Anna B-PER\nran O\n\nBo B-PER\n", "tagging"),
        ("a.txt", "pos a fine film\nneg dull\n", "classification"),
        ("a.jsonl", '{"text": "a", "label": "x"}\n', "classification"),
        ("a.jsonl", '{"text": "a", "labels": ["x", "y"]}\n', "classification"),
        ("a.jsonl", '{"text": "a", "label": [[0, 1, "X"]]}\n', "tagging"),
        ("a.jsonl", '{"tokens": ["a"], "tags": ["O"]}\n', "tagging"),
        ("a.jsonl", '{"text": "a", "label": {"x": 0.9, "y": 0.1}}\n', "classification"),
        ("a.jsonl", '{"text": "a", "label": [{"label": "x", "score": 1}]}\n', "classification"),
        ("a.jsonl", '{"text": "a", "labels": [1, 2]}\n', "classification"),
        ("a.jsonl", '{"text": "a", "label": "x", "tokens": ["a"]}\n', "classification"),
        ("a.jsonl", '{"text": "a", "label": {"X": {"a": [[0, 0]]}}}\n', "tagging"),
        (
            "a.jsonl",
            '{"text": "b", "label": []}\n{"text": "a", "label": [[0, 1, "X"]]}\n',
            "tagging",
        ),
        ("a.jsonl", '{"text": "a", "spans": [{"start": 0, "end": 1, "label": "X"}]}\n', "tagging"),
        ("a.ndjson", '\n{"text": "a", "label": "x"}\n', "classification"),
        ("a.bmes", "a S-X\n", "tagging"),
        ("a.tsv", "text\tlabel\na\tb\n", "classification"),
        ("a.csv", "text,label\na,b\n", "classification"),
        ("a.csv", "sentence,label\na,b\n", "classification"),
        ("a.csv", "word,tag\na,b\n", "tagging"),
        ("a.csv", "Sentence #,Word,POS,Tag\n1,a,b,c\n", "tagging"),
    ],
)
def test_what_a_file_is_labelled_for(tmp_path, name, content, task):
    (tmp_path / name).write_text(content)
    assert task_of(str(tmp_path / name)) == task


@pytest.mark.parametrize("option", ["--page", "--fix"])
def test_nothing_that_is_read_is_written_over(option, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = ["a.csv", "b.csv", "m/config.json", "folds/fold_1/splits.json"]
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(table(SOUND)[1])
    (tmp_path / "link.csv").symlink_to("a.csv")
    for out, *more in (
        ("a.csv",),
        (str(tmp_path / "a.csv"),),
        ("link.csv",),
        ("b.csv", "--against", "b.csv"),
        ("m/config.json", "--model", "m"),
        ("folds/fold_1/splits.json", "--model", "folds"),
    ):
        assert cli.main(["check", "a.csv", option, out, *more]) == 2
        assert f"is read: name another file for {option}" in capsys.readouterr().err
    assert cli.main(["check", "a.csv", "--page", "o", "--fix", "./o"]) == 2
    assert "name the same file" in capsys.readouterr().err and not (tmp_path / "o").exists()
    assert {(tmp_path / name).read_text() for name in files} == {table(SOUND)[1]}
