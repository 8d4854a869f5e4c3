"""Exported folders: every task's, and what is said of those that are damaged or not ours."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from rnnlp.data.errors import InputError
from rnnlp.tasks.export import engine
from rnnlp.tasks.export.check import check_graph, checksum_of
from rnnlp.tasks.export.export import export
from rnnlp.tasks.export.format import OPERATORS

GOLDEN = Path(__file__).parents[2] / "folders"


def opened(folder):
    content = json.loads((folder / "config.json").read_text())
    graphs = engine.Graphs.read(folder, content["task"], content)
    if content["task"] == "generation":
        return engine.LanguageModel(graphs)
    if content["task"] == "translation":
        return engine.Translator(graphs)
    return engine.Reader(graphs, content["task"])


@pytest.mark.parametrize("int8", [False, True])
@pytest.mark.parametrize("golden", sorted(GOLDEN.iterdir()), ids=lambda path: path.name)
def test_every_golden_folder(tmp_path, golden, int8):
    folder = export(golden, tmp_path / "out", int8=int8)
    for file in folder.glob("*.onnx"):
        nodes = list(onnx.load(file).graph.node)
        for node in nodes:
            nodes += [inner for one in node.attribute for inner in one.g.node]
            assert node.op_type in OPERATORS[node.domain]
    opened(folder)
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
        opened(folder)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_missing_or_cut_file(copy):
    folder, _ = copy
    file = folder / "model.onnx"
    file.write_bytes(file.read_bytes()[:-100])
    assert "model.onnx: is damaged" in refused(folder)
    file.unlink()
    assert "no model.onnx" in refused(folder)


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


def test_an_input_that_is_not_ours_or_of_another_type(copy):
    folder, write = copy

    def more(model):
        model.graph.input.append(onnx.helper.make_tensor_value_info("odd", 1, [1]))

    def other(model):
        model.graph.input.pop()
        cast = [node for node in model.graph.node if node.op_type == "Identity"]
        assert cast
        model.graph.input[0].type.tensor_type.elem_type = 6

    write(more)
    assert "the input 'odd' is missing, or none of ours" in refused(folder)
    write(other)
    refused(folder)


def test_a_later_version(copy):
    folder, _ = copy
    config = json.loads((folder / "config.json").read_text())
    config["export"]["format"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    assert "format 2" in refused(folder) and "upgrade" in refused(folder)


def test_every_byte_may_be_wrong(tagger, tmp_path):
    """No byte of a graph, changed, gives anything but one clear line."""
    content = (tagger / "model.onnx").read_bytes()
    numbers = np.random.default_rng(1)
    for _ in range(150):
        changed = bytearray(content)
        changed[numbers.integers(0, len(content))] = numbers.integers(0, 256)
        (tmp_path / "model.onnx").write_bytes(changed)
        graphs = engine.Graphs(tmp_path, {"model.onnx": checksum_of(bytes(changed))})
        try:
            engine.Reader(graphs, "tagging")
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


def test_the_engine_imports_neither_torch_nor_onnx(tagger):
    code = (
        "import sys, json, pathlib\n"
        "sys.modules['torch'] = sys.modules['onnx'] = None\n"
        "from rnnlp.tasks.export import engine\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "content = json.loads((folder / 'config.json').read_text())\n"
        "graphs = engine.Graphs.read(folder, 'tagging', content)\n"
        "print(engine.Reader(graphs, 'tagging').path_scores()[0].shape)\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(tagger)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
