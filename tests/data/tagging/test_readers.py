"""Every tagging format that the house accepts, with the oddities of real files."""

from __future__ import annotations

import gzip
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.tagging.readers import TaggedExample, read_tagging, spans_of
from rnnlp.data.tagging.schemes import Span
from rnnlp.data.tagging.span_alignment import align, drop_overlaps


def words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def characters(text: str) -> list[tuple[int, int]]:
    return [(i, i + 1) for i in range(len(text))]


@pytest.fixture
def read(tmp_path):
    def _read(text, name="data.txt", *, split=words, notes=None, **options) -> list[TaggedExample]:
        path = tmp_path / name
        path.write_bytes(text.encode())
        return list(read_tagging(path, split=split, notes=notes or Notes(), **options))

    return _read


def tokens(examples):
    return [" ".join(example.tokens) for example in examples]


# --- columns -------------------------------------------------------------------------------------


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


# --- CoNLL-U -------------------------------------------------------------------------------------

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


# --- JSON lines ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["tags", "ner_tags", "labels"])
def test_json_with_tokens_and_tags(read, key):
    line = json.dumps({"tokens": ["Anna", "ruht"], key: ["B-PER", "O"], "id": 7})
    expected = [TaggedExample(["Anna", "ruht"], ["B-PER", "O"], None, i) for i in (2, 3)]
    assert read(f"\n{line}\n{line}\n") == expected


@pytest.mark.parametrize("key", ["entities", "label", "labels", "spans"])
@pytest.mark.parametrize(
    "span",
    [
        [0, 11, "PER"],
        {"start": 0, "end": 11, "label": "PER"},
        {"start": 0, "end": 11, "type": "PER", "text": "Anna Müller"},
        {"start": 0, "end": 11, "entity_group": "PER", "score": 0.5},
    ],
)
def test_json_with_text_and_spans(read, key, span):
    row = {"text": "Anna Müller ruht.", key: [span], "tokens": [{"text": "Anna"}]}
    assert read(json.dumps(row)) == [
        TaggedExample(["Anna", "Müller", "ruht", "."], None, [Span(0, 2, "PER")], 1)
    ]


def test_cluener_ends_are_inclusive(read):
    row = {
        "text": "玩dota，陈光法",
        "label": {"game": {"dota": [[1, 4]]}, "name": {"陈光法": [[6, 8]]}},
    }
    example = read(json.dumps(row, ensure_ascii=False), "x.json", split=characters)[0]
    assert example.spans == [Span(1, 5, "game"), Span(6, 9, "name")]


def test_overlaps_and_misalignments_are_counted(read):
    notes = Notes()
    row = {
        "text": "the New York Times said",
        "entities": [[4, 12, "LOC"], [4, 18, "ORG"], [4, 18, "ORG"], [20, 22, "X"], [3, 4, "Y"]],
    }
    assert read(json.dumps(row), notes=notes)[0].spans == [Span(1, 4, "ORG"), Span(4, 5, "X")]
    report = "\n".join(notes.lines())
    assert "inside a token, widened to it: 1 (first at " in report
    assert "overlapping spans dropped (the longer one stays): 1 (first at " in report


def test_code_points_beyond_the_basic_plane(read):
    row = {"text": "😀 Anna 👩‍👩‍👧", "entities": [[2, 6, "PER"]]}
    for ascii_only in (True, False):
        assert read(json.dumps(row, ensure_ascii=ascii_only))[0].spans == [Span(1, 2, "PER")]


TEXT = {"text": "Anna ruht"}


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"tokens": [], "tags": []}, "`tokens` is empty"),
        ({"tokens": ["a", ""], "tags": ["O", "O"]}, "token 1 is ''"),
        ({"tokens": ["a", 3], "tags": ["O", "O"]}, "token 1 is 3"),
        ({"tokens": ["a"], "tags": ["O", "O"]}, "1 token but 2 `tags`"),
        ({"tokens": ["a"], "ner_tags": [0]}, "`ner_tags` holds 0; tags must be names"),
        ({"tokens": ["a"]}, "no tags beside `tokens`"),
        ({"text": " "}, "`text` holds no token"),
        (TEXT, "no spans beside `text`"),
        ({"sentence": "a"}, "neither `tokens`"),
        ({**TEXT, "entities": [[0, 10, "P"]]}, "0..10 of 'P' is outside the text, which has 9"),
        ({**TEXT, "entities": [[-1, 2, "P"]]}, "is outside the text"),
        ({**TEXT, "entities": [[3, 3, "P"]]}, "is empty"),
        ({**TEXT, "entities": [[0, 4]]}, "neither"),
        ({**TEXT, "entities": [[0, "4", "P"]]}, "must be whole numbers"),
        ({**TEXT, "entities": [[0, 4, 1]]}, "has the type 1; name it"),
        ({**TEXT, "entities": "Anna"}, "give a list of spans"),
        ({**TEXT, "label": {"P": {"Anna": [[0, 4]]}}}, "reads 'Anna ', not 'Anna'"),
        ({**TEXT, "label": {"P": {"ruht": [[5, 9]]}}}, "is outside the text"),
        ({**TEXT, "label": {"P": [[0, 3]]}}, "not of the form"),
        ({**TEXT, "label": {"P": {"Anna": [0, 3]}}}, r"is 0, not \[start, end\]"),
        ({"text": "half \ud83d", "entities": []}, "half of a character"),
        ([1, 2], "neither|one JSON object a line"),
    ],
)
def test_malformed_json(read, row, message):
    good = json.dumps({**TEXT, "entities": []})
    with pytest.raises(InputError, match=message) as caught:
        read(f"{good}\n{json.dumps(row)}\n", "x.jsonl")
    assert "x.jsonl:2: " in str(caught.value)


@pytest.mark.parametrize("line", ['{"text": "a", ', "[" * 100_000, "text", "{"])
def test_what_is_not_json(read, line):
    with pytest.raises(InputError, match=r"x.jsonl:1: not JSON"):
        read(line, "x.jsonl")


def test_tags_and_spans_do_not_mix(read):
    rows = [{"tokens": ["a"], "tags": ["O"]}, {**TEXT, "entities": []}]
    with pytest.raises(InputError, match=r"2: some lines have tags and some have spans"):
        read("\n".join(map(json.dumps, rows)))


def test_unlabelled_json(read):
    rows = [{"tokens": ["a"]}, TEXT]
    examples = read("\n".join(map(json.dumps, rows)), labelled=False)
    assert examples[1] == TaggedExample(["Anna", "ruht"], None, None, 2)


# --- spans ---------------------------------------------------------------------------------------


def test_spans_of_counts_ill_formed_sequences():
    notes = Notes()
    good = TaggedExample(["a", "b"], ["B-X", "I-X"], None, 1)
    bad = TaggedExample(["a", "b"], ["O", "I-X"], None, 4)
    given = TaggedExample(["a", "b"], None, [Span(0, 1, "Y")], 7)
    assert spans_of(good, "IOB2", path="f", notes=notes) == [Span(0, 2, "X")]
    assert spans_of(bad, "IOB2", path="f", notes=notes) == [Span(1, 2, "X")]
    assert spans_of(given, "IOB2", path="f", notes=notes) == [Span(0, 1, "Y")]
    assert notes.lines() == [
        "sentences with ill-formed IOB2 tags, read as conlleval does: 1 (first at f:4)"
    ]
    with pytest.raises(InputError, match=r"f:9: tag 'L-X' is not of scheme BIOES"):
        spans_of(TaggedExample(["a"], ["L-X"], None, 9), "BIOES", path="f", notes=notes)


def test_alignment_ignores_white_space_around_words():
    offsets = words("ab  cd ef")
    assert align([Span(2, 7, "X")], offsets) == ([Span(1, 2, "X")], 0, 0)
    assert align([Span(1, 5, "X")], offsets) == ([Span(0, 2, "X")], 1, 0)
    assert align([Span(2, 4, "X")], offsets) == ([], 0, 1)


def test_the_longer_then_the_earlier_span_stays():
    assert drop_overlaps([Span(0, 2, "A"), Span(1, 3, "B"), Span(5, 6, "C")]) == (
        [Span(0, 2, "A"), Span(5, 6, "C")],
        1,
    )
    assert drop_overlaps([Span(0, 2, "A"), Span(1, 4, "B"), Span(3, 5, "C")]) == (
        [Span(1, 4, "B")],
        2,
    )


def test_notes_keep_the_first_place_and_say_a_thing_once():
    notes = Notes()
    notes.count("losses", "a:1")
    notes.count("losses", "a:9", 1999)
    notes.count("nothing", "a:1", 0)
    notes.add("Said.")
    notes.add("Said.")
    assert notes.lines() == ["Said.", "losses: 2,000 (first at a:1)"]
    assert (notes["losses"], notes["nothing"]) == (2000, 0)


SPANS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(1, 9), st.sampled_from("AB")).map(
        lambda one: Span(one[0], one[0] + one[1], one[2])
    ),
    max_size=12,
)


@given(SPANS)
def test_dropping_overlaps_keeps_the_longer_one_by_the_rule(spans):
    kept, dropped = drop_overlaps(spans)
    expected: list[Span] = []
    for span in sorted(dict.fromkeys(spans), key=lambda s: (s.start - s.end, s.start)):
        if all(span.end <= other.start or other.end <= span.start for other in expected):
            expected.append(span)
    assert kept == sorted(expected)
    assert dropped == len(set(spans)) - len(kept)


@pytest.mark.parametrize(
    "numbers",
    ["0 1 2 0 1", "1 2 3 1 2", "1 2 3 4 5", "1 2-3 2 1 2"],
    ids=["from 0", "from 1", "running on", "ranges"],
)
def test_words_may_be_numbered(read, numbers):
    rows = zip(numbers.split(), "Anna met|Rome . Bo left".replace("|", " ").split(), strict=False)
    rows = [f"{number}\t{word}\tO" for number, word in rows]
    notes = Notes()
    found = read("\n".join([*rows[:3], "", *rows[3:]]) + "\n", notes=notes)
    skipped = "2-3" in numbers
    assert tokens(found) == (["Anna Rome", ". Bo"] if skipped else ["Anna met Rome", ". Bo"])
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


def test_spans_are_held_against_their_own_text(read):
    def one(start, end, surface, text="😀 Anna met Bo"):
        span = {"start": start, "end": end, "label": "PER", "text": surface}
        notes = Notes()
        (example,) = read(json.dumps({"text": text, "spans": [span]}), "a.jsonl", notes=notes)
        (span,) = example.spans
        return example.tokens[span.start : span.end], notes.lines()

    assert one(2, 6, "Anna") == (["Anna"], [])
    found, lines = one(3, 7, "Anna")
    assert found == ["Anna"] and "count UTF-16 units, converted: 1" in lines[0]
    with pytest.raises(InputError, match=r"span 1\.\.4 reads ' An', not its own text 'Anna'"):
        one(1, 4, "Anna")


def test_what_annotators_did_not_accept_is_left_out(read):
    rows = [
        {"text": "Anna met Bo", "spans": [], "answer": answer}
        for answer in ("accept", "reject", "ignore", "accept")
    ]
    notes = Notes()
    found = read("".join(json.dumps(row) + "\n" for row in rows), "a.jsonl", notes=notes)
    assert [example.line for example in found] == [1, 4]
    assert 'examples whose answer is "reject" or "ignore", left out: 2' in " ".join(notes.lines())


def test_spans_over_nothing_are_dropped_not_widened(read):
    row = {"text": "Anna  met Bo", "spans": [[4, 6, "PER"], [0, 4, "PER"]]}
    notes = Notes()
    (example,) = read(json.dumps(row), "a.jsonl", notes=notes)
    assert example.spans == [Span(0, 1, "PER")]
    assert [line.split(":")[0] for line in notes.lines()] == [
        "spans over white space alone, dropped"
    ]


def test_a_word_of_conllu_needs_a_form(read):
    with pytest.raises(InputError, match=r":1: the word in column 2 is empty"):
        read("1\t\tx\tNOUN" + "\t_" * 6 + "\n", "a.conllu")


def test_a_missing_blank_line_in_conllu_is_refused(read):
    word = "{}\tdog\tdog\tNOUN\t_\t_\t_\t_\t_\t_\n"
    text = "".join(word.format(number) for number in (1, 2, 1, 2))
    with pytest.raises(InputError, match=r":3: word 1 after word 2: part sentences"):
        read(text, "data.conllu")
