"""Searches for inputs that no code expects: mutated files through every reader, odd strings through
every pipeline, all in this process.

    make fuzz                                       ten minutes
    python benchmarks/fuzz.py --seconds 3600 --seed 2
    python benchmarks/fuzz.py --only pipelines --seconds 9999 --count 100000

A reader may give examples or raise `InputError`, nothing else. A pipeline must say the same of a
text alone and among others, give offsets that hold the word, and answer in what is JSON. Every
example has random numbers of its own, so that `--seed S --first N` begins with the one that a find
names. Exit code 1 where something was found; the inputs are written to `--finds`.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from pathlib import Path
from typing import Any

import rnnlp
from rnnlp.data.classification.readers import read_classification
from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError
from rnnlp.data.generation.readers import read_texts
from rnnlp.data.tagging.readers import read_tagging
from rnnlp.data.text.pretrained_vectors import read_vectors
from rnnlp.data.text.tokenizer import splitter
from rnnlp.data.translation.readers import read_parallel
from rnnlp.tasks.model_folder.files import as_json

FOLDERS = Path(__file__).parents[1] / "tests" / "folders"
# Few words are written: the golden translator finds no end by itself.
OPTIONS = {"generation": {"max_length": 4}, "translation": {"beam_size": 2, "max_length": 4}}
BATCH = 64  # texts that a pipeline gets together
SLOW = 5.0  # seconds of processor time that no example may take

CONLL = "Anna B-PER\nvisited O\nNew B-LOC\nYork I-LOC\n\nBob B-PER\nsleeps O\n\n"
CONLLU = (
    "# text = A dog\n1\tA\ta\tDET\t_\t_\t2\tdet\t_\t_\n2\tdog\tdog\tNOUN\t_\t_\t0\troot\t_\t_\n\n"
)
SPANS = json.dumps({"text": "Anna 👩‍👧 Rome.", "entities": [[0, 4, "PER"], [9, 13, "LOC"]]})
TOKENS = json.dumps({"tokens": ["Anna", "sleeps"], "tags": ["B-PER", "O"]})
KAGGLE = 'Sentence #,Word,Tag\nSentence: 1,Anna,B-PER\n,met,O\nSentence: 2,",",O\n,Rome,B-LOC\n'
BLANK_ROWS = "token;tag\nAnna;B-PER\nran;O\n\nin;O\nRome;B-LOC\n"
CSV = 'text,label\n"fine, and clean",good\n"a ""bad"" day",bad\n'
PAIRS = "hello\tbonjour\ngood day\tbon jour\n"
TUNE = "X:1\nT:A tune\nM:6/8\nK:G\nGAB c2d|e3 d3:|\n\nX:2\nM:4/4\nK:D\nDFAd fafd|\n\n"
# File name, its right content, and the readers that may get it.
SEEDS: list[tuple[str, str, str]] = [
    ("a.conll", CONLL * 3, "tagging"),
    ("a.conllu", CONLLU * 3, "tagging"),
    ("a.jsonl", f"{SPANS}\n" * 4, "tagging"),
    ("b.jsonl", f"{TOKENS}\n" * 4, "tagging"),
    ("t.csv", KAGGLE * 3, "tagging"),
    ("u.csv", BLANK_ROWS * 3, "tagging"),
    ("a.bmes", "上 B-LOC\n海 E-LOC\n好 O\n\n" * 3, "tagging"),
    ("a.csv", CSV * 3, "classification"),
    ("a.tsv", "text\tlabel\nfine\tgood\nbad\tbad\n", "classification"),
    ("c.jsonl", '{"text": "fine", "label": "good"}\n{"text": "x", "label": ["a", "b"]}\n',
     "classification"),
    ("a.txt", "__label__good fine day\n__label__bad __label__sad dull\n", "classification"),
    ("b.txt", "good\tfine day\nbad\tdull day\n", "classification"),
    ("p.tsv", PAIRS * 3, "translation"),
    ("q.tsv", f"en\tfr\n{PAIRS}", "translation"),
    ("p.jsonl", '{"en": "hello", "fr": "bonjour"}\n' * 4, "translation"),
    ("t.txt", "One line of text.\nAnother one.\n", "generation"),
    ("u.txt", "A block\nof lines\n\nanother\n\n", "generation"),
    ("t.abc", TUNE, "generation"),
    ("t.jsonl", '{"text": "hello"}\n' * 3, "generation"),
    ("v.vec", "3 2\nthe 0.1 0.2\ndog 1 2\n好 -1e-3 4\n", "vectors"),
]  # fmt: skip
PIECES = [
    b"\n", b"\n\n", b"\r\n", b"\r", b"\t", b" ", b",", b'"', b"\\", b"{", b"}", b"[", b"]", b":",
    b"null", b"true", b"NaN", b"-1", b"1e999", b"0", b"\\ud83d", b"\\u0000", b"\x00", b"\xff",
    b"\xc3", b"\xef\xbb\xbf", b"\xff\xfe", "\u3000é\u200d👩\u202e".encode(), b"B-", b"I-", b"O",
    b"B-PER", b"-DOCSTART- O\n", b"__label__", b"#", b"# text = x\n", b"1-2", b"1.1", b"X:", b"K:",
    b"text", b"label", b"<br />", b"[" * 3000, b"a" * 3000, b"9" * 5000, b"PK\x03\x04", b"\x1f\x8b",
]  # fmt: skip
STRETCHES = [
    " ", "\n", "\t", "\u3000", "\xa0", "\u2028", "\x85", "\x0c", "\x00", "\ufeff", "\ufffd",
    "\x1b[",
    "e\u0301", "\u0301",
    "👩‍👩‍👧", "🏳️‍🌈", "\u200d", "\u202e", "가", "각", "上海", "ﬁ", "İ", "ß", "ſ",
    "<br />", "<b>", "&amp;", "it\x92s", "http://a.b/c?d=%20%20", "3.14", "1,000", "A.B.C.", "--",
    "<unk>",
    "<eos>", "Berlin", "Anna", "the", "room", "'", '"', "𝔘", "\U0010ffff", "ا", "נ", "ก็",
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=600.0, help="half of it for readers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first example")
    parser.add_argument("--count", type=int, help="most files, and most texts for each pipeline")
    parser.add_argument("--only", choices=["readers", "pipelines"])
    parser.add_argument("--finds", type=Path, default=Path("runs/fuzz"))
    args = parser.parse_args()
    share = args.seconds if args.only else args.seconds / 2
    finds = 0
    for name, examples, size in (("readers", readers, 1), ("pipelines", pipelines, BATCH)):
        if args.only in (None, name):
            most = None if args.count is None else math.ceil(args.count / size)
            numbers = islice(count(args.first), most)
            finds += search(name, examples(args.seed, numbers), share, args.finds)
    print(f"highest memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:,} MiB")
    return int(finds > 0)


Example = tuple[str, bytes, Callable[[], str]]  # its kind, the input, and what tries it


def search(name: str, examples: Iterator[Example], seconds: float, finds: Path) -> int:
    """Tries examples until the time is up, and gives the number of different finds."""
    counts: Counter[str] = Counter()
    slowest, slowest_kind = 0.0, ""
    different: Counter[str] = Counter()
    end = time.monotonic() + seconds
    number = -1
    for number, (kind, content, attempt) in enumerate(examples):
        begun = time.process_time()
        problem = ""
        try:
            counts[f"{kind} {attempt()}"] += 1
        except InputError as error:
            problem = "an error of several lines" if "\n" in str(error) else ""
            counts[f"{kind} refused"] += 1
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            problem = f"{type(error).__name__} {error!s:.200} at {place.filename}:{place.lineno}"
        took = time.process_time() - begun
        if took > slowest:
            slowest, slowest_kind = took, kind
        if took > SLOW:
            problem = problem or f"took {took:.1f} s"
        if problem:
            key = f"{kind} {problem.rsplit(' at ', 1)[-1]}"
            different[key] += 1
            if different[key] == 1:
                finds.mkdir(parents=True, exist_ok=True)
                (finds / f"{name}-{number}").write_bytes(content)
                print(f"FOUND {name} {number} ({kind}): {problem}", flush=True)
        if time.monotonic() > end:
            break
    print(
        f"{name}: {number + 1:,} examples, {len(different)} finds; "
        f"longest {slowest:.2f} s ({slowest_kind})"
    )
    for kind, times in sorted(counts.items()):
        print(f"  {kind}: {times:,}")
    return len(different)


def mutated(content: bytes, draw: random.Random) -> bytes:
    """A right file made wrong in one to five places."""
    for _ in range(draw.randint(1, 5)):
        at, other = sorted(draw.randrange(len(content) + 1) for _ in range(2))
        other = min(other, at + draw.choice([1, 8, 80]))
        piece = draw.choice(PIECES)
        match draw.randrange(6):
            case 0:
                content = content[:at] + piece + content[at:]
            case 1:
                content = content[:at] + content[other:]
            case 2:
                content = content[:at] + content[at:other] * draw.choice([2, 50]) + content[other:]
            case 3:
                content = content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]
            case 4:
                lines = content.split(b"\n")
                draw.shuffle(lines)
                content = b"\n".join(lines)
            case 5:
                content = content.replace(draw.choice(PIECES[:15]), piece)
        content = content[:100_000]
    return content


def readers(seed: int, numbers: Iterable[int]) -> Iterator[Example]:
    """Mutated files."""
    split = splitter("word")
    readers_of: dict[str, Callable[[Path], Any]] = {
        "tagging": lambda path: list(read_tagging(path, split=split, notes=Notes())),
        "classification": lambda path: list(read_classification(path, notes=Notes())),
        "translation": lambda path: list(
            read_parallel(path, source="en", target="fr", notes=Notes())
        ),
        "generation": lambda path: list(read_texts(path, notes=Notes())),
        "vectors": lambda path: read_vectors(path, wanted={"the", "dog"}, limit=0),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            draw = random.Random(f"{seed} {number}")
            name, right, kind = draw.choice(SEEDS)
            if draw.random() < 0.1:  # a right file of one task given to another
                kind = draw.choice(list(readers_of))
            content = mutated(right.encode(), draw)
            path = Path(folder, name)
            path.write_bytes(content)

            def attempt(path: Path = path, kind: str = kind) -> str:
                readers_of[kind](path)
                return "read"

            yield f"{kind} {path.suffix}", content, attempt


def odd_text(draw: random.Random) -> str:
    """A string of stretches that are hard to split, and of characters of all planes."""
    planes = ((0, 0x300), (0, 0xD800), (0xE000, 0x110000))
    parts = [
        draw.choice(STRETCHES) if draw.random() < 0.7 else chr(draw.randrange(*draw.choice(planes)))
        for _ in range(*draw.choices([0, 1, 3, 10, 40], [1, 3, 4, 3, 1]))
    ]
    return draw.choice(["", " "]).join(parts)


def pipelines(seed: int, numbers: Iterable[int]) -> Iterator[Example]:
    """Odd strings, `BATCH` at a time."""
    models = {
        "tagging": rnnlp.load(FOLDERS / "tagging-v1"),
        "classification": rnnlp.load(FOLDERS / "classification-v1"),
        "translation": rnnlp.load(FOLDERS / "translation-v1"),
        "generation": rnnlp.load(FOLDERS / "generation-v1"),
    }
    for number in numbers:
        draw = random.Random(f"{seed} {number}")
        texts = [odd_text(draw) for _ in range(BATCH)]
        for kind, model in models.items():

            def attempt(kind: str = kind, model: Any = model, texts: list[str] = texts) -> str:
                options = OPTIONS.get(kind, {})
                together = model(texts, **options)
                for place, (text, answer) in enumerate(zip(texts, together, strict=True)):
                    own = {**options, "first": place} if kind == "generation" else options
                    check(text, answer, model(text, **own))
                return f"batches of {BATCH}"

            yield kind, json.dumps(texts).encode(), attempt


def check(text: str, answer: dict[str, Any], alone: dict[str, Any]) -> None:
    """Refuses an answer that differs alone, or is not what was promised."""
    if not alike(answer, alone):
        raise AssertionError(f"{text!r}: {answer} in a batch, {alone} alone")
    if json.loads(as_json(answer)) != answer or answer["text"] != text:
        raise AssertionError(f"{text!r}: {answer} does not come back from JSON")
    for entity in answer.get("entities", ()):
        if text[entity["start"] : entity["end"]] != entity["word"] or not entity["word"]:
            raise AssertionError(f"{text!r}: {entity} has other offsets")


def alike(one: Any, other: Any) -> bool:
    """Whether two answers are equal, up to the last digit of rounded numbers."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=2e-5, abs_tol=1.1e-4)
    return bool(one == other)


if __name__ == "__main__":
    sys.exit(main())
