"""Distilling: the teacher labels texts, and `fit` trains a student on them.

The labelled texts stay beside the student's folder, as `DIR.teacher.jsonl`: they can be read,
mended, and trained on again without the teacher. How the user's own files are read is in
`student_files.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from rnnlp.data.errors import InputError, note
from rnnlp.tasks.base.processes import is_first
from rnnlp.tasks.fit.config_files import find_configs, find_task
from rnnlp.tasks.fit.lightning_cli import FitRequest
from rnnlp.tasks.fit.run import as_arguments, run_fit
from rnnlp.tasks.inference.load import load
from rnnlp.tasks.model_folder.atomic import write_atomically
from rnnlp.tasks.model_folder.files import as_json
from rnnlp.tasks.model_folder.folder import CONFIG, holds_model

from .labelled import sentence_rows, text_rows
from .student_files import GROUP, StudentFiles
from .teacher import Teacher, command_teacher, rows_of, tagging_teacher

TASKS = ("classification", "tagging", "translation")


def distil(
    teachers: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    unlabelled: Iterable[str],
    config: str | Sequence[str],
    *,
    output: str | os.PathLike[str],
    command: str | None = None,
    train: str | None = None,
    hard_share: float = 0.5,
    overwrite: bool = False,
    arguments: Sequence[str] = (),
    **settings: Any,
) -> Any:
    """Trains a student on what a teacher says of texts.

        rnnlp.distil("runs/big", texts, "sentiment", output="runs/small")

    Args:
        teachers: A model folder; of several the mean teaches; `()` where a program does.
        unlabelled: The texts; none at all where there are labelled ones.
        config: The student's config, or several, as for `fit`.
        output: The student's folder; what the teacher said lies beside it.
        command: A program that teaches in place of models; see `command_teacher`.
        train: Labelled texts that are trained on as well, of a classifier, or of a tagger whom
            models teach: with the share `hard_share` on their labels, with the rest on what the
            teacher says of them.
        hard_share: That share.
        overwrite: Whether a model in the folder may be replaced.
        arguments: Further settings, as on the command line of `fit`.
        settings: Further settings by section, as for `fit`: `data={…}`, `model={…}`.

    Returns:
        The student, as `rnnlp.load` gives it; None of a dry run, and in processes beside the first.

    Raises:
        InputError: The teacher cannot teach this task, or there is nothing to learn from.
    """
    output = Path(output)
    listed = [teachers] if isinstance(teachers, str | os.PathLike) else teachers
    models = [os.fspath(model) for model in listed]
    if bool(models) == (command is not None):
        raise InputError("who teaches? Give model folders, or --teacher_command, one of the two")
    if not 0.0 <= hard_share <= 1.0:
        raise InputError(f"--hard_share is {hard_share}: it must be from 0 to 1")
    names = [config] if isinstance(config, str) else list(config)
    files = find_configs(names, task=None, resumed=None)
    task = find_task(files, task=None)
    if task not in TASKS:
        raise InputError(f"models for {task} cannot be distilled: only {', '.join(TASKS)}")
    if train is not None and (task == "translation" or (task == "tagging" and command is not None)):
        raise InputError(
            "--data.train is for classification, and for tagging by models: leave it out, and give "
            "the texts as --unlabelled"
        )
    pipeline = _models(models, task) if command is None else None
    labels = output.with_name(f"{output.name}.teacher.jsonl")
    own = [*_as_taught(pipeline), *arguments, *as_arguments(settings)]
    request = FitRequest(
        task=task,
        configs=files,
        arguments=[*own, f"--data.train={train}"] if train is not None else own,
        output=output,
        resume=False,
        overwrite=overwrite,
    )
    student = StudentFiles(request, teacher=pipeline)
    anew = {split: output.with_name(f"{output.name}.{split}.jsonl") for split in student.rewritten}
    if is_first():  # other processes find what it has written
        if holds_model(output) and not overwrite:
            raise InputError("holds a model already: name another --output, or add --overwrite",
                             path=str(output))  # fmt: skip
        teacher = _taught_by(pipeline) if command is None else command_teacher(command)
        texts = [text for text in unlabelled if text.strip()]
        gold: Sequence[Any] = ()
        rows = rows_of(teacher(texts))
        if train is not None:
            gold = student.gold("train")
            rows = chain(
                rows,
                sentence_rows(gold, pipeline, hard_share=hard_share)
                if task == "tagging"
                else text_rows(gold, teacher, hard_share=hard_share),
            )
        if not texts and not gold:
            raise InputError("--unlabelled holds no text")
        labels.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(labels, lambda part: _write(rows, part, grouped=student.grouped))
        parts = [f"{len(texts):,} texts labelled by the teacher"] if texts else []
        if gold:
            parts.append(f"{len(gold):,} of {train} with {hard_share:g} of their label")
        note(f"{', and '.join(parts)}: {labels}")
        for split, path in anew.items():
            write_atomically(path, partial(_write, student.rows(split)))
            note(f"{split}: {student.settings[split]}, written as {path}")
    files_of_student = {"train": labels, **anew, **student.plain}
    run_fit(replace(request, arguments=[*own, *as_arguments({"data": files_of_student})]))
    return load(output) if is_first() and (output / CONFIG).exists() else None


def _models(teachers: Sequence[str], task: str) -> Any:
    """The models that teach, as one."""
    pipeline = load(list(teachers))
    if pipeline.task != task:
        raise InputError(
            f"is a model for {pipeline.task}, and the config for {task}", path=teachers[0]
        )
    pipeline.check_reads_texts(teachers[0], what="distil")
    return pipeline


def _taught_by(pipeline: Any) -> Teacher:
    """What models say of texts."""
    if pipeline.task == "tagging":
        return tagging_teacher(pipeline)
    teach: Teacher = pipeline.predict
    return teach


def _as_taught(pipeline: Any) -> list[str]:
    """Settings by which a student reads as its teacher does, unless it is told otherwise."""
    if pipeline is None or pipeline.task != "tagging":
        return []
    scheme = pipeline.settings.scheme
    level = [f"--data.level={pipeline.featurizer.level}"]
    return level if scheme is None else [*level, f"--data.scheme={scheme}"]


def _write(rows: Iterable[Mapping[str, Any]], path: Path, *, grouped: bool = False) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            own = {GROUP: None, **row} if grouped else {k: row[k] for k in row if k != GROUP}
            file.write(as_json(own) + "\n")
