import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rnnlp.data.check.items import items_of
from rnnlp.data.classification.readers import (
    alike_across,
    alike_labels,
    classification_layout,
    read_classification,
)
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import Layout
from rnnlp.data.text.cleaning import clean

WEIGHTED = {"weight_column": "weight"}
PAIRS = [("A fine film .", "1"), ('He said "no" , twice', "0"), ("so-so", "1"), ("bad , bad", "0")]


def write(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def read(path, **options):
    options.setdefault("notes", Notes())
    return [(e.text, e.labels) for e in read_classification(path, **options)]


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def csv(header, pairs=PAIRS):
    return header + "".join(f"{quoted(text)},{label}\n" for text, label in pairs)


FILES = {
    "a.csv": csv("text,label\n"),
    "b.csv.gz": csv("Review,Sentiment\n"),
    "c.csv": "id;label;sentence\n" + "".join(f"7;{y};{quoted(x)}\n" for x, y in PAIRS),
    "d.tsv": "label\ttext_a\n" + "".join(f"{y}\t{x}\n" for x, y in PAIRS),
    "e.txt": "".join(f"{x}\t{y}\r\n" for x, y in PAIRS),
    "f.jsonl": "".join(json.dumps({"text": x, "label": int(y)}) + "\n" for x, y in PAIRS),
    "g.txt.gz": "".join(json.dumps({"category": [y], "review": x}) + "\n\n" for x, y in PAIRS),
    "h.txt": "".join(f"{y} {x}\n" for x, y in PAIRS),
    "i.txt": "".join(f"__label__{y} {x}\n" for x, y in PAIRS),
    "j.csv": csv(""),
    "k.txt": "\ufeff" + "".join(f"{y} {x}\n" for x, y in PAIRS),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_recognised_and_gives_the_same(name, tmp_path):
    path = write(tmp_path / name, FILES[name])
    assert read(path) == [(text, [label]) for text, label in PAIRS]


def test_quotation_marks_of_a_tsv_are_text(tmp_path):
    text = 'label\ttext_a\n1\t"开头有引号\n0\t中"间\n1\t好\n'
    actual = read(write(tmp_path / "x.tsv", text))
    assert actual == [('"开头有引号', ["1"]), ('中"间', ["0"]), ("好", ["1"])]


def test_only_a_line_feed_ends_a_line(tmp_path):
    review = "one\x85two\u2028three\x0cfour<br /><br />five"
    assert read(write(tmp_path / "x.csv", f"review,label\n{review},pos\n")) == [(review, ["pos"])]
    assert read(write(tmp_path / "y.txt", f"1 {review}\n0 a\n1 b\n"))[0] == (review, ["1"])


def test_a_quoted_text_may_span_lines_and_errors_name_its_first_one(tmp_path):
    path = write(tmp_path / "x.csv", 'text,label\n"a\nb",1\nc,0\n"d\n\n e",2\nx,y,z\n')
    actual = []
    with pytest.raises(InputError, match=r"x\.csv:8: 3 columns where the first line has 2"):
        actual.extend(read_classification(path, notes=Notes()))
    lines = []
    with pytest.raises(InputError):
        lines.extend(example.line for example in read_classification(path, notes=Notes()))
    texts = []
    path = write(tmp_path / "y.csv", 'text,label\n"a\nb",1\nc,0\n')
    for example in read_classification(path, notes=Notes()):
        texts.append((example.text, example.line))
    assert texts == [("a\nb", 2), ("c", 4)]


def test_the_largest_text_is_no_error(tmp_path):
    text = "word " * 40_000
    path = write(tmp_path / "x.csv", f"text,label\n{text},1\nb,0\n")
    assert read(path)[0] == (text, ["1"])


def test_several_labels(tmp_path):
    fasttext = "__label__a __label__b one two\n__label__c three\nnone\n"
    assert read(write(tmp_path / "a.txt", fasttext)) == [
        ("one two", ["a", "b"]),
        ("three", ["c"]),
        ("none", []),
    ]
    rows = [{"text": "x", "labels": ["a", "b", "a"]}, {"text": "y", "labels": []}]
    path = write(tmp_path / "b.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert read(path) == [("x", ["a", "b"]), ("y", [])]
    path = write(tmp_path / "c.csv", 'text,tags\nx,"a, b"\ny,\n')
    assert read(path, label_column="tags", label_separator=",") == [("x", ["a", "b"]), ("y", [])]


def test_labels_up_to_a_mark(tmp_path):
    lines = "LOC:city Where is Paris ?\nHUM:ind Who is he ?\nLOC:other Where ?\nLOC:x a\n"
    path = write(tmp_path / "trec", lines)
    assert [labels for _, labels in read(path, label_before=":")] == [
        ["LOC"], ["HUM"], ["LOC"], ["LOC"],
    ]  # fmt: skip


def test_columns_by_name_and_by_number(tmp_path):
    path = write(tmp_path / "x.csv", "text,other,label,klass\na,b,1,p\nc,d,2,q\n")
    assert read(path) == [("a", ["1"]), ("c", ["2"])]
    assert read(path, text_column="other", label_column="klass") == [("b", ["p"]), ("d", ["q"])]
    bare = write(tmp_path / "y.tsv", "1\tp\tlong text here\n2\tq\tanother text\n3\tp\tthird one\n")
    assert read(bare)[0] == ("long text here", ["p"])
    assert read(bare, text_column=2, label_column=1)[0] == ("p", ["1"])


def test_an_unusual_header_is_recognised_by_its_values(tmp_path):
    rows = "".join(f"some words number {i}\t{'xy'[i % 2]}\n" for i in range(20))
    path = write(tmp_path / "x.tsv", "phrases\tverdicts\n" + rows)
    assert len(read(path)) == 20


@pytest.mark.parametrize(
    ("header", "text", "labels", "rows"),
    [
        ("customer message,support team", "the parcel {} came late and wet", 3, 60),
        ("Kundennachricht,Abteilung", "Das Paket {} kam viel zu spät an", 20, 60),
        ("内容文字,部门", "第{}个包裹晚到了三天", 3, 8),
        ("Said,Marks", "film number {}", 4, 8),
    ],
)
def test_any_header_of_two_columns(tmp_path, header, text, labels, rows):
    content = [f"{text.format(i)},{'ABCDEFGHIJKLMNOPQRST'[i % labels]}" for i in range(rows)]
    path = write(tmp_path / "x.csv", "\n".join([header, *content]) + "\n")
    assert len(read(path)) == rows
    layout = classification_layout(path, format="auto", text_column=None, label_column=None)
    assert layout.columns == dict(zip(("text", "label"), header.split(","), strict=True))
    assert "if the first row is an example, put a header above it" in layout.told(path)
    path = write(tmp_path / "y.csv", "\n".join(content) + "\n")
    assert len(read(path)) == rows
    layout = classification_layout(path, format="auto", text_column=None, label_column=None)
    assert "if the first row is a header, name the columns" in layout.told(path)


@pytest.mark.parametrize("first", ["a film so long,rare", "Bad!,rare", "It came late today,A"])
def test_a_first_example_is_no_header(tmp_path, first):
    words = ["bad", "a rather long text about nothing", "well", "so so, I think"]
    content = [first, *(f'"{words[i % 4]}",{"AB"[i % 2]}' for i in range(40))]
    assert len(read(write(tmp_path / "x.csv", "\n".join(content) + "\n"))) == 41


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.csv", "text,label\na,1\n", {"label_column": "sentiment"}, "a.csv:1: no column 'sentim"),
        ("a.csv", "id,text,note\n1,b,c\n", {}, "which column holds the label: id, text, note"),
        ("a.csv", "text,label\na,1\nb\n", {}, "a.csv:3: 1 column where the first line has 2"),
        ("a.csv", 'text,label\n"a" b,1\n', {}, "a.csv:2: is not CSV"),
        ("a.csv", 'text,label\na,1\n"open,0\nb,1\n', {}, "a.csv:3: is not CSV: unexpected end"),
        ("a.csv", "text,label\n", {}, "no texts in the file"),
        ("a.tsv", "words\nfine\nbad\n", {}, "one column only; a text and a label are needed"),
        ("a.csv", "words\nfine\nbad\n", {}, "one column only; a text and a label are needed"),
        (
            "a.tsv",
            "text\tlabel\na\tb\tc\n",
            {},
            "a.tsv:2: 3 columns .* cannot hold a tab or a",
        ),
        ("a.tsv", "text\tlabel\na\t\n", {}, "a.tsv:2: the label is empty"),
        ("a.tsv", "a\tb\nc\td\n", {"label_column": 3}, "label_column is 3; the columns are 1 to 2"),
        ("a.jsonl", '{"text": "a"}\n', {}, "a.jsonl:1: no usual key such as 'label' among text"),
        ("a.jsonl", '{"text": 1, "label": 2}\n', {}, "a.jsonl:1: the text is 1, not a string"),
        ("a.jsonl", '{"text": "a", "label": {}}\n', {}, "neither a name nor a number"),
        ("a.jsonl", '{"text": "a", "label": null}\n', {}, "1: the label is null; give one"),
        ("a.jsonl", '{"text": "a", "label": NaN}\n', {}, "1: the label is NaN; give one"),
        ("a.jsonl", '{"text": "a", "label": ["b", NaN]}\n', {}, "1: the label is NaN; give one"),
        ("a.jsonl", '{"text": "a", "label": 1, "weight": NaN}\n', WEIGHTED, "1: the weight nan is"),
        ("a.csv", "text,label\na,b\nc,NaN\n", {}, "a.csv:3: the label is NaN; give one"),
        ("a.jsonl", "[1]\n", {}, "a.jsonl:1: a JSON list"),
        (
            "a.txt",
            "".join(f"word{i} and more\n" for i in range(12)),
            {},
            "format is not recognised",
        ),
        ("a.txt", "", {}, "the file is empty"),
        ("a.txt", "1 a\0b\n", {}, "a.txt:1: a NUL byte"),
        ("a.txt", "1 a\n", {"format": "xml"}, "unknown format 'xml'"),
    ],
)
def test_mistakes_are_named(name, text, options, message, tmp_path):
    path = write(tmp_path / name, text)
    with pytest.raises(InputError, match=message):
        read(path, **options)


def test_cleaning_keeps_every_place():
    text = "It\x92s<br /><br />fine\x85 <i>so</i> \x96 <b>x</b> a<b 5 <br"
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert cleaned.split() == ["It’s", "fine…", "so", "–", "x", "a<b", "5", "<br"]
    assert clean(cleaned) == cleaned
    assert clean("plain") == "plain"
    assert clean("\x81") == " "


@pytest.mark.parametrize("blank", [" ", "\t", "\u3000", "\u00a0", "  "])
def test_any_blank_parts_a_label_from_its_text(tmp_path, blank):
    path = write(tmp_path / "a.txt", "".join(f"{y}{blank}{x}\n" for x, y in PAIRS))
    if blank == "\t":
        path = write(tmp_path / "b.txt", "".join(f"{y}{blank}{x}\n" for x, y in PAIRS) + "1 tail\n")
    assert read(path, format="lines")[:4] == [(text, [label]) for text, label in PAIRS]


def test_a_label_called_like_a_column_is_a_label(tmp_path):
    rows = [("question", "who is it"), ("statement", "it is me"), ("question", "where is he")]
    path = write(tmp_path / "a.tsv", "".join(f"{label}\t{text}\n" for label, text in rows))
    assert read(path) == [(text, [label]) for label, text in rows]


def test_a_column_number_may_be_written_as_text(tmp_path):
    path = write(tmp_path / "a.csv", "7,1,a long text\n8,0,another one\n")
    assert read(path, text_column="3", label_column="2")[0] == ("a long text", ["1"])
    headed = write(tmp_path / "b.csv", "1,2,3\nx,p,q\ny,p,q\n")  # there the name wins
    assert read(headed, text_column="1", label_column="3") == [("x", ["q"]), ("y", ["q"])]


def test_what_annotators_did_not_accept_is_left_out(tmp_path):
    rows = [
        {"text": answer, "label": "x", "answer": answer}
        for answer in ("accept", "reject", "ignore")
    ]
    notes = Notes()
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert read(path, notes=notes) == [("accept", ["x"])]
    assert "left out: 2" in " ".join(notes.lines())


def test_a_tsv_as_spreadsheets_write_it_is_unquoted(tmp_path):
    rows = [('He said "no"', "0"), ("a\tb", "1"), ("plain", "1")]
    lines = "".join(f"{y}\t{quoted(x)}\n" for x, y in rows)
    path = write(tmp_path / "x.tsv", "label\ttext\n" + lines)
    assert read(path) == [(x, [y]) for x, y in rows]
    only_where_needed = 'text\tlabel\n"He said ""no"""\t0\nplain\t1\n'
    assert read(write(tmp_path / "y.tsv", only_where_needed))[0] == ('He said "no"', ["0"])


def test_quoting_is_that_of_the_training_file(tmp_path):
    plain = write(tmp_path / "x.tsv", 'text\tlabel\n"one" mark\t0\nno mark\t1\n')
    layout = classification_layout(plain, format="auto", text_column=None, label_column=None)
    assert not layout.quoted
    short = write(tmp_path / "y.tsv", 'text\tlabel\n"mark"\t0\n"more"\t1\n')
    assert read(short, layout=layout)[0] == ('"mark"', ["0"])
    assert read(short)[0] == ("mark", ["0"])
    for row, text, said in (
        ('"mark"', '"mark"', "are read as text, as in the training data"),
        ('"she said ""yes"""', 'she said "yes"', "unlike the training data: taken off"),
    ):
        again, notes = write(tmp_path / "z.tsv", f"text\tlabel\n{row}\t0\n{row}\t1\n"), Notes()
        assert read(again, layout=layout, notes=notes)[0] == (text, ["0"])
        assert said in " ".join(notes.lines())


@pytest.mark.parametrize(
    ("labels", "alike"),
    [
        (["5", "5.0", "4"], [["5", "5.0"]]),
        (["1", "true", "0", "False"], [["1", "true"], ["0", "False"]]),
        (["Good", "good", "bad"], [["Good", "good"]]),
        (["质量Q1", "质量Ｑ１", "é", "e\u0301"], [["质量Q1", "质量Ｑ１"], ["é", "e\u0301"]]),
        (["good", "better", "1", "2"], []),
    ],
)
def test_labels_that_may_mean_the_same(labels, alike):
    assert alike_labels(labels) == alike


def test_lists_and_probabilities_in_cells(tmp_path):
    """As Parquet has them, and tables that predict writes; what is no JSON is a name."""
    cells = [["a", "b"], [], {"a": 0.25, "b": 0.75}]
    table = pa.table({"text": ["x"] * 3, "label": [json.dumps(cell) for cell in cells]})
    csv = "text\tlabel\n" + "".join(f"x\t{json.dumps(cell)}\n" for cell in cells) + "x\t[a;b]\n"
    lists = pa.table({"text": ["x"] * 2, "label": cells[:2]})
    for name, stored in (("json.parquet", table), ("lists.parquet", lists)):
        pq.write_table(stored, tmp_path / name)
    expected = [("x", ["a", "b"]), ("x", []), ("x", ["b"]), ("x", ["[a;b]"])]
    assert read(write(tmp_path / "a.tsv", csv)) == expected
    assert read(str(tmp_path / "json.parquet")) == expected[:3]
    assert read(str(tmp_path / "lists.parquet")) == expected[:2]
    soft = list(read_classification(str(tmp_path / "json.parquet"), notes=Notes()))[2].soft
    assert soft == {"b": 0.75, "a": 0.25}
    bad = write(tmp_path / "b.csv", 'text,label\nx,a\nx,"{""a"": 2}"\n')
    with pytest.raises(InputError, match=r"b\.csv:3: the probability of 'a' is 2"):
        read(bad)


@pytest.mark.parametrize(
    ("header", "row", "labels", "soft"),
    [
        ("text,label,score,scores", "x,b,0.75,{}", ["b"], True),
        ("text,label,score,scores", "x,,0.75,{}", ["b"], True),  # of predict --min_score
        ("label,text,predicted_label,score,scores", "a,x,b,0.75,{}", ["a"], False),
        ("text,label,stars,scores", "x,a,5,{}", ["a"], False),
        ("text,label,predicted_score,predicted_scores", "x,a,0.25,{}", ["a"], True),
    ],
)
def test_scores_in_a_column_of_their_own(tmp_path, header, row, labels, soft):
    content = row.format('"{""a"": 0.25, ""b"": 0.75}"')
    path = write(tmp_path / "a.csv", f"{header}\n{content}\n")
    (example,) = read_classification(path, notes=Notes())
    assert example.labels == labels
    assert example.soft == ({"b": 0.75, "a": 0.25} if soft else None)


@pytest.mark.parametrize(
    ("said", "soft"),
    [
        ({"votes": {"useful": 3, "funny": 1}}, None),  # of a review, not of its label
        ({"votes": 12}, None),
        ({"votes": []}, None),
        ({"scores": {"readability": 71.5}}, None),
        ({"scores": [{"name": "readability"}]}, None),
        ({"votes": {"useful": 3}, "scores": {"5": 0.75, "1": 0.25}}, {"5": 0.75, "1": 0.25}),
        ({"votes": [5, 5, 5, 1]}, {"5": 0.75, "1": 0.25}),
        ({"votes": {"1": 1, "5": 3}}, {"5": 0.75, "1": 0.25}),
    ],
)
def test_votes_and_scores_are_those_of_the_label_beside_them(tmp_path, said, soft):
    path = write(tmp_path / "a.jsonl", json.dumps({"text": "x", "stars": 5, **said}) + "\n")
    notes = Notes()
    (example,) = read_classification(path, label_column="stars", notes=notes)
    assert (example.labels, example.soft) == (["5"], soft)
    ignored = [line for line in notes.lines() if "do not name the label" in line]
    assert len(ignored) == (soft is None or len(said) > 1)
    (item,) = items_of(path, "classification", level="word", label_column="stars", notes=Notes())
    assert item.labels == example.labels and item.beside == (1.0, soft)


def test_a_layout_in_words():
    layout = Layout(format="csv", header=True, columns={"text": "text"})
    assert layout.told("a.csv.gz") == "read as csv with a header: text in text"
    assert layout.told("a.parquet") == "read as a table with a header: text in text"


def test_labels_that_may_mean_one_of_training():
    assert alike_across(["0", "1", "x"], ["1.0", "0", "false", "y"]) == "0, false; 1, 1.0"
    assert alike_across(["0", "0.0"], ["0"]) == "" == alike_across(["a"], ["b", "B"])


@pytest.mark.parametrize(
    ("content", "column", "kept"),
    [
        ("title,label,body\nA,x,one\n,y,two\n", "title,body", "title,body"),
        ("title,label,body\nA,x,one\n,y,two\n", "1,body", "title,body"),
        ("A,x,one\n,y,two\n", "1,3", "1,3"),
        (
            '{"title": "A", "label": "x", "body": "one"}\n'
            '{"title": null, "label": "y", "body": "two"}\n',
            "title,body",
            "title,body",
        ),
    ],
)
def test_texts_of_two_columns_are_joined(content, column, kept, tmp_path):
    path = write(tmp_path / ("a.jsonl" if content.startswith("{") else "a.csv"), content)
    label = None if "label" in content else 2
    wanted = [("A\none", ["x"]), ("two", ["y"])]
    assert read(path, text_column=column, label_column=label) == wanted
    layout = classification_layout(path, format="auto", text_column=column, label_column=label)
    assert layout.columns["text"] == kept
    assert read(path, layout=layout) == wanted  # as the model keeps it


def test_the_label_is_no_part_of_the_text(tmp_path):
    path = write(tmp_path / "a.csv", "title,label,body\nA,x,one\n")
    for columns, words in (("title,label", "is the label's"), ("title,bodi", "no column 'bodi'")):
        with pytest.raises(InputError, match=words):
            read(path, text_column=columns)


def test_a_cell_of_brackets_is_text(tmp_path):
    deep = "[" * 100_000
    path = write(tmp_path / "a.csv", f"text,label\na,{deep}\nb,x\n")
    examples = read_classification(path, notes=Notes())
    assert [example.labels for example in examples] == [[deep], ["x"]]
