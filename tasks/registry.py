"""The tasks: one `TaskSpec` a task says all that the verbs ask about it.

The only file that names task rooms. It does so in strings, so that using a model never imports what
training needs. Tasks of other packages are rows like these: by an entry point of the group
`rnnlp.tasks`, or by `register_task` in a file named by `--plugin`.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.options import Option
from rnnlp.tasks.base.own_parts import attribute, find_parts
from rnnlp.tasks.model_folder.folder import CONFIG, ModelFolder


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """A task; places in code are written `module:attribute` and looked up when they are needed.

    Args:
        name: What a config has under `task`.
        module: The LightningModule, a `TaskModule`.
        data: The LightningDataModule.
        pipeline: What uses a trained model; it has `from_folder`.
        evaluation: A function `(pipeline, path, format=…, **options)` that gives the scores, the
            policy by which they were counted, and notes; None where each head is scored alone.
        score_lines: A function `(scores, policy)` that lays the scores out as lines for people.
        options: A module with the `EVALUATE`, `PREDICT` and `STREAM` options; None for none.
        unit: What an example is called.
        heads: The tasks that a model for several tasks answers to, attributes of its pipeline.
        comparable: Whether `compare` can train it with every cell.
    """

    name: str
    module: str
    data: str
    pipeline: str
    evaluation: str | None
    score_lines: str
    options: str | None = None
    unit: str = "texts"
    heads: tuple[str, ...] = ()
    comparable: bool = True


def _row(name: str, *, scored: bool = True, **more: Any) -> TaskSpec:
    """A task of ours, whose rooms and classes are called after it.

    Args:
        name: Its name.
        scored: Whether it has an evaluation of its own.
        more: What else its row says.
    """
    room, title = f"rnnlp.tasks.{name}", name.title()
    return TaskSpec(
        name=name,
        module=f"{room}.module:{title}",
        data=f"rnnlp.data.{name}.datamodule:{title}Data",
        pipeline=f"{room}.pipeline:{title}Pipeline",
        evaluation=f"{room}.evaluation:evaluate_{name}" if scored else None,
        score_lines=f"{room}.scores:score_lines",
        options=f"{room}.options",
        **more,
    )


_SPECS = {
    spec.name: spec
    for spec in (
        _row("tagging", unit="sentences"),
        _row("classification"),
        _row("translation", unit="sentences"),
        _row("generation"),
        _row("joint", scored=False, heads=("tagging", "classification"), comparable=False),
    )
}


def register_task(spec: TaskSpec) -> None:
    """Adds a task, such as one from a user's own file.

    Raises:
        ValueError: Another task has the name.
    """
    if _SPECS.setdefault(spec.name, spec) != spec:
        raise ValueError(f"there is a task {spec.name!r} already: choose another name")


def task_specs() -> list[TaskSpec]:
    """All tasks, those of installed packages among them."""
    _entry_points()
    return list(_SPECS.values())


def task_spec(name: str) -> TaskSpec:
    """The task of this name.

    Raises:
        InputError: There is none.
    """
    if name not in _SPECS:
        _entry_points()
    if name not in _SPECS:
        raise InputError(
            f"unknown task {name!r}: there are {', '.join(_SPECS)}; --plugin names the file of one "
            "of your own"
        )
    return _SPECS[name]


@cache
def _entry_points() -> None:
    for entry in metadata.entry_points(group="rnnlp.tasks"):
        register_task(entry.load())


def options_of(kind: str) -> dict[str, Sequence[Option]]:
    """The options of every task for a verb.

    Args:
        kind: "EVALUATE", "PREDICT" or "STREAM".
    """
    return {
        spec.name: getattr(importlib.import_module(spec.options), kind) if spec.options else ()
        for spec in task_specs()
    }


def pipeline_of(folder: ModelFolder) -> Any:
    """The trained model of a folder, ready for use.

    Raises:
        InputError: A model for a task that there is not.
    """
    try:
        spec = task_spec(folder.task)
    except InputError as error:
        raise InputError(
            f"is a model for the task {folder.task!r}, which this rnnlp does not know: upgrade it, "
            "or name the file of the task with --plugin",
            path=str(folder.path / CONFIG),
        ) from error
    find_parts(folder.config, source=str(folder.path / CONFIG))
    return attribute(spec.pipeline).from_folder(folder)


def head_of(pipeline: Any, task: str | None) -> Any:
    """What a model has for one task: of a model for several tasks a head, of any other the whole.

    Raises:
        InputError: It is not for that task, or is for several and none is named.
    """
    heads = task_spec(pipeline.task).heads
    if task in heads:
        return getattr(pipeline, task)
    if heads and task is None:
        raise InputError(
            f"this model is for {' and for '.join(heads)}: say with --task which of them is to be "
            "scored"
        )
    if task in (None, pipeline.task):
        return pipeline
    raise InputError(f"this model is for {pipeline.task}, not for {task}")
