"""`rnnlp.export`: a model folder as an exported one, which runs without torch."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import version
from pathlib import Path

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import SHORTLIST_FILE
from rnnlp.tasks.model_folder.atomic import exclusive
from rnnlp.tasks.model_folder.files import as_json, check_files
from rnnlp.tasks.model_folder.folder import (
    CARD,
    CONFIG,
    EXPORTED,
    PUBLISHED,
    TOKENIZERS,
    holds_model,
    new_content,
    open_folder,
)
from rnnlp.tasks.model_folder.versions import FORMAT_VERSION, rnnlp_version
from rnnlp.tasks.registry import pipeline_of
from rnnlp.tasks.runtime.check import checksum_of
from rnnlp.tasks.runtime.format import FORMAT, GRAPHS, INSTALL, MORE, OPSET

# What may lie where an exported model is written: of a model folder, or of another export.
_REPLACED = {
    *PUBLISHED,
    *(name for some in (GRAPHS, MORE) for names in some.values() for name in names),
}

_CARD = """\
# An exported model for {task}

Written by rnnlp {version} from a model folder, for ONNX Runtime, {weights}. Python:
`rnnlp.load("this folder")`. Elsewhere: the graphs below, and vocabularies for the library
`tokenizers` in `*.json`. Ids are int64, 0 is padding; `lengths` are at least 1.

{graphs}
"""


def export(
    model: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    int8: bool = False,
    overwrite: bool = False,
) -> Path:
    """Writes a model for ONNX Runtime.

    Args:
        model: A model folder, or a hub id.
        output: The folder to write.
        int8: Whether weights are kept in 8 bits and products taken in them: about a third of the
            size; scores differ a little, and hang a little on what is in the same batch.
            Characters of words and the layer before the labels stay in float.
        overwrite: Whether a model that lies there already is replaced.

    Returns:
        The folder.

    Raises:
        InputError: There is no such model, or it cannot be exported.
    """
    try:
        from .networks import NETWORKS
    except ImportError as error:
        if error.name != "onnx":
            raise
        raise InputError(f"exporting needs the package onnx: {INSTALL}") from error
    folder, target = open_folder(model), Path(output)
    folder.check_weights()
    if folder.task not in NETWORKS:
        raise InputError(
            f"is a model for {folder.task}; {', '.join(NETWORKS)} can be exported", path=str(model)
        )
    if folder.config.get("columns"):
        raise InputError(
            "reads columns beside the text, which graphs do not: it cannot be exported",
            path=str(model),
        )
    if holds_model(target) and not overwrite:
        raise InputError(
            "holds a model already: choose another --output, or replace it with --overwrite",
            path=str(target),
        )
    if target.exists() and target.resolve() == folder.path.resolve():
        raise InputError("is the model itself: choose another --output", path=str(target))
    check_files(folder.path, TOKENIZERS)
    more = {"shortlist": True} if (folder.path / SHORTLIST_FILE).exists() else {}
    graphs = NETWORKS[folder.task](pipeline_of(folder).network, int8=int8, **more)
    files = {name: graph.SerializeToString() for name, graph in graphs.items()}
    config = {
        "format_version": FORMAT_VERSION,
        "task": folder.task,
        "model": folder.config,
        "engine": EXPORTED,
        "export": {
            "format": FORMAT,
            "opset": OPSET,
            "int8": int8,
            "versions": {"rnnlp": rnnlp_version(), "onnx": version("onnx")},
            "graphs": {name: checksum_of(content) for name, content in files.items()},
        },
    }
    card = _CARD.format(
        task=folder.task,
        version=rnnlp_version(),
        weights="weights in 8 bits" if int8 else "weights in float",
        graphs="\n\n".join(_described(name, graph) for name, graph in graphs.items()),
    )
    with exclusive(target), new_content(target, replaces=_REPLACED) as new:
        for name, content in files.items():
            (new / name).write_bytes(content)
        for name in TOKENIZERS:
            if (folder.path / name).exists():
                shutil.copyfile(folder.path / name, new / name)
        (new / CARD).write_text(card, encoding="utf-8")
        (new / CONFIG).write_text(as_json(config, indent=2) + "\n", encoding="utf-8")
    return target


def _described(name: str, model: object) -> str:
    """Inputs and outputs of a graph as a list."""
    graph = model.graph  # type: ignore[attr-defined]

    def line(one: object) -> str:
        tensor = one.type.tensor_type  # type: ignore[attr-defined]
        shape = ", ".join(d.dim_param or str(d.dim_value) for d in tensor.shape.dim)
        kind = "float" if tensor.elem_type == 1 else "int64"
        return f"`{one.name}` {kind} [{shape}]"  # type: ignore[attr-defined]

    ends = (("in", graph.input), ("out", graph.output))
    lists = [f"- {end}: {', '.join(map(line, values))}" for end, values in ends]
    return "\n".join([f"`{name}`", "", *lists])
