"""Every script in `benchmarks/` runs, each with its smallest setting.

Two of them hold what generators are measured with, and that is checked here as well: the n-gram
model is one, and bars are added up rightly.
"""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

import rnnlp
from rnnlp.tasks.cli import main as cli

from .conftest import FOLDER, script

SENTENCES = ("Anna Berg met Tom", "Tom lives in Paris", "Anna went home", "it is Paris")
TAGS = ("B-PER I-PER O B-PER", "B-PER O O B-LOC", "B-PER O O", "O O B-LOC")
ONE_EPOCH = ("--trainer.max_epochs=1", "--trainer.accelerator=cpu")
SMALL = (
    *ONE_EPOCH, "--model.embedding.size=4", "--model.embedding.characters=none",
    "--model.encoder.hidden_size=4",
)  # fmt: skip
TUNE = "X:1\nT:A\nM:6/8\nL:1/8\nK:D\nabc def|a3 b3|\n\n"


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Some lines of data for each task."""
    folder = tmp_path_factory.mktemp("files")
    pairs = [
        list(zip(s.split(), t.split(), strict=True)) for s, t in zip(SENTENCES, TAGS, strict=True)
    ]
    conll = "\n".join("".join(f"{token} {tag}\n" for token, tag in pair) for pair in pairs)
    (folder / "ner.conll").write_text(conll)
    labels = ("good", "bad", "good", "bad")
    rows = list(zip(labels, SENTENCES, strict=True))
    (folder / "reviews.tsv").write_text("label\ttext\n" + "".join(f"{a}\t{b}\n" for a, b in rows))
    texts = "".join(json.dumps({"text": b, "label": a}) + "\n" for a, b in rows)
    (folder / "reviews.jsonl").write_text(texts)
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text in SENTENCES))
    both = "".join(f"{text}\t{text.lower()}\n" for text in SENTENCES)
    (folder / "pairs.tsv").write_text("en\tde\n" + both)
    (folder / "tunes.abc").write_text(TUNE * 2)
    return folder


def fit(*arguments):
    assert cli.run(["fit", *map(str, arguments), *SMALL]) == 0


def test_each_script_is_started_here():
    tests = Path(__file__).parent.glob("test_*.py")
    started = "".join(path.read_text(encoding="utf-8") for path in tests)
    assert [s.stem for s in FOLDER.glob("*.py") if f'"{s.stem}"' not in started] == []


def test_cases(run, tmp_path, monkeypatch, capsys):
    for name, code in (("fine", 0), ("broken", 3)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.sh").write_text(f"exit {code}\n")
    monkeypatch.setenv("CASES", str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["cases.py"])
    assert script("cases").main() == 1
    assert "1 of 2 behave" in capsys.readouterr().out


def test_fuzz(run, tmp_path):
    # As many on a fast machine as on a slow one; `make fuzz` looks further.
    numbers = ("--seconds", 600, "--count", 1500)
    out = run("fuzz", *numbers, "--only", "readers", "--finds", tmp_path)
    assert "readers: 1,500 examples" in out and "FOUND" not in out


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_serve_load(run, files):
    model = FOLDER.parent / "tests" / "folders" / "tagging-v1"
    out = run("serve_load", model, "--data", files / "texts.txt", "--quick")
    assert "batch 64, 64 clients: {200: 20}" in out and "after it: {200: 20}" in out


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("task", ["tagging", "translation"])
def test_corpus_memory(run, task):
    few = ["--lines", 10, "--times", 3, "--steps", 2]
    out = run("corpus_memory", "--alone", "--tasks", task, *few)
    assert f"| {task} | 30 | " in out


def test_joint(run, files, tmp_path):
    data = [
        f"--data.{task}.{split}={files / file}"
        for task, file in (("tagging", "ner.conll"), ("classification", "reviews.tsv"))
        for split in ("train", "validation")
    ]
    out = run("joint", "--seeds", 1, "--keep", tmp_path, *data, *SMALL)
    assert "| tagging f1 | validation |" in out and "| joint | " in out


def test_one_sentence(monkeypatch, capsys):
    model = FOLDER.parent / "tests" / "folders" / "tagging-v1"
    arguments = [str(model), "--text", "Anna sleeps", "--calls", "2", "--burners", "1"]
    monkeypatch.setattr(sys, "argv", ["one_sentence.py", *arguments])
    one = script("one_sentence")
    monkeypatch.setattr(one, "WAYS", {"rnnlp": {}})
    one.main()
    assert "rnnlp" in (out := capsys.readouterr().out) and "p99" in out


def test_after_training(run, tmp_path):
    model = FOLDER.parent / "tests" / "folders" / "tagging-v1"
    places = ("Oslo", "Rio", "7", "Bob", "Maria")
    texts = [["Maria", "visited", places[i % 5], str(i), "."] for i in range(65)]
    tags = rnnlp.load(model).tags(texts)
    lines = []
    for number, (tokens, row) in enumerate(zip(texts, tags, strict=True)):
        row = row if number % 3 else ["O"] * len(tokens)  # it is right in two thirds
        lines += [*(f"{token} {tag}" for token, tag in zip(tokens, row, strict=True)), ""]
    (tmp_path / "a.conll").write_text("\n".join(lines) + "\n")
    rows = run("after_training", model, tmp_path / "a.conll").splitlines()
    trained, temperature, both = (row.strip("| ").split(" | ") for row in rows[2:5])
    scores = rnnlp.evaluate(model, tmp_path / "a.conll")
    expected = [scores[name] for name in ("f1", "precision", "recall", "ece")]
    actual = [*(float(value) / 100 for value in trained[1:4]), float(trained[4])]
    assert actual == pytest.approx(expected, abs=1e-4) and actual[2] == 1.0
    assert temperature[1:4] == trained[1:4]  # a temperature changes no tag
    assert temperature[4] != trained[4] and "temperature" in temperature[5]
    assert "outside_less" in both[5]


def test_growing(run, tmp_path):
    people, places = "PER", "LOC"
    rows = [("张伟来了", 0, 2, people), ("在上海", 1, 3, places)] * 2
    (tmp_path / "ner.jsonl").write_text(
        "".join(
            json.dumps({"text": text, "entities": [{"start": start, "end": end, "label": label}]})
            + "\n"
            for text, start, end, label in rows
        )
    )
    data = ["--train", tmp_path / "ner.jsonl", "--validation", tmp_path / "ner.jsonl"]
    out = run("growing", "--config", "ner", *data, "--data.level=character", *SMALL)
    assert "first: LOC; then: PER" in out and "kept: old types " in out


def test_processes(monkeypatch, capsys, files):
    devices = []

    def here(command, **_):  # a second process would start pytest once more
        assert command[:3] == [sys.executable, "-m", "rnnlp"]
        devices.extend(part for part in command if "devices" in part)
        one = [part.replace("devices=2", "devices=1") for part in command[3:]]
        assert cli.run(one) == 0

    data = [f"--data.{split}={files / 'ner.conll'}" for split in ("train", "validation")]
    monkeypatch.setattr(sys, "argv", ["processes.py", "--config", "ner", *data, *SMALL[2:]])
    monkeypatch.setattr(subprocess, "run", here)
    module = script("processes")  # a training wants the main thread, as its own process has it
    monkeypatch.setattr(module.ThreadPoolExecutor, "map", lambda self, *both: map(*both))
    module.main()
    assert "times as fast" in capsys.readouterr().out
    assert devices == [f"--trainer.devices={n}" for n in (1, 1, 2, 2, 1, 1, 1, 1)]


def test_quality(run, files):
    data = [f"--data.{split}={files / 'ner.conll'}" for split in ("train", "validation")]
    assert "| ner | 1 |" in run("quality", "ner", "--seeds", 1, *data, *SMALL)


def test_mislabelled(monkeypatch, capsys, tmp_path):
    """Labels are flipped as many as asked, and what is taken for wrong is compared with them."""
    rows = [f"{'ab'[i % 2]}\t{['fine', 'dull'][i % 2]} film {i}" for i in range(80)]
    (tmp_path / "r.tsv").write_text("label\ttext\n" + "\n".join(rows) + "\n")
    monkeypatch.setattr(subprocess, "run", lambda command, **_: cli.run(command[3:]))
    arguments = [tmp_path / "r.tsv", "--share", 0.05, "--folds", 2]
    monkeypatch.setattr(sys, "argv", ["mislabelled.py", *map(str, arguments)])
    script("mislabelled").main()
    row = capsys.readouterr().out.splitlines()[-1].split(" | ")
    assert row[:3] == ["| 1", "80", "4"] and int(row[3]) > 0
    assert row[4] == "1.000" and float(row[5]) == int(row[3]) / 4


def test_imbalance(run, tmp_path):
    rows = [f"{'ab'[i % 2]}\t{['fine', 'dull'][i % 2]} film {i}" for i in range(24)]
    (tmp_path / "r.tsv").write_text("label\ttext\n" + "\n".join(rows) + "\n")
    out = run("imbalance", tmp_path / "r.tsv", tmp_path / "r.tsv", "--rare", "b", "--texts", 3,
              "--seeds", 1, "--config", "sentiment", *SMALL)  # fmt: skip
    ways = [line.split(" | ")[0] for line in out.splitlines()[-3:]]
    assert ways == ["| none", "| balanced", "| resampled"]
    thinned = script("imbalance").thinned([("x", "a")] * 5 + [("y", "b")] * 5, ["b"], 2, 1)
    assert sorted(label for _, label in thinned) == ["a"] * 5 + ["b"] * 2
    even = script("imbalance").resampled([("x", "a")] * 5 + [("y", "b"), ("z", "b")], 1)
    assert sorted(label for _, label in even) == ["a"] * 5 + ["b"] * 5


def test_transfer(run, files, tmp_path):
    data = files / "reviews.jsonl"
    out = run(
        "transfer", "sentiment", "--train", data, "--validation", data, "--keep", tmp_path,
        "--seeds", 1, "--few", 3, "--shared", *ONE_EPOCH, "--language-model", *SMALL,
    )  # fmt: skip
    assert "encoder of two language models |" in out


def test_recurrences(run):
    out = run("recurrence", "--only", "lstm B1  T25  both inference", "--budget", 0)
    assert len(json.loads(out.splitlines()[-1])["rows"]) == 1
    assert float(run("recurrence", "--child", "ours", "lstm", 2, 4, 1, "True")) >= 0
    assert "minGRU" in run("mingru", "--times", 3, "--budget", 0)
    assert "2x16 " in run("padded", "--shapes", "2x16", "--steps", 1)


def test_tagging_speed(run, files):
    out = run("tagging_speed", "--data.train", files / "ner.conll", "--steps", 1, "--sentences", 2)
    assert json.loads(out.splitlines()[-1])["largest_relative_loss_difference"] < 1e-4


def test_streaming(run, files, tmp_path):
    data = [f"--data.{split}={files / 'ner.conll'}" for split in ("train", "validation")]
    fit("--config", "ner", "--model.encoder.bidirectional=false", *data, "--output", tmp_path / "m")
    assert "same results at the end" in run("streaming", tmp_path / "m", "--tokens", 20)


def test_translation_speed(run, files, tmp_path):
    data = files / "pairs.tsv"
    names = ["--data.source=en", "--data.target=de"]
    both = [f"--data.{split}={data}" for split in ("train", "validation")]
    few = "--model.search.shortlist=3"
    fit("--config", "translation", *names, *both, few, "--output", tmp_path / "m")
    assert "| lstm, feeding |" in run("translation_speed", "train", data, "--steps", 1)
    out = run("translation_speed", "translate", tmp_path / "m", data, "--alone", 1)
    assert "alone, beam 5, shortlist 3" in out and "shortlist 0: the same" in out


def test_generators(run, files):
    report = json.loads(run("ngram", files / "texts.txt", files / "texts.txt", "--order", 2))
    assert report["texts"] == len(SENTENCES)
    assert json.loads(run("tunes", files / "tunes.abc"))["dev"]["sound"] == 2


ngram, tunes = script("ngram"), script("tunes")


@pytest.mark.parametrize("order", [1, 3, 6])
def test_probabilities_add_up_to_one(order):
    model = ngram.WittenBell(["abracadabra", "banana", "cab"], order=order)
    alphabet = [*model.characters, ngram.END, ngram.UNKNOWN]
    for history in ("", "a", "ab", "zz", "bra", "\x02\x02"):
        used = history[len(history) - min(len(history), order - 1) :]
        total = sum(model.probability(used, character) for character in alphabet)
        assert total == pytest.approx(1.0)


def test_bits_by_hand():
    # One text "a" and order 1: C(a) = C(end) = 1, T = 2, and 1/3 below that for each of 3.
    model = ngram.WittenBell(["a"], order=1)
    each = (1 + 2 / 3) / 4
    assert model.probability("", "a") == pytest.approx(each)
    assert 2 ** -model.bits("a") == pytest.approx(each * each)
    assert 2 ** -model.bits("b") == pytest.approx((2 / 3 / 4) * each)


def test_longer_histories_help_on_what_was_seen():
    texts = ["the cat sat on the mat", "the cat ate the rat"]
    bits = [ngram.WittenBell(texts, order=order).bits(texts[0]) for order in (1, 2, 4)]
    assert bits == sorted(bits, reverse=True)
    drawn = ngram.WittenBell(texts, order=4).draw(random.Random(1))
    assert set(drawn) <= set("".join(texts))


def tune(music, metre="6/8", unit=None):
    lines = ["X:1", "T:A", f"M:{metre}", *([f"L:{unit}"] if unit else []), "K:D", music]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("music", "metre", "unit", "bars"),
    [
        ("abc def|a3 b3|", "6/8", None, 2),
        ('A|"D"f2f fga|d2d d2:|', "6/8", None, 1),  # a pick-up, and a last bar without its note
        ("ab cd|e2 f2|]", "2/4", "1/8", 2),
        ("abcd abcd|", "2/4", None, 1),  # the unit is 1/16 below 3/4
        ("(3abc d2 ef|a>b c<d|", "3/4", "1/8", 1),
        ("a/b/c/d/ e|[1f3:|[2 f3||", "3/8", "1/8", 3),
        ("[ac]2 z|{g}a2 .b|^f_b=c'|", "3/8", "1/8", 3),
        ("abc|[M:2/4]ab cd|", "3/8", "1/8", 2),
        ("ab|\\\ncd|: ef :: ga :|", "2/8", "1/8", 4),
    ],
)
def test_sound_tunes(music, metre, unit, bars):
    assert tunes.check(tune(music, metre, unit)) == bars


@pytest.mark.parametrize(
    ("music", "reason"),
    [
        ("abc def|a3 b2|abc abc|", "too short"),
        ("abc defg|abc abc|", "too long"),
        ("abc d?f|", "not ABC"),
        ("abc (3ab|abc abc|", "tuplet"),
        ('"D abc def|', "not ABC"),
        ("", "no bars"),
    ],
)
def test_unsound_tunes(music, reason):
    with pytest.raises(tunes.Unsound, match=reason):
        tunes.check(tune(music))
    assert tunes.report([tune(music), tune("abc def|")])["sound"] == 1


def test_a_tune_needs_its_header():
    with pytest.raises(tunes.Unsound, match="no field K"):
        tunes.check("X:1\nM:4/4\nabcd|")
    with pytest.raises(tunes.Unsound, match="metre"):
        tunes.check(tune("abc|", metre="6"))


def test_distil(run, files):
    data = ["--train", files / "reviews.tsv", "--validation", files / "reviews.tsv"]
    few = ["--same", "--teacher", 4, "--ensemble", 2, "--seeds", 1]
    out = run("distil", "--config", "sentiment", *data, *few, *SMALL)
    assert "teacher 2: " in out and "labels: " in out and "distilled: " in out


def test_distil_of_taggers(run, tmp_path):
    row = {"text": "张伟在上海", "entities": [{"start": 0, "end": 2, "label": "PER"}]}
    (tmp_path / "ner.jsonl").write_text((json.dumps(row) + "\n") * 5)
    data = ["--train", tmp_path / "ner.jsonl", "--validation", tmp_path / "ner.jsonl"]
    few = ["--entities", "--teacher", 2, "--gold", 2, "--unlabelled", 1, "--seeds", 1]
    out = run("distil", "--config", "ner", *data, "--data.level=character", *few, *SMALL)
    assert "seed 1, labels: " in out and "distilled: " in out


def test_active(run, files):
    data = ["--train", files / "reviews.tsv", "--validation", files / "reviews.tsv"]
    few = ["--step", 2, "--rounds", 2, "--share", 0.01, "--seeds", 3]
    out = run("active", "--config", "sentiment", *data, *few, *SMALL)
    assert "seed 3 select: " in out and "random: 2 labels" in out
    assert script("active").needed([50.0, 80.0, 90.0], aim=85, step=100) == 250


def test_held_out_names_are_new(run, tmp_path):
    from rnnlp.data.corpus.report import Notes
    from rnnlp.data.tagging.readers import read_tagging
    from rnnlp.data.text.tokenizer import splitter

    people = ("Anna", "Tom", "anna", "Ute", "Max", "Li", "Eva", "Ida", "Jan", "Kim")
    rows = [
        f"{name} B-PER\nBerg I-PER\nis O\nhere O\n\nAll O\n{i} O\nis O\n\n"
        for i, name in enumerate(people)
    ]
    (tmp_path / "all.conll").write_text("".join(rows))
    out = run("held_out_names", tmp_path / "all.conll", tmp_path / "out", "--share", 0.35)
    sides = {}
    for split in ("train", "dev"):
        path = tmp_path / "out" / f"{split}.jsonl"
        sides[split] = list(read_tagging(path, split=splitter("word"), notes=Notes()))
    assert sum(map(len, sides.values())) == 20  # nothing is lost
    names = {
        split: {e.tokens[0].lower() for e in examples if e.tags[0] == "B-PER"}
        for split, examples in sides.items()
    }
    assert len(names["dev"]) == 3 and names["dev"].isdisjoint(names["train"])
    with_names = [e.tags[0] == "B-PER" for e in sides["dev"]]
    assert sum(with_names) == len(with_names) / 2
    assert f"kept apart, in which {sum(with_names)} of {sum(with_names)} names are new" in out


def test_steps(files, monkeypatch, capsys):
    """In processes of their own, each with a state of the code."""
    steps = script("steps")
    data = files / "reviews.jsonl"
    monkeypatch.setattr(sys, "argv", ["steps.py", "--steps", "2", "--warm_up", "1", "--turns", "1",
                                      "--", "--config", "sentiment", f"--data.train={data}",
                                      f"--data.validation={data}"])  # fmt: skip
    steps.main()
    assert "1.00 times the first; losses at most 0.00 % apart" in capsys.readouterr().out
