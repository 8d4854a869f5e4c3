"""Columns and CoNLL-U, with the oddities of real files; JSON lines are in test_jsonl.py."""

from __future__ import annotations

import gzip

import pytest

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import TaggedExample, read_tagging

from .conftest import words


def tokens(examples):
    return [" ".join(example.tokens) for example in examples]


@pytest.mark.parametrize("blank", [" ", "\t", "   ", " \t "])
def test_columns_parted_by_blanks_or_tabs(read, blank):
    text = "Anna NNP B-PER\nslept VBD O\n\n\nHere RB O\n".replace(" ", blank)
    assert read(text) == [
        TaggedExample(["Anna", "slept"], ["B-PER", "O"], None, 1),
        TaggedExample(["Here"], ["O"], None, 5),
    ]
    assert read(text, tag_column=2)[0].tags == ["NNP", "VBD"]


def test_lone_tab_separators_docstart_and_windows_line_ends(read):
    text = "-DOCSTART- -X- O\r\n\r\na O\r\n\t\r\nb O\r\n \t \r\n-DOCSTART- -X- O\r\nc O\r\n"
    assert tokens(read(text.replace(" O", "\tO"))) == ["a", "b", "c"]


def test_tokens_with_blanks_in_tab_separated_files(read):
    text = "New York\tB-LOC\n\u3000\tO\n\u00a0\tO\n \tO\n"
    assert read(text)[0].tokens == ["New York", "\u3000", "\u00a0", " "]
    assert read("\u3000 O\nb O\n")[0].tokens == ["\u3000", "b"]


def test_hash_is_a_token_where_it_has_a_tag_and_else_a_comment(read):
    text = "# id 7 domain=en\na O\n# O\n#tag B-X\n\n# O\nb O\n\n# note\nc O\n"
    assert tokens(read(text)) == ["a # #tag", "# b", "c"]
    multiconer = "# id 7f domain=en\nthe _ _ O\nx _ _ B-X\n"  # the comment has four columns too
    assert tokens(read(multiconer)) == ["the x"]


def test_numbered_tokens_are_seen(read):
    text = "#\tsource\n1\tAnna\tB-PER\tO\n2\tschlief\tO\tO\n\n1\tJa\tO\tO\n"
    assert tokens(read(text)) == ["Anna schlief", "Ja"]
    assert read(text, tag_column=3)[0].tags == ["B-PER", "O"]


def test_positions_are_stripped_from_characters(read):
    notes = Notes()
    rows = ["口0", "腔1", "30", "31", "😀0", "❤️0", "１0", "�0", "��1"]
    example = read("".join(f"{row}\tO\n" for row in rows), notes=notes)[0]
    assert example.tokens == ["口", "腔", "3", "3", "😀", "❤️", "１", "\ufffd", "\ufffd\ufffd"]
    assert notes.lines()[0].startswith("tokens that hold U+FFFD, a lost character: 2 (first at ")


def test_two_digit_positions(read):
    rows = [f"{c}{i}" for i, c in enumerate("alphabetic3p")]
    assert read("".join(f"{row}\tO\n" for row in ["口0", *rows]))[0].tokens == [*"口alphabetic3p"]


@pytest.mark.parametrize("text", ["R2 O\nD2 O\n", "10 O\n20 O\n", "A0 O\nB1 O\nplain O\n"])
def test_words_that_end_in_digits_stay_whole(read, text):
    assert read(text)[0].tokens == [line.split()[0] for line in text.splitlines()]


def test_gzip_and_byte_order_mark(tmp_path):
    path = tmp_path / "x.bio.gz"
    path.write_bytes(gzip.compress("\ufeff中 B-X\n".encode()))
    assert next(read_tagging(path, split=words, notes=Notes())).tokens == ["中"]


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("a O\nb O O\n", {}, "data.txt:2: 3 columns where the file has 2"),
        ("a O\nb O\n\nc\n", {}, "data.txt:4: 1 column where the file has 2"),
        ("a\tO\n\tO\n", {}, "data.txt:2: the token is empty"),
        ("a\nb\n", {}, "data.txt: only one column: tokens without tags"),
        ("a O\n", {"tag_column": 3}, "there is no column 3: the file has 2"),
        ("a O\n", {"token_column": 0}, "there is no column 0: the file has 2"),
        ("a O\n", {"token_column": 2}, "column 2 cannot be both token and tag"),
        ("\n \n\t\n", {}, "data.txt: no sentences"),
        ("-DOCSTART- O\n\n", {}, "data.txt: no sentences"),
        ("a O\n", {"format": "xml"}, "unknown format 'xml'; choose one of auto, conll"),
    ],
)
def test_malformed_columns(read, text, options, message):
    with pytest.raises(InputError, match=message):
        read(text, **options)


def test_a_fault_far_behind_the_first_look_is_found(read):
    with pytest.raises(InputError, match=r"data.txt:3001: 3 columns where the file has 2"):
        read("a O\n\n" * 1500 + "a O O\n")


def test_tokens_alone_pass_where_no_labels_are_needed(read):
    assert read("a\nb\n\nc\n", labelled=False)[0] == TaggedExample(["a", "b"], None, None, 1)


CONLLU = """\
# sent_id = 1
# text = I don't
1	I	I	PRON	PRP	_	0	_	_	_
2-3	don't	_	_	_	_	_	_	_	_
2	do	do	AUX	VBP	_	0	_	_	_
3	n't	not	PART	RB	_	0	_	_	_
3.1	go	go	VERB	VB	_	_	_	_	_

# sent_id = 2
1	#	#	SYM	NN	_	0	_	_	_
"""


@pytest.mark.parametrize("name", ["x.conllu", "x.txt"])
def test_conllu_takes_words_only(read, name):
    assert read(CONLLU, name) == [
        TaggedExample(["I", "do", "n't"], ["PRON", "AUX", "PART"], None, 3),
        TaggedExample(["#"], ["SYM"], None, 10),
    ]
    assert read(CONLLU, name, tag_column=5)[0].tags == ["PRP", "VBP", "RB"]
    assert read(CONLLU, name, token_column=3)[0].tokens == ["I", "do", "not"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (CONLLU + "2\tx\n", "x.conllu:11: 2 columns where the file has 10"),
        (CONLLU.replace("PRON", "_"), "x.conllu:3: no tag in column 4"),
        (CONLLU.replace("2\tdo", "b\tdo"), "x.conllu:5: 'b' is no word number"),
    ],
)
def test_malformed_conllu(read, text, message):
    with pytest.raises(InputError, match=message):
        read(text, "x.conllu")


@pytest.mark.parametrize(
    "numbers",
    ["0 1 2 0 1", "1 2 3 1 2", "1 2 3 4 5", "1 2-3 2 1 2"],
    ids=["from 0", "from 1", "running on", "ranges"],
)
def test_words_may_be_numbered(read, numbers):
    rows = zip(numbers.split(), "Anna met|Rome . Bo left".replace("|", " ").split(), strict=False)
    rows = [f"{number}\t{word}\tO" for number, word in rows]
    notes = Notes()
    actual = read("\n".join([*rows[:3], "", *rows[3:]]) + "\n", notes=notes)
    skipped = "2-3" in numbers
    assert tokens(actual) == (["Anna Rome", ". Bo"] if skipped else ["Anna met Rome", ". Bo"])
    assert "the first column numbers the words" in notes.lines()[0]


def test_a_missing_blank_line_between_numbered_sentences_is_refused(read):
    with pytest.raises(InputError, match=r":3: word 1 after word 2: part sentences by a blank"):
        read("1\ta\tO\n2\tb\tO\n1\tc\tO\n")
    assert len(read("7\tcats\tO\n9\tdogs\tO\n")) == 1  # numbers that count nothing are words


def test_tags_in_the_place_of_words_are_refused(read):
    text = "".join(f"O\tw{i}\n" for i in range(9)) + "B-PER\tAnna\n"
    with pytest.raises(InputError, match=r"column 2 would hold the tags, and has 10 different"):
        read(text)
    assert read(text, token_column=2, tag_column=1)[0].tokens[-1] == "Anna"
    with pytest.raises(InputError, match="column 1 would hold the words, and all look like tags"):
        read("B-PER Anna\nO ran\nB-LOC Rome\n\n" * 3)
    assert read("B-PER Anna\nO ran\n", token_column=2, tag_column=1)[0].tokens == ["Anna", "ran"]


def test_a_word_of_conllu_needs_a_form(read):
    with pytest.raises(InputError, match=r":1: the word in column 2 is empty"):
        read("1\t\tx\tNOUN" + "\t_" * 6 + "\n", "a.conllu")


def test_a_missing_blank_line_in_conllu_is_refused(read):
    word = "{}\tdog\tdog\tNOUN\t_\t_\t_\t_\t_\t_\n"
    text = "".join(word.format(number) for number in (1, 2, 1, 2))
    with pytest.raises(InputError, match=r":3: word 1 after word 2: part sentences"):
        read(text, "data.conllu")
