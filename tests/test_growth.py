"""Time grows with the input, not with its square: every reader, every way to split, every pipeline.

An input four times as long takes four times as long, or sixteen times where something looks at all
that came before. The machine's own speed may change between two measurements, so what looks like a
square is measured again: a square stays one. A translator is left out: each word that it writes
looks at each that it read.
"""

import json
import time
from itertools import cycle, islice
from pathlib import Path

import pytest

from rnnlp import load
from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.generation.readers import read_texts
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.incremental import IncrementalText
from rnnlp.data.text.preprocessing import tokenise
from rnnlp.data.text.pretrained_vectors import read_vectors
from rnnlp.data.text.tokenizer import Tokenizer, splitter
from rnnlp.data.translation.readers import read_parallel

FOLDERS = Path(__file__).parent / "folders"
WORDS = splitter("word")


TRIES = 5


def growth(run, size):
    """How many times longer four times as much takes, by the best of a few tries of each."""

    def seconds(size):
        content = run(size)
        times = []
        for _ in range(3):
            begun = time.process_time()
            content()
            times.append(time.process_time() - begun)
        return min(times)

    small = seconds(size)
    while small < 0.003 and size < 1 << 18:  # too short to be measured
        size, small = 4 * size, seconds(4 * size)
    factors = []
    for _ in range(TRIES):
        factors.append(seconds(4 * size) / small)
        if factors[-1] < 9:
            break
        small = seconds(size)
    return min(factors)


@pytest.mark.parametrize("power", [1, 2])
def test_growth_tells_a_square_from_a_line(power):
    factor = growth(lambda size: lambda: sum(range(size**power // 500 ** (power - 1))), 500)
    assert (factor < 9) == (power == 1), factor


def tagging(path):
    return read_tagging(path, split=WORDS, notes=Notes())


def classification(path):
    return read_classification(path, notes=Notes())


def translation(path):
    return read_parallel(path, source="en", target="fr", notes=Notes())


def generation(path):
    return read_texts(path, notes=Notes())


def spans(size):
    entities = [[6 * n, 6 * n + 3, "PER"] for n in range(size)]
    return json.dumps({"text": "Ann x " * size, "entities": entities}) + "\n"


READERS = {
    "sentences.conll": (tagging, lambda n: "Ann B-PER\nlaughed O\n\n" * n),
    "tokens.csv": (tagging, lambda n: "token,tag\n" + "Ann,B-PER\nlaughed,O\n\n" * n),
    "one_sentence.conll": (tagging, lambda n: "Ann B-PER\nlaughed O\n" * n),
    "sentences.conllu": (tagging, lambda n: f"1\tAnn\t_\tNOUN{chr(9)}_\t_\t0\troot\t_\t_\n\n" * n),
    "spans.jsonl": (tagging, spans),
    "rows.jsonl": (tagging, lambda n: spans(2) * n),
    "rows.csv": (classification, lambda n: "text,label\n" + '"a ""b"", c",good\nd,bad\n' * n),
    "one_field.csv": (classification, lambda n: f'text,label\n"{"a, " * n}",good\nd,bad\n'),
    "open_quote.csv": (classification, lambda n: 'text,label\nx,good\n"' + "a,b\n" * n + '",bad\n'),
    "labels.txt": (classification, lambda n: "__label__a x\n__label__b y\n" * n),
    "pairs.tsv": (translation, lambda n: "hello you\tbonjour\n" * n),
    "pairs.jsonl": (translation, lambda n: '{"en": "hello", "fr": "bonjour"}\n' * n),
    "lines.txt": (generation, lambda n: "some words\n" * n),
    "blocks.txt": (generation, lambda n: "some words\n\n" + "more\nwords\n" * n),
    "tunes.abc": (generation, lambda n: "X:1\nM:6/8\nK:G\nGAB|\n\n" * n),
    "one_tune.abc": (generation, lambda n: "X:1\nM:6/8\nK:G\n" + "GAB|\n" * n),
    "words.vec": (lambda path: read_vectors(path).words, lambda n: "".join(
        f"w{i} 0.1 0.2\n" for i in range(n)
    )),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_readers(tmp_path, name):
    read, content = READERS[name]

    def prepared(size):
        path = tmp_path / f"{size}_{name}"
        path.write_text(content(size))
        return lambda: list(read(path))

    assert growth(prepared, 500) < 9


RUNS = ("word ", "a", "%20", "上", "1.", "\u0301", "<b>", "<", "--", " ", "'s")


@pytest.mark.parametrize("run", RUNS)
def test_splitting(run):
    bpe = Tokenizer.train(["some words to learn"] * 9, level="bpe", vocabulary_size=280)

    def fed(level, text):
        reader = IncrementalText(Tokenizer.train([text[:99]], level=level), cleaned=True)
        return [reader.feed(text[i : i + 64]) for i in range(0, len(text), 64)]

    ways = {
        "word": WORDS,
        "character": splitter("character"),
        "bpe": bpe.encode,
        "a classifier's": lambda text: tokenise(text, WORDS, max_length=512),
        "word by word": lambda text: fed("word", text),
    }
    for way, split in ways.items():

        def prepared(size, split=split):
            text = "".join(islice(cycle(run), size))
            return lambda: split(text)

        assert growth(prepared, 2000) < 9, way


@pytest.mark.parametrize("task", ["tagging", "classification", "generation"])
@pytest.mark.parametrize("run", ["word ", "上"])
def test_pipelines(task, run):
    pipeline = load(FOLDERS / f"{task}-v1")
    options = {"max_length": 2} if task == "generation" else {}
    assert growth(lambda size: lambda: pipeline(run * size, **options), 400) < 9
