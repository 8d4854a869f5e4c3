"""`rnnlp distil`, driven as a user does: models, an ensemble and a program teach."""

import json
import shlex
import sys

import pytest

import rnnlp as package

TINY = ["--trainer.accelerator=cpu", "--model.embedding.size=8", "--model.encoder.hidden_size=8"]
TEACHER = """\
import json, sys
for line in sys.stdin:
    p = {"fine": 0.9, "dull": 0.2, "坏": 0.1}[line.split()[-1]]
    print(json.dumps([{"label": "pos", "score": p}, {"label": "neg", "score": 1 - p}]))
"""
TEXTS = [f"{a} {b}" for a in ("a", "一", "c", "d") for b in ("fine", "dull", "坏")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("distil")
    (folder / "teacher.py").write_text(TEACHER)
    (folder / "texts.txt").write_text("\n".join(TEXTS) + "\n")
    return folder


def by_command(folder, script="teacher.py"):
    return ["--teacher_command", shlex.join([sys.executable, str(folder / script)])]


def test_a_program_teaches_and_then_two_models(rnnlp, folder):
    texts = ["--unlabelled", folder / "texts.txt", "--config", "sentiment", *TINY]
    texts += [f"--data.validation={folder / 'one.teacher.jsonl'}", "--model.dropout=0"]
    texts += ["--model.optimizer.learning_rate=0.02", "--trainer.max_epochs=10"]
    code, _, err = rnnlp("distil", *by_command(folder), *texts, "--output", folder / "one")
    assert code == 0, err
    assert f"12 texts labelled by the teacher: {folder / 'one.teacher.jsonl'}" in err
    assert "12 of 12 texts are trained on the probability of each label" in err
    rows = [json.loads(line) for line in (folder / "one.teacher.jsonl").open()]
    assert [row["text"] for row in rows] == TEXTS
    student = package.load(folder / "one")
    assert [one["label"] for one in student(TEXTS[:3])] == ["pos", "neg", "neg"]
    code, _, err = rnnlp("distil", *by_command(folder), *texts, "--output", folder / "one")
    assert code == 2 and "holds a model already" in err
    # Two that are alike teach together, beside labelled texts.
    again = ["fit", "--config", "sentiment", f"--data.train={folder / 'one.teacher.jsonl'}"]
    again += [
        *TINY,
        "--seed_everything=2",
        f"--data.tokenizer_from={folder / 'one'}",
        "--trainer.max_epochs=1",
        "--output",
        folder / "two",
    ]
    assert rnnlp(*again)[0] == 0
    (folder / "gold.csv").write_text("text,label\nb fine,pos\nb dull,neg\n")
    code, _, err = rnnlp(
        "distil", folder / "one", folder / "two", *texts, f"--data.train={folder / 'gold.csv'}",
        "--hard_share", "0.25", "--output", folder / "three",
    )  # fmt: skip
    assert code == 0, err
    assert "and 2 of" in err and "with 0.25 of their label" in err
    rows = [json.loads(line) for line in (folder / "three.teacher.jsonl").open()]
    taught = package.load([folder / "one", folder / "two"])(TEXTS)
    assert [row["scores"] for row in rows[:12]] == [one["scores"] for one in taught]
    assert [(row["text"], row["weight"]) for row in rows[12:]] == [
        ("b fine", 0.75), ("b dull", 0.75), ("b fine", 0.25), ("b dull", 0.25),
    ]  # fmt: skip


def test_taggers_teach_the_probabilities_of_tags(rnnlp, english, corpus, folder):
    said = ["Anna visited Berlin.", "It rained."]
    (folder / "s.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in said))
    code, _, err = rnnlp(
        "distil", english, "--unlabelled", folder / "s.jsonl", "--config", corpus / "tiny.yaml",
        "--trainer.max_epochs=1", "--output", folder / "tagger",
    )  # fmt: skip
    assert code == 0, err
    rows = [json.loads(line) for line in (folder / "tagger.teacher.jsonl").open()]
    teacher = package.load(english)
    assert [row["tokens"] for row in rows] == [["Anna", "visited", "Berlin", "."],
                                               ["It", "rained", "."]]  # fmt: skip
    marginals = teacher.marginals([row["tokens"] for row in rows])
    for row, shares in zip(rows, marginals, strict=True):
        for told, share in zip(row["scores"], shares, strict=True):
            whole = [told.get(tag, 0.0) for tag in teacher.settings.tags]
            assert whole == pytest.approx(share.tolist(), abs=1e-4)
    student = package.distil(
        english, said, str(corpus / "tiny.yaml"), output=folder / "again",
        trainer={"max_epochs": 1, "enable_progress_bar": False},
    )  # fmt: skip
    assert student(said) == package.load(folder / "tagger")(said)
    code, _, err = rnnlp("distil", english, "--unlabelled", folder / "s.jsonl", "--config",
                         "sentiment", "--output", folder / "no")  # fmt: skip
    assert code == 2 and "is a model for tagging, and the config for classification" in err


def test_tagged_sentences_count_by_their_tags_and_by_what_the_teacher_says(
    rnnlp, english, corpus, folder
):
    gold = [["Anna", "B-PER"], ["visited", "O"], ["New", "B-LOC"], ["York", "I-LOC"], [".", "O"]]
    (folder / "gold.conll").write_text("".join(f"{token} {tag}\n" for token, tag in gold) + "\n")
    code, _, err = rnnlp(
        "distil", english, "--config", corpus / "tiny.yaml",
        f"--data.train={folder / 'gold.conll'}", "--hard_share", "0.25",
        "--trainer.max_epochs=1", "--output", folder / "both",
    )  # fmt: skip
    assert code == 0, err
    assert f"note: 1 of {folder / 'gold.conll'} with 0.25 of their label: " in err
    (row,) = [json.loads(line) for line in (folder / "both.teacher.jsonl").open()]
    tokens = [token for token, _ in gold]
    assert row["tokens"] == tokens and row["weight"] == 1.0
    teacher = package.load(english)
    assert teacher.settings.scheme == "BIOES"
    stated = ["S-PER", "O", "B-LOC", "E-LOC", "O"]
    (shares,) = teacher.marginals([tokens])
    for told, share, tag in zip(row["scores"], shares, stated, strict=True):
        for name, p in zip(teacher.settings.tags, share.tolist(), strict=True):
            assert told.get(name, 0.0) == pytest.approx(0.75 * p + 0.25 * (name == tag), abs=1e-4)
    (folder / "plain.conll").write_text("It PRON\nrained VERB\n\n")
    code, _, err = rnnlp(
        "distil", english, "--config", corpus / "tiny.yaml",
        f"--data.train={folder / 'plain.conll'}", "--output", folder / "no",
    )  # fmt: skip
    assert code == 2 and "has plain tags, and the teacher knows entities" in err


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("print(1)", "gave 1 lines for 12 texts (exit code 0)"),
        ("raise SystemExit(3)", "(exit code 3)"),
        ("import sys\nfor x in sys.stdin: print('{')", "--teacher_command, answer 1: not JSON"),
        ("import sys\nfor x in sys.stdin: print('{}')", "an answer with text teaches nothing"),
        (
            'import sys\nfor x in sys.stdin: print(\'{"scores": {"a": 2}}\')',
            "no.teacher.jsonl:1: the probability of 'a' is 2",
        ),
    ],
)
def test_a_program_that_cannot_teach(program, line, rnnlp, folder):
    (folder / "bad.py").write_text(program)
    code, _, err = rnnlp("distil", *by_command(folder, "bad.py"), "--unlabelled",
                         folder / "texts.txt", "--config", "sentiment",
                         "--output", folder / "no")  # fmt: skip
    assert code == 2 and line in err and err.rstrip().splitlines()[-1].startswith("rnnlp: ")
    assert not (folder / "no").exists()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "who teaches?"),
        (["nowhere"], "nowhere"),
        (["x", "--teacher_command", "cat"], "one of the two"),
        (["--teacher_command", "no-such-program"], "cannot be run"),
        (["--teacher_command", "cat", "--hard_share", "2"], "--hard_share is 2.0"),
        (["--teacher_command", "cat", "--config", "generation"], "models for generation cannot"),
        (
            ["--teacher_command", "cat", "--config", "ner", "--data.train=x"],
            "is for classification, and for tagging by models",
        ),
    ],
)
def test_mistakes(arguments, line, rnnlp, folder):
    code, _, err = rnnlp("distil", "--unlabelled", folder / "texts.txt", "--config", "sentiment",
                         "--output", folder / "no", *arguments)  # fmt: skip
    assert code == 2 and line in err and err.count("\n") == 1


def test_no_texts_at_all(rnnlp, english, corpus, folder):
    code, _, err = rnnlp("distil", english, "--config", corpus / "tiny.yaml")
    assert code == 2
    assert err == "rnnlp: of which texts? Give --unlabelled FILE, or --data.train FILE, or both\n"


def test_files_are_read_as_fit_reads_them(rnnlp, folder):
    rows = ["7;b 坏;bad", "8;b fine;good", "9;b dull;bad"]
    for name, some in (("tick", rows), ("held", rows[1:])):
        table = "\n".join(["id;message;team", *some])
        (folder / f"{name}.csv").write_text(f"{table}\n", encoding="gb18030")
    (folder / "columns.yaml").write_text(
        "base: sentiment\ndata: {text_column: message, label_column: team, group_column: id}\n"
    )
    (folder / "votes.py").write_text(TEACHER.replace("pos", "good").replace("neg", "bad"))
    asked = ["--config", folder / "columns.yaml", "--trainer.max_epochs=1", *TINY]
    asked += [f"--data.train={folder / 'tick.csv'}", "--data.encoding=gb18030"]
    code, _, err = rnnlp(
        "distil", *by_command(folder, "votes.py"), "--unlabelled", folder / "texts.txt", *asked,
        "--output", folder / "read",
    )  # fmt: skip
    assert code == 0, err
    assert "tick.csv: read as csv with a header: text in message, label in team" in err
    assert "different labels" not in err
    rows = [json.loads(line) for line in (folder / "read.teacher.jsonl").open()]
    assert rows[-3:] == [
        {"group": "7", "text": "b 坏", "label": ["bad"], "weight": 0.5},
        {"group": "8", "text": "b fine", "label": ["good"], "weight": 0.5},
        {"group": "9", "text": "b dull", "label": ["bad"], "weight": 0.5},
    ]
    # What it is validated on is laid out as the user's file of training, not as the teacher's.
    code, _, err = rnnlp(
        "distil", *by_command(folder, "votes.py"), *asked, "--data.group_column=null",
        f"--data.validation={folder / 'held.csv'}", "--output", folder / "held",
    )  # fmt: skip
    assert code == 0, err
    assert "validation: 2 texts (bad 1, good 1)" in err
    assert package.load(folder / "held").labels == ["bad", "good"]
    code, _, err = rnnlp("distil", *by_command(folder), *asked, "--data.feature_columns=[id]",
                         "--output", folder / "no")  # fmt: skip
    assert code == 2 and "data.feature_columns names id, and a teacher has texts alone" in err


def test_validation_of_taggers_is_read_by_its_own_columns(rnnlp, english, corpus, folder):
    gold = [["B-PER", "Anna"], ["O", "visited"], ["B-LOC", "New"], ["I-LOC", "York"], ["O", "."]]
    lines = "".join(f"{tag} {place} {token}\n" for place, (tag, token) in enumerate(gold))
    for name in ("swapped", "kept"):
        (folder / f"{name}.conll").write_text(lines + "\n")
    code, _, err = rnnlp(
        "distil", english, "--config", corpus / "tiny.yaml", "--trainer.max_epochs=1",
        f"--data.train={folder / 'swapped.conll'}", f"--data.validation={folder / 'kept.conll'}",
        "--data.token_column=3", "--data.tag_column=1", "--output", folder / "swapped",
    )  # fmt: skip
    assert code == 0, err
    assert f"validation: {folder / 'kept.conll'}, written as " in err
    (row,) = [json.loads(line) for line in (folder / "swapped.validation.jsonl").open()]
    tags = ["S-PER", "O", "B-LOC", "E-LOC", "O"]  # as the teacher has them
    assert row == {"tokens": [token for _, token in gold], "tags": tags}
    assert "validation: 1 sentence" in err


def test_validation_of_translators_is_read_by_its_own_columns(rnnlp, folder):
    (folder / "answer.py").write_text(
        "import json, sys\n"
        "for line in sys.stdin: print(json.dumps({'translation_text': line.strip().upper()}))\n"
    )
    pairs = [(f"ein Mann {n}", f"a man {n}") for n in range(12)]
    (folder / "pool.txt").write_text("".join(f"{source}\n" for source, _ in pairs))
    rows = ["deutsch\tenglisch", *("\t".join(pair) for pair in pairs)]
    (folder / "pairs.tsv").write_text("\n".join(rows) + "\n")
    code, _, err = rnnlp(
        "distil", *by_command(folder, "answer.py"), "--unlabelled", folder / "pool.txt",
        "--config", "translation", "--data.source=de", "--data.target=en", *TINY,
        f"--data.validation={folder / 'pairs.tsv'}", "--data.source_column=deutsch",
        "--data.target_column=englisch", "--data.vocabulary_size=300",
        "--model.decoder.hidden_size=8", "--trainer.max_epochs=1",
        "--output", folder / "translator",
    )  # fmt: skip
    assert code == 0, err
    said = [json.loads(line) for line in (folder / "translator.validation.jsonl").open()]
    assert said == [{"source": source, "target": target} for source, target in pairs]
    taught = [json.loads(line) for line in (folder / "translator.teacher.jsonl").open()]
    assert [row["target"] for row in taught] == [source.upper() for source, _ in pairs]
