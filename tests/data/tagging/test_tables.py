"""Tables for tagging: a token a row, as spreadsheets and Kaggle have them, or lists a row."""

import datasets
import openpyxl
import pyarrow
import pytest
from pyarrow import parquet

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.formats.workbooks import table_objects
from rnnlp.data.tagging.readers import read_tagging, tagging_layout

SENTENCES = [
    (["Anna", "met", "friends"], ["B-PER", "O", "O"]),
    (["in", "Oslo", ",", "today"], ["O", "B-LOC", "O", "O"]),
]
KAGGLE = """\
Sentence #,Word,POS,Tag
Sentence: 1,Anna,NNP,B-PER
,met,VBD,O
,friends,NN,O
Sentence: 2,in,IN,O
,Oslo,NNP,B-LOC
,",",",",O
,today,NN,O
"""
NUMBERED = """\
word;sent_id;ner
Anna;1;B-PER
met;1;O
friends;1;O
in;2;O
Oslo;2;B-LOC
,;2;O
today;2;O
"""
BLANK_ROWS = """\
token,label
Anna,B-PER
met,O
friends,O
{}
in,O
Oslo,B-LOC
",",O
today,O
"""


def read(path, *, skip=False, **options):
    notes = Notes(skip_bad_rows=skip)
    examples = read_tagging(path, split=lambda text: [], notes=notes, **options)
    return [(one.tokens, one.tags) for one in examples], notes.lines()


@pytest.mark.parametrize(
    "content", [KAGGLE, NUMBERED, BLANK_ROWS.format(""), BLANK_ROWS.format(",")]
)
def test_sentences_of_a_table(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    sentences, notes = read(tmp_path / "a.csv")
    assert sentences == SENTENCES
    assert "a token a row, parted into sentences by" in notes[0]


@pytest.mark.parametrize(
    "content",
    [
        "doc,sentence_id,word,tag\na,1,x,O\n,,y,O\nb,1,z,O\nb,2,u,O\n",
        "word,tag,File,sid\nx,O,a,1\ny,O,a,1\nz,O,b,1\nu,O,b,2\n",
        "word,tag,file\nx,O,a\ny,O,a\nz,O,b\n\nu,O,b\n",
    ],
)
def test_no_sentence_goes_on_in_the_next_document(tmp_path, content):
    (tmp_path / "a.csv").write_text(content)
    sentences, notes = read(tmp_path / "a.csv")
    assert [tokens for tokens, _ in sentences] == [["x", "y"], ["z"], ["u"]]
    assert notes[0].endswith((" and doc", " and File", " and file"))


def test_a_sentence_with_a_bad_row_is_left_out(tmp_path):
    rows = "1,[,O\n1,2,]\n2,Anna\n2,ran,O\n3,Bo Li,B-PER\n4,Oslo,B-LOC\n"
    (tmp_path / "a.csv").write_text(f"sid,token,tag\n{rows}")
    sentences, notes = read(tmp_path / "a.csv", skip=True)
    assert sentences == [(["Oslo"], ["B-LOC"])]  # a row too short may be of either neighbour
    assert "2" in notes[-1] and "a.csv:4" in notes[-1] and "a.csv:6" in notes[-1]


def test_a_workbook_of_tokens(tmp_path):
    book = openpyxl.Workbook()
    rows = [("sentence_id", "token", "tag")]
    for number, (tokens, tags) in enumerate(SENTENCES):
        rows += [(number, *pair) for pair in zip(tokens, tags, strict=True)]
    for row in rows:
        book.active.append(row)
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx")[0] == SENTENCES


def test_columns_by_number_are_kept_for_later_files(tmp_path):
    (tmp_path / "a.csv").write_text(KAGGLE)
    layout = tagging_layout(str(tmp_path / "a.csv"), format="auto", token_column=None, tag_column=3)
    assert layout.columns == {"token": 2, "tag": 3}
    assert read(tmp_path / "a.csv", layout=layout)[0][0][1] == ["NNP", "VBD", "NN"]


def test_parquet_of_the_hub_has_names_of_its_labels(tmp_path):
    names = ["O", "B-PER", "B-LOC"]
    tags = datasets.Sequence(datasets.ClassLabel(names=names))
    kind = datasets.ClassLabel(names=["bad", "good"])
    features = datasets.Features(
        {"tokens": datasets.Sequence(datasets.Value("string")), "ner_tags": tags, "kind": kind}
    )
    rows = [
        {"tokens": tokens, "ner_tags": [names.index(tag) for tag in tags], "kind": number}
        for number, (tokens, tags) in enumerate(SENTENCES)
    ]
    rows[1]["kind"] = -1  # as the hub says that there is none
    path = tmp_path / "a.parquet"
    datasets.Dataset.from_list(rows, features=features).to_parquet(path)
    assert read(path)[0] == SENTENCES
    assert [row["kind"] for _, row in table_objects(path)] == ["bad", None]


@pytest.mark.parametrize(
    "features", ["[", "{}", '{"kind": []}', '{"kind": {"_type": "ClassLabel"}}']
)
def test_strange_metadata_name_nothing(tmp_path, features):
    table = pyarrow.table({"kind": [0, 1]})
    said = {b"huggingface": f'{{"info": {{"features": {features}}}}}'.encode()}
    parquet.write_table(table.replace_schema_metadata(said), tmp_path / "a.parquet")
    assert [row["kind"] for _, row in table_objects(tmp_path / "a.parquet")] == [0, 1]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("text,label\nfine film,good\n", "a.csv:2: 'fine film' is no token, it has a blank"),
        ("id,name\n1,2\n", "a.csv:1: which column holds the token of each token among id, name"),
        ("token,name\n1,2\n", "a.csv:1: which column holds the tag of each token among"),
        ("token,tag\n", "a.csv: no rows below the header"),
        ("token,tag\nAnna,\n", "a.csv:2: a token 'Anna' with the tag ''"),
        ("token,tag\nAnna\n", "a.csv:2: 1 column where the first line has 2"),
        ("token,tag\n" + "a,O\n" * 5001, "a.csv:5002: a sentence of more than 5,000 tokens"),
        ('tokens,tags\n"[""a""]","[\'O\']"\n', "a.csv:2: other cells than the header has, or a"),
    ],
)
def test_what_is_no_table_of_tokens(tmp_path, content, words):
    (tmp_path / "a.csv").write_text(content)
    with pytest.raises(InputError) as caught:
        read(tmp_path / "a.csv")
    assert words in str(caught.value)
