"""Exported folders: every task's, and what is said of those that are damaged or not ours."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest

import rnnlp as package
from rnnlp.data.errors import InputError
from rnnlp.tasks.base.components import EmbeddingConfig
from rnnlp.tasks.export.export import export
from rnnlp.tasks.runtime import session as engine
from rnnlp.tasks.runtime.check import check_graph, checksum_of
from rnnlp.tasks.runtime.format import FORMAT, OPERATORS

from ..make_golden_folder import fresh

GOLDEN = Path(__file__).parents[2] / "folders"


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("golden", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
def test_every_golden_folder(tmp_path, golden, int8):
    folder = export(golden, tmp_path / "out", int8=int8)
    for file in folder.glob("*.onnx"):
        nodes = list(onnx.load(file).graph.node)
        for node in nodes:
            nodes += [inner for one in node.attribute for inner in one.g.node]
            assert node.op_type in OPERATORS[node.domain]
    package.load(folder)
    assert not list(folder.glob("*.safetensors"))
    assert "`tokens` int64 [" in (folder / "README.md").read_text()


@pytest.fixture(scope="module")
def tagger(tmp_path_factory):
    return export(GOLDEN / "tagging-v1", tmp_path_factory.mktemp("exported") / "tagger")


@pytest.fixture
def copy(tagger, tmp_path):
    """A copy of an exported tagger, and a function that writes its graph after a change."""
    for file in tagger.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())

    def write(change):
        model = onnx.load(tmp_path / "model.onnx")
        content = change(model) or model.SerializeToString()
        (tmp_path / "model.onnx").write_bytes(content)
        config = json.loads((tmp_path / "config.json").read_text())
        config["export"]["graphs"]["model.onnx"] = checksum_of(content)
        (tmp_path / "config.json").write_text(json.dumps(config))

    return tmp_path, write


def refused(folder):
    with pytest.raises(InputError) as raised:
        package.load(folder)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_missing_or_cut_file(copy):
    folder, _ = copy
    file = folder / "model.onnx"
    file.write_bytes(file.read_bytes()[:-100])
    assert "model.onnx: is damaged" in refused(folder)
    file.unlink()
    assert "no model.onnx" in refused(folder)
    (folder / "tokenizer.json").unlink()
    assert refused(folder).endswith("is not a complete model folder: no tokenizer.json")


@pytest.mark.parametrize("cut", [1, 7, 1000])
def test_a_cut_file_whose_checksum_fits(copy, cut):
    folder, write = copy
    write(lambda model: model.SerializeToString()[:-cut])
    assert "model.onnx: is no graph of rnnlp" in refused(folder)


def test_an_operator_that_is_not_ours(copy):
    folder, write = copy

    def change(model):
        model.graph.node.append(onnx.helper.make_node("Einsum", ["tokens"], ["odd"], equation="i"))

    write(change)
    assert "the operator 'Einsum' is none of ours" in refused(folder)


def test_an_operator_within_a_loop(tmp_path):
    body = onnx.helper.make_graph([onnx.helper.make_node("Loop", [], ["x"])], "body", [], [])
    node = onnx.helper.make_node("Scan", [], ["x"], body=body, num_scan_inputs=1)
    model = onnx.helper.make_model(onnx.helper.make_graph([node], "all", [], []))
    file = tmp_path / "model.onnx"
    file.write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="'Loop' is none of ours"):
        check_graph(file, checksum_of(file.read_bytes()))


def test_weights_that_are_no_numbers_or_lie_elsewhere(copy):
    folder, write = copy

    def nan(model):
        weight = next(one for one in model.graph.initializer if one.data_type == 1 and one.dims)
        values = np.frombuffer(weight.raw_data, np.float32).copy()
        values[0] = np.nan
        weight.raw_data = values.tobytes()

    def outside(model):
        weight = model.graph.initializer[0]
        weight.data_location = 1
        weight.external_data.add(key="location", value="../../etc/passwd")

    write(nan)
    assert "a weight holds numbers that are none" in refused(folder)
    write(outside)
    assert "its weights lie in another file" in refused(folder)


def test_an_input_that_is_not_ours_or_of_another_type(tagger, copy):
    folder, write = copy

    def more(model):
        model.graph.input.append(onnx.helper.make_tensor_value_info("odd", 1, [1]))

    def other(model):
        model.graph.input.pop()
        cast = [node for node in model.graph.node if node.op_type == "Identity"]
        assert cast
        model.graph.input[0].type.tensor_type.elem_type = 6

    def without_texts(model):
        model.graph.output[0].type.tensor_type.shape.dim[0].dim_param = "odd"

    write(without_texts)
    assert "does not say where its texts are" in refused(folder)
    shutil.copy(tagger / "model.onnx", folder)
    write(more)
    assert "the input 'odd' is missing, or none of ours" in refused(folder)
    write(other)
    refused(folder)


def test_a_later_version(copy):
    folder, _ = copy
    config = json.loads((folder / "config.json").read_text())
    config["export"]["format"] = FORMAT + 1
    (folder / "config.json").write_text(json.dumps(config))
    assert f"format {FORMAT + 1}" in refused(folder) and "upgrade" in refused(folder)


def test_every_byte_may_be_wrong(tagger, tmp_path):
    """No byte of a graph, changed, gives anything but one clear line."""
    content = (tagger / "model.onnx").read_bytes()
    numbers = np.random.default_rng(1)
    batch = package.load(tagger).featurizer.batch([["Maria", "visited"], ["Oslo"]])
    for _ in range(150):
        changed = bytearray(content)
        changed[numbers.integers(0, len(content))] = numbers.integers(0, 256)
        (tmp_path / "model.onnx").write_bytes(changed)
        graphs = engine.Graphs(tmp_path, {"model.onnx": checksum_of(bytes(changed))})
        try:
            reader = engine.Reader(graphs, "tagging")
            reader.path_scores()
            reader(batch, "emissions")
        except InputError as error:
            assert "\n" not in str(error)


def test_the_verb(rnnlp, tmp_path):
    code, out, err = rnnlp("export", GOLDEN / "classification-v1", "--output", tmp_path / "x")
    assert (code, err) == (0, "") and "model.onnx  " in out
    code, _, err = rnnlp("export", GOLDEN / "classification-v1", "--output", tmp_path / "x")
    assert code == 2 and "holds a model already" in err and err.count("\n") == 1
    again = ("export", GOLDEN / "classification-v1", "--output", tmp_path / "x", "--overwrite")
    assert rnnlp(*again, "--int8")[0] == 0
    config = json.loads((tmp_path / "x" / "config.json").read_text())
    assert config["export"]["int8"] is True


TASKS = ["tagging", "classification", "joint", "generation", "translation"]
TEXTS = [
    "Maria visited Oslo.",
    "In Rio, Bob met \u674e\u660e and \u00c5se!",
    "",
    "a",
    "Good food, bad wine.",
]


def near(actual, wanted):
    """Equal, but for numbers, which may differ in the last digit that is given."""
    if isinstance(wanted, dict):
        assert actual.keys() == wanted.keys()
        for name, value in wanted.items():
            near(actual[name], value)
    elif isinstance(wanted, list):
        assert len(actual) == len(wanted)
        for one, other in zip(actual, wanted, strict=True):
            near(one, other)
    elif isinstance(wanted, float):
        assert actual == pytest.approx(wanted, abs=2e-4, rel=1e-6)
    else:
        assert actual == wanted


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("task", TASKS)
def test_an_exported_model_says_what_the_model_says(tmp_path, task, threads, monkeypatch):
    monkeypatch.setattr(engine, "_SHARE", 1)  # a text or two are enough for a second core
    golden = GOLDEN / f"{task}-v1"
    exported = package.load(export(golden, tmp_path / "out"), threads=threads)
    run, others = engine.Session._run, set()
    monkeypatch.setattr(
        engine.Session,
        "_run",
        lambda *given: others.add(threading.current_thread()) or run(*given),
    )
    near(exported(TEXTS), package.load(golden)(TEXTS))
    assert (len(others) > 1) == (threads == 2 and task != "generation")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_fork_has_threads_of_its_own(tagger, monkeypatch):
    monkeypatch.setattr(engine, "_SHARE", 1)
    pipeline = package.load(tagger, threads=2)
    wanted = pipeline(TEXTS)
    child = os.fork()
    if child == 0:
        os._exit(0 if pipeline(TEXTS) == wanted else 1)
    for _ in range(300):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        time.sleep(0.1)
    else:
        os.kill(child, signal.SIGKILL)
    assert done and status == 0


def test_a_translator_scores_and_aligns_as_on_torch(tmp_path):
    golden = GOLDEN / "translation-v1"
    exported, model = package.load(export(golden, tmp_path / "out")), package.load(golden)
    pairs = (["Maria visited Oslo.", "a"], ["Maria", "a much longer target"])
    assert exported.log_probabilities(*pairs) == pytest.approx(
        model.log_probabilities(*pairs), abs=1e-3
    )
    ours, theirs = exported.align(TEXTS[0]), model.align(TEXTS[0])
    assert ours[:2] == theirs[:2]
    np.testing.assert_allclose(ours.weights, theirs.weights, atol=1e-4)
    near(exported(TEXTS, nbest=3), model(TEXTS, nbest=3))


FILES = {  # some lines that each task can be scored on
    "tagging": ("gold.conll", "Maria B-PER\nvisited O\nOslo B-LOC\n\nBob B-PER\n"),
    "classification": ("gold.tsv", "good food\tpos\nbad wine\tneg\nMaria visited Oslo\tpos\n"),
    "generation": ("gold.txt", "Maria visited Oslo.\na\nGood food, bad wine.\n"),
    "translation": ("gold.tsv", "a\tb\nMaria visited Oslo.\tMaria\n"),
}


@pytest.mark.parametrize("task", FILES)
def test_an_exported_model_scores_as_the_model_does(tmp_path, monkeypatch, task):
    golden, (name, content) = GOLDEN / f"{task}-v1", FILES[task]
    exported = package.load(export(golden, tmp_path / "out"))
    (tmp_path / name).write_text(content)
    monkeypatch.setattr("rnnlp.tasks.generation.evaluation.SEGMENT", 5)
    options = {"source_column": 1, "target_column": 2} if task == "translation" else {}
    ours, theirs = (
        package.evaluate(each, tmp_path / name, **options)
        for each in (exported, package.load(golden))
    )
    for clock in ("seconds", "tokens_per_second"):
        del ours[clock], theirs[clock]
    assert ours["examples" if "examples" in ours else "sentences"] >= 2
    near(ours, theirs)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("pooling", ["max", "mean", "last"])
def test_an_exported_model_encodes_as_the_model_does(rnnlp, tmp_path, task, pooling):
    model, vectors = package.load(GOLDEN / f"{task}-v1"), []
    for table in getattr(model.network, "labels", ()):  # no label is nothing, as in training
        table.weight.data[0] = 0.0
    model.save(tmp_path / "model")
    export(tmp_path / "model", tmp_path / "out")
    for number, folder in enumerate((tmp_path / "model", tmp_path / "out")):
        file = tmp_path / f"{number}.npy"
        code, _, err = rnnlp("encode", folder, *TEXTS, "--output", file, "--pooling", pooling)
        assert code == 0, err
        vectors.append(np.load(file))
    assert np.abs(vectors[0]).max() > 0 and not vectors[1][2].any()
    np.testing.assert_allclose(*vectors, atol=1e-4)
    encoder = package.load_encoder(tmp_path / "out")
    np.testing.assert_array_equal(encoder.arrays(TEXTS, pooling=pooling), vectors[1])


@pytest.mark.parametrize("crf", [True, False])
def test_spans_without_torch_are_those_of_torch(tmp_path, crf):
    pipeline = fresh(EmbeddingConfig(size=8), crf=crf)
    pipeline.save(tmp_path / "model")
    exported = package.load(export(tmp_path / "model", tmp_path / "out"))
    sentences = [["Maria", "x", "Oslo", "Rio", "Bob", "."], ["a"], ["Bob", "Maria"], ["Oslo"] * 9]
    for own, other in zip(
        exported.marginals(sentences), pipeline.marginals(sentences), strict=True
    ):
        np.testing.assert_allclose(own, other, atol=1e-5)
        np.testing.assert_allclose(own.sum(1), 1.0, atol=1e-5)
    ours, theirs = exported.spans(sentences), pipeline.spans(sentences)
    assert any(theirs)
    for row, other in zip(ours, theirs, strict=True):
        assert [span for span, _ in row] == [span for span, _ in other]
        assert [score for _, score in row] == pytest.approx([score for _, score in other], abs=1e-5)


def test_a_text_is_drawn_with_the_numbers_of_torch(tmp_path):
    golden = GOLDEN / "generation-v1"
    exported, model = package.load(export(golden, tmp_path / "out")), package.load(golden)
    for options in ({}, {"top_k": 5}, {"top_p": 0.7, "temperature": 0.8}, {"max_length": 1}):
        for prompt in ("", "K: G"):
            wanted = model(prompt, count=5, seed=3, **{"max_length": 40, **options})
            assert exported(prompt, count=5, seed=3, **{"max_length": 40, **options}) == wanted


def test_what_int8_costs_on_data(rnnlp, tmp_path, english, corpus):
    arguments = ("export", english, "--output", tmp_path / "x", "--int8")
    code, out, err = rnnlp(*arguments, "--data", corpus / "test.conll")
    assert code == 0, err
    (line,) = [line for line in out.splitlines() if line.startswith("f1: ")]
    before, after = float(line.split()[1].rstrip(",")), float(line.split()[3])
    assert before > 0.3 and abs(after - before) < 0.05
    code, _, err = rnnlp("export", english, "--output", tmp_path / "y", "--data", "none.conll")
    assert code == 2 and "none.conll" in err and not (tmp_path / "y").exists()


@pytest.mark.parametrize("what", ["save", "export"])
def test_what_an_exported_model_cannot_do(tagger, tmp_path, what):
    with pytest.raises(InputError, match="take the model folder that it was exported from"):
        if what == "export":
            export(tagger, tmp_path / "again")
        else:
            package.load(tagger).save(tmp_path / "saved")


WITHOUT = """
import sys
for name in ("torch", "onnx", "safetensors", "datasets", "pytorch_lightning", "matplotlib"):
    sys.modules[name] = None
from rnnlp.tasks.cli.main import main
if len(sys.argv) > 2:
    assert main(["evaluate", *sys.argv[1:], "--json"]) == 0
sys.exit(main(["predict", sys.argv[1], "Maria visited Oslo."]))
"""


@pytest.mark.parametrize("task", TASKS)
def test_it_predicts_where_torch_cannot_be_imported(tmp_path, task):
    folder = export(GOLDEN / f"{task}-v1", tmp_path / "out")
    arguments = [str(folder)]
    if task in FILES:
        name, content = FILES[task]
        (tmp_path / name).write_text(content)
        arguments.append(str(tmp_path / name))
    if task == "translation":
        arguments += ["--source_column", "1", "--target_column", "2"]
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT, *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout.splitlines()[-1])["text"] == "Maria visited Oslo."


def test_no_file_of_the_model_that_lay_there_stays(tmp_path):
    target = tmp_path / "model"
    ours = shutil.ignore_patterns("expected.jsonl")  # of the tests, not of a model
    shutil.copytree(GOLDEN / "translation-v1", target, ignore=ours)
    (target / "notes.txt").write_text("mine")
    export(GOLDEN / "translation-v1", target, overwrite=True)
    export(GOLDEN / "tagging-v1", target, overwrite=True)
    fresh_one = export(GOLDEN / "tagging-v1", tmp_path / "fresh")
    names = {file.name for file in target.iterdir()}
    assert names == {file.name for file in fresh_one.iterdir()} | {"notes.txt"}
