"""The search: Optuna proposes values, `fit` trains with them, the validation score decides.

Trials run one after the other, or in several processes; machines share one study by the same
`--storage`. The test data are never looked at: only validation scores are read.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch

from rnnlp.data.errors import InputError, counted, note
from rnnlp.tasks.base.own_parts import PLUGINS, load_plugins
from rnnlp.tasks.compare.worker import main_score
from rnnlp.tasks.fit.config_files import find_configs, find_task, is_shipped
from rnnlp.tasks.fit.lightning_cli import FitCommand, FitRequest, build
from rnnlp.tasks.fit.run import as_arguments, run_fit
from rnnlp.tasks.model_folder.atomic import exclusive, remove
from rnnlp.tasks.model_folder.files import read_json
from rnnlp.tasks.model_folder.folder import METRICS
from rnnlp.tasks.runtime.cores import check_parallel

from .report import write_results
from .space import Space, read_space, shipped_space
from .study import (
    WHY,
    check_plan,
    completed,
    drop_unfinished,
    open_study,
    optuna,
    suggest,
    taken,
)

JOURNAL, CHANCE = "study.journal", "chance"

# What makes a trial a failed one, which counts: values that do not go together, or are too large.
FAILURES = (InputError, MemoryError, torch.OutOfMemoryError)


class OutOfTime(Exception):
    """The budget of the search is spent."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What every process of a search is told.

    Args:
        fit: What `fit` would be asked for; its output is the folder of the search.
        space: What is tried.
        trials: How many trials the study has at most.
        seeds: How many other seeds the best and the given config are trained with at the end.
        end: When the time is over, in seconds since the epoch; None for no limit.
        storage: Where the study is.
        shared: Whether other processes may work on it.
        score: The score that decides, as `metrics.json` names it.
        higher: Whether more of it is better.
        threads: Of torch, in each process; None for as many as it takes.
    """

    fit: FitRequest
    space: Space
    trials: int
    seeds: int
    end: float | None
    storage: str
    shared: bool
    score: str
    higher: bool
    threads: int | None = None

    def study(self) -> Any:
        """The study, opened in this process."""
        seed = None if self.shared else 1
        return open_study(self.storage, name=self.fit.output.name, higher=self.higher, seed=seed)


class Watch(pl.Callback):
    """Ends a run when its time is over, and a trial where Optuna sees no hope for it.

    Args:
        end: When the time is over, in seconds since the epoch; None for no limit.
        trial: The trial; None for a run that is no trial.
    """

    def __init__(self, end: float | None, trial: Any = None) -> None:
        self.end, self.trial = end, trial

    def on_train_batch_end(self, *what: Any) -> None:
        """Looks at the clock."""
        if self.end is not None and time.time() > self.end:
            raise OutOfTime

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Reports the score of the epoch."""
        score = trainer.callback_metrics.get(str(pl_module.monitor))
        if self.trial is not None and score is not None and not trainer.sanity_checking:
            self.trial.report(float(score), trainer.current_epoch)
            if self.trial.should_prune():
                raise optuna.TrialPruned


def tune(
    config: str | os.PathLike[str],
    *,
    space: str | os.PathLike[str] | None = None,
    trials: int = 20,
    minutes: float | None = None,
    seeds: int = 3,
    workers: int = 1,
    storage: str | None = None,
    output: str | os.PathLike[str] | None = None,
    resume: bool = False,
    arguments: Sequence[str] = (),
    plugins: Sequence[str] = (),
    command: str = "rnnlp.tune(…)",
) -> dict[str, Any]:
    """Searches, trains the best with other seeds beside the given config, and reports.

    Args:
        config: The name of a shipped config, or a YAML file.
        space: The file of the search space; that of the task if not given.
        trials: How many trials the study has at most.
        minutes: What all may take, re-runs included; None for no limit.
        seeds: How many other seeds the best and the given config are trained with.
        workers: How many processes work on trials.
        storage: A database's URL, or a file, by which machines share the study named like the
            output folder; a file in that folder if not given.
        output: The folder of the search; `runs/tune-` and the config's name if not given.
        resume: Whether to go on with the study in the folder.
        arguments: Settings as on the command line, such as "--data.train=train.conll".
        plugins: Modules and files of the user's that are run first.
        command: What asked for it, to stand in the report.

    Returns:
        What `results.json` holds.

    Raises:
        InputError: The settings or the space are wrong, a study is there and not resumed, or it is
            of other settings or data.
    """
    load_plugins(plugins)
    check_parallel(workers, "--workers")
    if trials < 1 or seeds < 0 or (minutes is not None and minutes <= 0):
        raise InputError("--trials is 1 or more, --seeds 0 or more, --minutes above 0")
    end = None if minutes is None else time.time() + 60 * minutes
    files = find_configs([os.fspath(config)])
    task = find_task(files)
    folder = Path(output) if output else Path("runs") / f"tune-{files[-1].stem}"
    with exclusive(folder):
        journal = folder / JOURNAL
        if storage is None and resume != journal.exists():
            if resume:
                raise InputError("nothing to resume: no study lies here", path=journal)
            raise InputError("holds a study already: go on with --resume", path=journal)
        fit = FitRequest(
            task=task, configs=files, arguments=list(arguments), output=folder, resume=False,
            overwrite=False,
        )  # fmt: skip
        built = build(fit)
        known = {action.dest for action in built.parser._actions} | set(built.config.keys())
        values = read_space(Path(space) if space else shipped_space(task), known)
        search = Search(
            fit=fit, space=values, trials=trials, seeds=seeds, end=end,
            storage=storage or str(journal), shared=storage is not None or workers > 1,
            score=main_score(built.model), higher=bool(built.model.higher_is_better),
        )  # fmt: skip
        study = search.study()
        plan = {
            "space": values,
            "settings": built.resume_point.settings,
            "data": built.resume_point.fingerprint,
        }
        check_plan(study, plan, path=search.storage)
        if storage is None:
            drop_unfinished(study)
        elif study.trials:
            note(f"joins the study {folder.name}, which has {counted(len(study.trials), 'trial')}")
        del built  # and the data that it holds
        try:
            run_trials(search, workers)
            if not completed(study):
                whys = [trial.user_attrs[WHY] for trial in study.trials if WHY in trial.user_attrs]
                raise InputError(
                    "no trial came to its end: "
                    + (whys[-1] if whys else "give more --trials or --minutes")
                )
            chance = run_others(search, study)
        except KeyboardInterrupt:
            note("stopped: go on with the same command" + " and --resume" * (storage is None))
            raise
        base = files[-1].stem if is_shipped(files[-1]) else str(files[-1].resolve())
        return write_results(
            folder, study, score=search.score, chance=chance, base=base, command=command
        )


def run_trials(search: Search, workers: int) -> None:
    """Runs what trials are left, in this process or in several."""
    workers = min(workers, search.trials - taken(search.study()))
    if workers < 2:
        work(search)
        return
    own = replace(search, threads=max(1, torch.get_num_threads() // workers))
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=work_alone, args=(own, PLUGINS)) for _ in range(workers)]
    for process in processes:
        process.start()
    try:
        try:
            for process in processes:
                process.join()
        except KeyboardInterrupt:  # they have it as well, and end their steps
            for process in processes:
                process.join()
            raise
    finally:
        for process in processes:
            process.kill()
    if odd := sum(process.exitcode != 0 for process in processes):
        note(f"{odd} of {workers} workers ended early")


def work_alone(search: Search, plugins: Sequence[str]) -> None:
    """Works on trials in a process of its own."""
    try:
        load_plugins(plugins)
        torch.set_num_threads(search.threads or 1)
        work(search)
    except InputError as error:
        print(f"rnnlp: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)


def work(search: Search) -> None:
    """Runs trials, one after the other, until there are enough or the time is over."""
    study = search.study()

    def objective(trial: Any) -> float:
        folder = search.fit.output / "trials" / str(trial.number)
        arguments = as_arguments(suggest(trial, search.space))
        try:
            return fitted(search, arguments, folder, 1, Watch(end, trial))
        except FAILURES as error:
            why = " ".join(str(error).split()) or type(error).__name__
            trial.set_user_attr(WHY, why)
            note(f"trial {trial.number} failed ({' '.join(arguments)}): {why}")
            raise
        finally:
            remove(folder)  # the best is trained again, with other seeds

    while taken(study) < search.trials:
        end = end_of_trials(search, study)
        if end is not None and time.time() >= end:
            note(f"--minutes: {taken(study)} of {search.trials} trials")
            return
        try:
            study.optimize(objective, n_trials=1, catch=FAILURES)
        except OutOfTime:
            note("--minutes: the trial that was running does not count")


def end_of_trials(search: Search, study: Any) -> float | None:
    """When the trials have to end, so that the runs with other seeds can still be made."""
    if search.end is None:
        return None
    took = [trial.duration.total_seconds() for trial in completed(study)]
    return search.end - 2 * search.seeds * (sum(took) / len(took) if took else 0.0)


def run_others(search: Search, study: Any) -> dict[str, list[float]]:
    """Trains the given and the best config with other seeds; the study keeps the scores.

    Returns:
        The scores of `given` and `best`, as many as there was time for.
    """
    best = study.best_trial
    runs = {"given": ("given", {}), "best": (f"trial-{best.number}", best.params)}
    scores: dict[str, list[float]] = {name: [] for name in runs}
    for seed in range(2, search.seeds + 2):  # trials have seed 1
        for name, (run, values) in runs.items():
            folder = search.fit.output / CHANCE / f"{run}-{seed}"
            score = study.user_attrs.get(folder.name)
            if score is None:
                try:
                    score = fitted(search, as_arguments(values), folder, seed, Watch(search.end))
                except OutOfTime:
                    note(f"--minutes: no time for {folder.name} and what comes after it")
                    return scores
                study.set_user_attr(folder.name, score)
            scores[name].append(score)
    return scores


def fitted(
    search: Search, arguments: Sequence[str], folder: Path, seed: int, watch: Watch
) -> float:
    """Trains with these settings more, and gives the validation score of what was kept.

    Args:
        search: What every process is told.
        arguments: The settings, as on the command line.
        folder: The model folder.
        seed: Of the run.
        watch: Ends it early.
    """
    more = [*search.fit.arguments, *arguments, f"--seed_everything={seed}"]
    fit = replace(search.fit, arguments=more, output=folder, overwrite=True, callbacks=[watch])
    try:
        run_fit(fit, then=refuse_half)
    except BaseException:
        remove(folder)
        raise
    score = float(read_json(folder / METRICS)["validation"][search.score])
    print(f"{folder.name}: {search.score} {score:.4f} {' '.join(arguments)}", file=sys.stderr)
    return score


def refuse_half(command: FitCommand) -> None:
    """A run that Ctrl-C has ended says nothing of its settings."""
    if command.stop.asked:
        raise KeyboardInterrupt
