"""Training a model: Lightning's trainer for the loop, and what stands around it (refusing to
overwrite, resuming, the notes on the data, writing the folder).

`tasks/cli/fit.py` calls it; `lightning_cli.py` reads the settings, `model_writer.py` writes the
folder, and `checkpoints.py` has what happens in between.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnlp.data.datamodule.samplers import WHOLE
from rnnlp.data.errors import InputError, note
from rnnlp.tasks.base.processes import is_first
from rnnlp.tasks.inference.load import load
from rnnlp.tasks.model_folder.atomic import remove_leftovers, write_text
from rnnlp.tasks.model_folder.files import read_json
from rnnlp.tasks.model_folder.folder import CHECKPOINTS, CONFIG, METRICS, TRAINING, clear_folder

from .checkpoints import Diverged, is_dry_run
from .config_files import find_configs, find_task
from .lightning_cli import LAST, FitCommand, FitRequest, build
from .model_writer import finish
from .resume import check_resume


def fit(
    config: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    *,
    task: str | None = None,
    output: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: bool = False,
    seeds: int | None = None,
    unlabelled: Sequence[str | os.PathLike[str]] | None = None,
    **settings: Any,
) -> Any:
    """Trains a model, writes its folder, and gives it back, ready for use.

        rnnlp.fit("ner", output="runs/mine", data={"train": "train.conll"})

    Args:
        config: The name of a shipped config, or a YAML file; of several, later ones win.
        task: The task, where no config names it.
        output: The model folder; `runs/` and the name of the config if not given.
        overwrite: Whether a model in it may be replaced.
        resume: Whether to go on from the last checkpoint in it.
        seeds: How many times to train, from other seeds; see `repeated.py`.
        unlabelled: Files or folders of texts without labels: language models read the training
            texts and them first, and the encoder begins as theirs; [] for the training texts alone,
            None for no language models. See `pretraining.py`.
        settings: Settings by section, as in a config: `data={…}`, `model={…}`, `trainer={…}`.

    Returns:
        The pipeline of the trained model, as `rnnlp.load` gives it; of several runs a list.

    Raises:
        InputError: The settings or the data are wrong, or the folder holds a model.
    """
    names = [config] if isinstance(config, str | os.PathLike) else list(config)
    folder = None if output is None else Path(output)
    files = find_configs(
        [os.fspath(name) for name in names], task=task, resumed=folder if resume else None
    )
    task = find_task(files, task=task)
    request = FitRequest(
        task=task,
        configs=files,
        arguments=as_arguments(settings),
        output=folder or Path("runs") / (files[-1].stem if files else task),
        resume=resume,
        overwrite=overwrite,
    )
    from .pretraining import pretrained
    from .repeated import run_repeated, runs_of

    texts = None if unlabelled is None else [os.fspath(path) for path in unlabelled]
    request = pretrained(request, texts)
    if runs := runs_of(request, seeds=seeds):
        run_repeated(request, runs)
        return [load(request.output / run.name) for run in runs]
    run_fit(request)
    return load(request.output)


def as_arguments(settings: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Settings as they are written on the command line: `--data.train=train.conll`."""
    arguments = []
    for name, value in settings.items():
        if isinstance(value, Mapping) and value:
            arguments += as_arguments(value, f"{prefix}{name}.")
        else:
            if isinstance(value, os.PathLike):
                value = os.fspath(value)
            plain = value if isinstance(value, str) else json.dumps(value, default=_as_plain)
            arguments.append(f"--{prefix}{name}={plain}")
    return arguments


def _as_plain(value: Any) -> Any:
    """A path, or a number or an array of numpy, as JSON knows it."""
    return value.tolist() if hasattr(value, "tolist") else os.fspath(value)


def run_fit(
    request: FitRequest,
    *,
    then: Callable[[FitCommand], object] | None = None,
    alone: bool = True,
) -> int:
    """Trains and writes the model folder.

    Args:
        request: What is asked for.
        then: Called where a folder was written.
        alone: Whether no other training follows, which Ctrl-C would have to stop as well.

    Raises:
        InputError: The settings or the data are wrong, or the folder holds a model.
        KeyboardInterrupt: Ctrl-C at once, or in one training of several.
    """
    started = time.perf_counter()
    with ExitStack() as held:
        if not is_first():  # one speaks for all
            silence = held.enter_context(open(os.devnull, "w"))
            held.enter_context(redirect_stdout(silence))
            held.enter_context(redirect_stderr(silence))
        command = build(request, held)
        written = _run(command, started)
        if command.stop.asked and not alone:
            note(f"stopped in {request.output}, and what is done is kept: go on with --resume")
            raise KeyboardInterrupt
        if written and then is not None:
            then(command)
    return 0


def run_part(request: FitRequest, *, then: Callable[[FitCommand], object] | None = None) -> None:
    """One training of several; with `resume`, one that has come to its end is kept as it is.

    It must have been made with the same data and settings. Where settings are others that may be,
    such as more epochs, it goes on; and so does one that Ctrl-C or a crash has ended.

    Args:
        request: What is asked for.
        then: Called where there is a folder now.

    Raises:
        InputError: As `run_fit`; or the training there is another one.
        KeyboardInterrupt: As `run_fit`.
    """
    output = request.output
    made = (CONFIG, METRICS, f"{CHECKPOINTS}/{LAST}")
    if request.resume and not any((output / name).exists() for name in made):
        request = replace(request, resume=False, overwrite=True)  # it has hardly begun
    done = request.resume and (output / CONFIG).exists()
    if done and not read_json(output / METRICS).get("interrupted"):
        command = build(request)
        if not check_resume(command.resume_point):
            note(f"{output} is there already")
            if then is not None:
                then(command)
            return
    run_fit(request, then=then, alone=False)


def _run(command: FitCommand, started: float) -> bool:
    """Trains; says whether a folder was written."""
    request = command.request
    model, data, trainer = command.model, command.datamodule, command.trainer
    checkpoint = command.resume_point.path if request.resume else None
    changes = check_resume(command.resume_point) if request.resume else []
    for line in [*data.notes, *command.reuse_notes, *changes]:
        note(line)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(
        f"training {request.task} with {count:,} parameters; output {request.output}",
        file=sys.stderr,
    )
    if trainer.world_size > 1:
        note(
            f"{trainer.world_size} processes: each has up to data.max_tokens of every batch, so a "
            f"step learns from {trainer.world_size} times as much"
        )
    dry = is_dry_run(trainer)
    if not dry and trainer.is_global_zero:
        prepare_folder(request, command.resolved_config())
        for logger in command.loggers:
            logger.log_hyperparams(command.resume_point.settings)
    try:
        with command.stop:
            trainer.fit(model, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit as error:  # how Lightning passes a second Ctrl-C on
        raise KeyboardInterrupt from error
    except RuntimeError as error:
        if trainer.world_size > 1 and re.search("gloo|NCCL|peer|Broken pipe", str(error)):
            raise InputError(
                "another process of this training has ended: go on with --resume"
            ) from error
        raise
    except Diverged as error:
        if not trainer.is_global_zero:
            return False
        advice = "lower model.optimizer.learning_rate or trainer.gradient_clip_val"
        if command.best.score is None:
            raise InputError(f"{error}, and nothing was learned before: {advice}") from error
        note(f"{error}; the best weights before that are kept: {advice}")
    else:
        if trainer.interrupted:
            raise KeyboardInterrupt
    if not trainer.is_global_zero:
        return False
    data.deal(WHOLE)
    if dry:
        print("fast_dev_run: nothing was written", file=sys.stderr)
        return False
    finish(command, seconds=time.perf_counter() - started)
    return True


def prepare_folder(request: FitRequest, config: str) -> None:
    """Makes the output folder, empty of an earlier model, and notes the settings for `--resume`."""
    if request.overwrite:
        clear_folder(request.output)
    checkpoints = request.output / CHECKPOINTS
    checkpoints.mkdir(parents=True, exist_ok=True)
    for folder in (request.output, checkpoints):
        remove_leftovers(folder)
    write_text(checkpoints / TRAINING, config)
