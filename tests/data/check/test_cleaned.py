"""`rnnlp check --fix`: what is safe to mend is mended, and the rest stays as it is."""

import gzip

import openpyxl
import pytest

from rnnlp.tasks.cli import main as cli


@pytest.fixture
def fix(tmp_path, capsys):
    """Checks bytes as a file with `--fix`: exit code, the copy, stderr."""

    def run(content, name="a.csv", out=None, *options):
        path, out = tmp_path / name, tmp_path / (out or f"out_{name}")
        path.write_bytes(content)
        code = cli.main(["check", str(path), "--fix", str(out), *options])
        copy = out.read_bytes() if out.exists() else None
        return code, copy, capsys.readouterr().err

    return run


ROWS = 'text,label\na fine film,x\n"two\nlines, ""here""",y\n'
AGAIN = 'a fine film,x\n"two\nlines, ""here""",y\nboth,x\nboth,y\nboth,x\n'


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_table(fix, end, encoding):
    content = (ROWS + AGAIN).replace("\n", end).encode(encoding)
    code, copy, err = fix(content)
    assert code == 1
    assert copy.decode() == ROWS + "both,x\nboth,y\nboth,x\n"
    assert "left out: 2" in err and "contradictory answers, kept: 1" in err
    assert ("line ends became LF" in err) == (end == "\r\n")
    assert ("the byte order mark is left out" in err) == (encoding == "utf-8-sig")
    assert ("utf-16 became UTF-8" in err) == (encoding == "utf-16")


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.csv", ";"), ("a.tsv", "\t")])
def test_a_mark_inside_a_row_opens_nothing(fix, name, mark):
    rows = ["text,label", '5" pipe is bad,a', "hello there,b", '12" screen ok,a', "last row,b"]
    rows = [row.replace(",", mark) for row in rows]
    again = [*rows[:3], rows[2], *rows[3:], rows[1], ""]
    _, copy, err = fix("\n".join(again).encode(), name)
    assert copy.decode() == "\n".join([*rows, ""]) and "left out: 2" in err


@pytest.mark.parametrize(
    "rows",
    [
        '{"text": "a b", "scores": {"x": 0.9, "y": 0.1}}\n'
        '{"text": "a b", "scores": {"x": 0.55, "y": 0.45}}\n',
        '{"text": "a b", "label": "x"}\n{"text": "a b", "label": "x", "weight": 3}\n',
        '{"tokens": ["a"], "tags": ["X"]}\n{"tokens": ["a"], "tags": ["X"], "weight": 3}\n',
        '{"tokens": ["a"], "scores": [{"X": 0.9, "O": 0.1}]}\n'
        '{"tokens": ["a"], "scores": [{"X": 0.6, "O": 0.4}]}\n',
        "text,label,weight\na b,x,1\na b,x,3\n",
    ],
)
def test_what_counts_otherwise_is_no_repetition(fix, rows):
    name = "a.jsonl" if rows.startswith("{") else "a.csv"
    *_, again = rows.splitlines(keepends=True)
    _, copy, err = fix((rows + again).encode(), name)
    assert copy.decode() == rows and "left out: 1" in err


def test_columns_that_a_model_reads_make_another_example(fix, tmp_path):
    trained = "".join(f"{'good' if i % 2 else 'bad'} {i},{'xy'[i % 2]},North\n" for i in range(20))
    rows = "text,label,shop\n" + "fine,x,North\nfine,x,South\nbad,y,North\n" * 9
    (tmp_path / "t.csv").write_text(f"text,label,shop\n{trained}")
    columns = ["--data.feature_columns", "[shop]", "--trainer.max_epochs", "1"]
    model = ["--model.recurrent", "false", "--model.ngrams", "1", "--output", str(tmp_path / "m")]
    train = ["--config", "sentiment", "--data.train", str(tmp_path / "t.csv")]
    assert cli.main(["fit", *train, *columns, *model]) == 0
    _, copy, _ = fix(rows.encode(), "a.csv", None, "--model", str(tmp_path / "m"))
    assert copy.decode() == "".join(rows.splitlines(keepends=True)[:4])


def test_nothing_to_mend(fix):
    code, copy, err = fix(
        "".join(f'{{"text": "t {i}", "label": "a"}}\n' for i in range(9)).encode(), "a.jsonl"
    )
    assert code == 0 and copy.count(b"\n") == 9 and "the same as before" in err


def test_sentences_with_their_comments(fix):
    anna = "# id = {}\n1\tAnna\t_\tPROPN\t_\t_\t0\troot\t_\t_\n\n"
    bo = anna.replace("Anna", "Bo")
    _, copy, _ = fix((anna.format(1) + anna.format(2) + bo.format(3)).encode(), "a.conllu")
    assert copy.decode() == anna.format(1) + bo.format(3)
    _, copy, _ = fix(
        b"\n\nAnna B-PER\n\nAnna B-PER\n\n\nBo B-PER\nran O\n", "a.conll.gz".replace(".gz", "")
    )
    assert copy == b"\n\nAnna B-PER\n\nBo B-PER\nran O\n"


def test_packed(fix):
    content = gzip.compress((ROWS + AGAIN).encode())
    _, copy, _ = fix(content, "a.csv.gz")
    assert gzip.decompress(copy).decode().startswith(ROWS)


def test_what_cannot_be_written(fix, tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["text", "label"])
    book.active.append(["a", "b"])
    book.save(tmp_path / "b.xlsx")
    code, copy, err = fix((tmp_path / "b.xlsx").read_bytes(), "a.xlsx")
    assert code == 2 and copy is None and "--fix writes text files" in err
    code, _, err = fix(ROWS.encode(), "a.csv", "no/such/folder.csv")
    assert code == 2 and "give a file in a folder there is" in err
    code, copy, err = fix(ROWS.encode(), "a.csv", "a.csv")
    assert code == 2 and "is read: name another file for --fix" in err and copy == ROWS.encode()
