import gzip
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.translation.readers import parallel_layout, read_parallel

PAIRS = [
    ("A dog.", "Ein Hund."),
    ('He said "no"', 'Er\u00a0sagte "nein"'),
    ("one\x85two\u2028three\x0cfour", "eins zwei"),
]

# White space at the ends is not kept, a byte order mark not at the beginning of a file.
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\0\ufeff"))
FILLED = TEXTS.map(str.strip).filter(bool)
CORPORA = st.lists(st.tuples(FILLED, FILLED), min_size=1, max_size=6)


def write(path, text):
    data = text.encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


def write_pair(folder, pairs, *, prefix="train", gz=("", ""), languages=("en", "de")):
    for side, language in enumerate(languages):
        text = "".join(pair[side] + "\n" for pair in pairs)
        write(folder / f"{prefix}.{language}{gz[side]}", text)
    return str(folder / prefix)


def read(path, source="en", target="de", **options):
    options.setdefault("notes", Notes())
    pairs = read_parallel(path, source=source, target=target, **options)
    return [(pair.source, pair.target) for pair in pairs]


@pytest.mark.parametrize("gz", [("", ""), (".gz", ".gz"), (".gz", "")])
@pytest.mark.parametrize("given_as", ["", ".en", ".de", ".en.gz", ".de.gz"])
def test_two_files_by_prefix_or_by_the_name_of_either(gz, given_as, tmp_path):
    prefix = write_pair(tmp_path, PAIRS, gz=gz)
    assert read(prefix + given_as) == PAIRS
    assert read(prefix + given_as, "de", "en") == [(german, english) for english, german in PAIRS]


def test_a_prefix_may_have_dots_and_the_packed_file_is_read_where_it_is_named(tmp_path):
    prefix = write_pair(tmp_path, PAIRS, prefix="news.v1.de-en")
    assert read(prefix) == read(f"{prefix}.en") == PAIRS
    write_pair(tmp_path, PAIRS[:1], prefix="news.v1.de-en", gz=(".gz", ".gz"))
    assert read(prefix) == read(f"{prefix}.en") == PAIRS
    (tmp_path / "news.v1.de-en.de").unlink()
    assert read(f"{prefix}.en.gz") == PAIRS[:1]


FILES = {
    "a.tsv": "".join(f"{x}\t{y}\n" for x, y in PAIRS),
    "b.txt.gz": "en\tde\n" + "".join(f"{x}\t{y}\tCC BY\n" for x, y in PAIRS),
    "c.tsv": "id\tDE\tEN \n\n" + "".join(f"7\t{y}\t{x}\r\n\n" for x, y in PAIRS),
    "d.jsonl": "".join(json.dumps({"de": y, "en": x, "fr": ""}) + "\n" for x, y in PAIRS),
    "e.txt": "\n".join(json.dumps({"translation": {"de": y, "en": x}}) for x, y in PAIRS) + "\n\n",
    "f.tsv": "\ufeff" + "".join(f" {x}\t{y}\u3000\n" for x, y in PAIRS),
}


@pytest.mark.parametrize("name", FILES)
def test_every_format_is_recognised_and_gives_the_same(name, tmp_path):
    assert read(write(tmp_path / name, FILES[name])) == PAIRS


@given(CORPORA)
def test_two_files_keep_every_text(tmp_path_factory, pairs):
    prefix = write_pair(tmp_path_factory.mktemp("pairs"), pairs)
    actual = list(read_parallel(prefix, source="en", target="de", notes=Notes()))
    assert actual == [(*pair, line, ()) for line, pair in enumerate(pairs, start=1)]


@given(CORPORA)
def test_json_keeps_every_text(tmp_path_factory, pairs):
    path = tmp_path_factory.mktemp("pairs") / "a.jsonl"
    write(
        path, "".join(json.dumps({"en": x, "de": y}, ensure_ascii=False) + "\n" for x, y in pairs)
    )
    assert read(path) == pairs


@given(CORPORA)
def test_tables_keep_every_text(tmp_path_factory, pairs):
    pairs = [(x.replace("\t", " "), y.replace("\t", " ")) for x, y in pairs]
    path = tmp_path_factory.mktemp("pairs") / "a.tsv"
    write(path, "de\tother\ten\n" + "".join(f"{y}\t\t{x}\n" for x, y in pairs))
    assert read(path) == pairs
    assert read(path, "zh", "fi", source_column="EN", target_column="de") == pairs


def test_a_tab_in_one_of_two_files_is_text(tmp_path):
    pairs = [("a\tb", "c"), ("d", "e\tf")]
    assert read(write_pair(tmp_path, pairs)) == pairs


def test_columns_by_name_and_by_number(tmp_path):
    table = write(tmp_path / "a.tsv", "1\tHello.\t你好。\n2\tBye.\t再见。\n")
    expected = [("你好。", "Hello."), ("再见。", "Bye.")]
    assert read(table, "zh", "en", source_column=3, target_column=2) == expected
    assert read(table, "zh", "en", source_column="3", target_column="2") == expected
    assert read(table, "zh", "en", source_column=3, target_column=None)[0] == ("你好。", "Hello.")
    headed = write(tmp_path / "b.tsv", "no\ten\tzh\n1\tHello.\t你好。\n2\tBye.\t再见。\n")
    assert read(headed, "zh", "en", source_column=3, target_column=2) == expected
    named = write(tmp_path / "c.tsv", "no\tEnglish\tChinese\n1\tHello.\t你好。\n2\tBye.\t再见。\n")
    columns = {"source_column": "Chinese", "target_column": "English"}
    assert read(named, "zh", "en", **columns) == expected
    rows = [{"English": "Hello.", "Chinese": "你好。", "en": 1}]
    keyed = write(tmp_path / "d.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    assert read(keyed, "zh", "en", **columns) == expected[:1]


def test_lines_are_those_of_the_file(tmp_path):
    path = write(tmp_path / "a.tsv", "\nen\tde\n\na\tb\n\n\nc\td\n")
    pairs = read_parallel(path, source="en", target="de", notes=Notes())
    assert [pair.line for pair in pairs] == [4, 7]


def test_nothing_is_held_in_memory(tmp_path):
    prefix = write_pair(tmp_path, [("word " * 20, "Wort " * 20)] * 20_000)

    def count():
        return sum(1 for _ in read_parallel(prefix, source="en", target="de", notes=Notes()))

    count()  # what is imported when it is first needed, and kept, is not of the file
    tracemalloc.start()
    try:
        assert count() == 20_000
        assert tracemalloc.get_traced_memory()[1] < 500_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    ("english", "german", "message"),
    [
        ("a\nb\nc\n", "d\n", r"train\.en: 3 lines, but \S+train\.de has 1: line by line"),
        ("a\n", "d\n" * 1200, r"train\.en: 1 lines, but \S+train\.de has 1,200"),
        ("\n\n", "d\n\n", r"train: no pairs in the file"),
        ("", "d\n", r"train\.en: the file is empty"),
        ("a\nb\0\n", "c\nd\n", r"train\.en:2: a NUL byte"),
    ],
)
def test_mistakes_in_two_files_are_named(english, german, message, tmp_path):
    write(tmp_path / "train.en", english)
    write(tmp_path / "train.de", german)
    with pytest.raises(InputError, match=message):
        read(tmp_path / "train")


def test_missing_files_are_named_with_what_there_is(tmp_path):
    prefix = write_pair(tmp_path, PAIRS, gz=("", ".gz"))
    write(tmp_path / "train.fr.gz", "x\n")
    with pytest.raises(
        InputError, match=r"no file \S+train\.cs \(nor with \.gz\); .* de, en, fr: ch"
    ):
        read(prefix, "en", "cs")
    with pytest.raises(InputError, match=r"no file \S+train\.fi and \S+train\.cs .* de, en, fr:"):
        read(prefix, "fi", "cs")
    with pytest.raises(InputError, match=r"no file \S+train\.cs \(nor"):
        read(f"{prefix}.en", "en", "cs")
    with pytest.raises(
        InputError, match=r"test\.en: no such file, and no pair \S+test\.en and \S+"
    ):
        read(tmp_path / "test.en")
    with pytest.raises(
        InputError, match=r"nowhere/train: no such file, and no pair \S+train\.en and"
    ):
        read(tmp_path / "nowhere" / "train")
    with pytest.raises(InputError, match="this is a folder; add what the names"):
        read(tmp_path)
    with pytest.raises(InputError, match=r"train\.fr\.gz: the format is not recognised: give TSV"):
        read(tmp_path / "train.fr.gz")


@pytest.mark.parametrize(
    ("name", "text", "options", "message"),
    [
        ("a.tsv", "a\tb\nc\n", {}, r"a\.tsv:2: 1 column, and the text in 'de' would be in col"),
        ("a.tsv", "a\n", {}, r"a\.tsv:1: the text in 'de' would be in column 2 of 1; part text"),
        ("a.tsv", "a\tb\n", {"target_column": 3}, r"a\.tsv:1: .* in column 3 of 2; .*target_col"),
        ("a.tsv", "a\tb\n", {"source_column": 2}, r"a\.tsv:1: .* would both be column 2"),
        ("a.tsv", "a\tb\n", {"source_column": 1, "target_column": "1"}, "both be column 1"),
        ("a.tsv", "en\tfr\na\tb\n", {}, r"a\.tsv:1: no column 'de' among en, fr: set data\.target"),
        ("a.tsv", "a\tb\n", {"source_column": "x"}, r"a\.tsv:1: no column 'x' among a, b: set"),
        ("a.tsv", "en\tde\na\t \n", {}, r"a\.tsv: no pairs in the file"),
        ("a.tsv", "en\tde\n", {}, "no pairs in the file"),
        ("a.tsv", "\n\n", {}, "no pairs in the file"),
        ("a.tsv", "", {}, "the file is empty"),
        ("a.txt", "one\ntwo\n", {}, r"the format is not recognised: .* suffixes \.en and \.de"),
        ("a.jsonl", '{"en": "a", "fr": "b"}\n', {}, r"a\.jsonl:1: no key 'de' among en, fr: set"),
        ("a.jsonl", '\n{"translation": {}}\n', {}, r"a\.jsonl:2: no key 'en' among none"),
        ("a.jsonl", '{"en": "a", "de": 1}\n', {}, r"a\.jsonl:1: 'de' is 1, not a text"),
        ("a.jsonl", '{"en": "a", "de": ""}\n', {}, r"a\.jsonl: no pairs in the file"),
        ("a.jsonl", '{"en": "a", "de": "b"}\n[]\n', {}, r"a\.jsonl:2: a JSON list"),
        ("a.jsonl", '{"en": "a"}\n', {"target_column": "en"}, "both be column 'en'"),
        ("a.jsonl", "\n", {}, "no pairs in the file"),
        ("a.tsv", "a\tb\n", {"format": "csv"}, "unknown format 'csv'; choose one of auto, pair"),
        ("a.tsv", "a\tb\n", {"target": "en"}, "source and target are both 'en'"),
    ],
)
def test_mistakes_in_one_file_are_named(name, text, options, message, tmp_path):
    path = write(tmp_path / name, text)
    with pytest.raises(InputError, match=message):
        read(path, **options)


def test_a_format_that_is_given_is_not_questioned(tmp_path):
    path = write(tmp_path / "a.en", "{a\tb\n")
    assert read(path, format="tsv") == [("{a", "b")]
    write(tmp_path / "b", "x\ty\n")
    prefix = write_pair(tmp_path, PAIRS, prefix="b")
    assert read(prefix) == [("x", "y")]
    assert read(prefix, format="pair") == PAIRS


@pytest.mark.parametrize(
    ("name", "text", "columns"),
    [
        ("a.tsv", "go\tV;PST\twent\nox\t_\toxen\n", (1, 3, 2)),
        ("b.tsv", "form\tlemma\tfeatures\nwent\tgo\tV|PST\noxen\tox\t\n", (None, None, "FEATURES")),
        (
            "c.jsonl",
            '{"lemma": "go", "form": "went", "tags": ["V", "PST"]}\n'
            '{"lemma": "ox", "form": "oxen", "tags": ""}\n',
            (None, None, "tags"),
        ),
    ],
)
def test_features_stand_after_a_tab(name, text, columns, tmp_path):
    source, target, features = columns
    pairs = read(
        write(tmp_path / name, text),
        *("lemma", "form"),
        source_column=source,
        target_column=target,
        features_column=features,
    )
    assert pairs == [("go\tV;PST", "went"), ("ox", "oxen")]


def test_features_need_columns(tmp_path):
    with pytest.raises(InputError, match="column of TSV or JSON lines"):
        read(write_pair(tmp_path, PAIRS), features_column=3)
    table = write(tmp_path / "a.tsv", "go\tV;PST\twent\nox\n")
    with pytest.raises(InputError, match=r"a\.tsv:2: 1 column"):
        read(table, "lemma", "form", source_column=1, target_column=3, features_column=2)


def test_pairs_with_a_blank_side_are_left_out_and_counted(tmp_path):
    notes = Notes()
    prefix = write_pair(tmp_path, [("a", "b"), ("", ""), ("c", "\u3000"), ("d", "e"), ("", "")])
    assert read(prefix, notes=notes) == [("a", "b"), ("d", "e")]
    (line,) = notes.lines()
    assert line.startswith("pairs with a blank side, left out: 3 (first at ") and ":2)" in line
    table = write(tmp_path / "a.tsv", "a\tb\n\tc\n")
    assert read(table, notes=Notes()) == [("a", "b")]


def test_numbers_in_the_place_of_texts_are_refused(tmp_path):
    table = write(tmp_path / "a.tsv", "1001\ta dog\t7\tein Hund\n1002\ta cat\t8\teine Katze\n")
    with pytest.raises(InputError, match=r"a\.tsv:1: column 1 of 4 holds numbers, not texts: set"):
        read(table)
    columns = {"source_column": None, "target_column": None, "features_column": None}
    with pytest.raises(InputError, match="column 1 of 4 holds numbers"):  # as `fit` begins
        parallel_layout(table, source="en", target="de", format="auto", **columns)
    assert read(table, source_column=2, target_column=4)[1] == ("a cat", "eine Katze")
    two = write(tmp_path / "b.tsv", "3\tthree\n10\tten\n")  # numbers read out
    assert read(two, "digits", "words") == [("3", "three"), ("10", "ten")]


def test_what_annotators_did_not_accept_is_left_out(tmp_path):
    rows = [{"en": "a", "de": "b", "answer": "reject"}, {"en": "c", "de": "d", "answer": "accept"}]
    path = write(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    notes = Notes()
    assert read(path, notes=notes) == [("c", "d")] and "left out: 1" in notes.lines()[0]
    assert read(path, "en", "answer") == [("a", "reject"), ("c", "accept")]  # a text, if asked for


def test_a_tsv_as_spreadsheets_write_it_is_unquoted(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text('en\tde\n"He said ""no"""\t"Er sagte ""nein"""\nyes\tja\n', encoding="utf-8")
    actual = read_parallel(str(path), source="en", target="de", notes=Notes())
    assert next((e.source, e.target) for e in actual) == ('He said "no"', 'Er sagte "nein"')


@pytest.mark.parametrize(("header", "targets"), [("", "2,3"), ("en\tde\tanother\n", "de,another")])
def test_sources_may_have_fewer_targets_than_others(header, targets, tmp_path):
    (tmp_path / "a.tsv").write_text(f"{header}one\teins\ntwo\tzwei\tzwo\nthree\tdrei\t\n")
    options = {"target_column": targets, "multi_reference": True, "notes": Notes()}
    actual = read_parallel(str(tmp_path / "a.tsv"), source="en", target="de", **options)
    assert [pair.references for pair in actual] == [("eins",), ("zwei", "zwo"), ("drei",)]
    (tmp_path / "a.tsv").write_text(f"{header}one\teins\tein\ntwo\n")
    with pytest.raises(InputError, match="1 column, and the text in"):
        list(read_parallel(str(tmp_path / "a.tsv"), source="en", target="de", **options))
