"""The search: Optuna proposes values, `fit` trains with them, the validation score decides.

Trials run in this process one after the other; several processes or machines share one study by
the same `--storage`. The test data are never looked at: only validation scores are read.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import yaml

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.ratios import mean_and_spread
from rnnlp.tasks.compare.worker import main_score
from rnnlp.tasks.fit.lightning_cli import FitRequest, build
from rnnlp.tasks.fit.run import as_arguments, run_fit
from rnnlp.tasks.model_folder.atomic import remove, write_atomically
from rnnlp.tasks.model_folder.files import as_json, read_json
from rnnlp.tasks.model_folder.folder import METRICS
from rnnlp.tasks.reporting.report import Section, Table, write_report

from .space import Range, Space, read_space

try:
    import optuna
except ImportError as error:
    raise InputError("rnnlp tune needs Optuna: pip install 'rnnlp[tune]'") from error

JOURNAL, BEST, RESULTS = "study.journal", "best.yaml", "results.json"


@dataclass(frozen=True, kw_only=True)
class TuneRequest:
    """What `rnnlp tune` was asked to do.

    Args:
        fit: What `fit` would be asked for; its output is the folder of the search.
        base: The config that the best one is laid over, a name or a path.
        space: The file of the search space.
        trials: How many trials the study has at most.
        minutes: Time after which no trial is begun; None for no limit.
        seeds: How many other seeds the best and the given config are trained with.
        storage: URL of a database that holds the study; None for a file in the output folder.
        resume: Whether to go on with a study that is there.
        command: The command line, to stand in the report.
    """

    fit: FitRequest
    base: str
    space: Path
    trials: int
    minutes: float | None
    seeds: int
    storage: str | None
    resume: bool
    command: str


class Pruning(pl.Callback):
    """Tells a trial its validation scores, and ends it where Optuna sees no hope."""

    def __init__(self, trial: Any) -> None:
        self.trial = trial

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Reports the score of the epoch."""
        score = trainer.callback_metrics.get(str(pl_module.monitor))
        if score is not None and not trainer.sanity_checking:
            self.trial.report(float(score), trainer.current_epoch)
            if self.trial.should_prune():
                raise optuna.TrialPruned


def tune(request: TuneRequest) -> dict[str, Any]:
    """Searches, trains the best with other seeds beside the given config, and reports.

    Raises:
        InputError: The settings or the space are wrong, or a study is there and not resumed.
    """
    output = request.fit.output
    command = build(request.fit)
    known = {action.dest for action in command.parser._actions}
    space = read_space(request.space, known | set(command.config.keys()))
    score, higher = main_score(command.model), bool(command.model.higher_is_better)
    study = open_study(request, higher)
    done = [trial for trial in study.trials if trial.state.is_finished()]

    def objective(trial: Any) -> float:
        folder = output / "trials" / str(trial.number)
        arguments = as_arguments(suggest(trial, space))
        try:
            return fitted(request.fit, arguments, folder, 1, score, [Pruning(trial)])
        finally:
            remove(folder)  # the best is trained again, with other seeds

    left = request.trials - len(done)
    if left > 0:
        seconds = None if request.minutes is None else 60 * request.minutes
        study.optimize(objective, n_trials=left, timeout=seconds)
    states = optuna.trial.TrialState
    if not study.get_trials(deepcopy=False, states=(states.COMPLETE,)):
        raise InputError("no trial came to its end: give more --trials or --minutes")
    write_best(request, study.best_params)
    chance: dict[str, list[float]] = {"given": [], "best": []}
    best = study.best_trial
    for seed in range(2, request.seeds + 2):  # trials have seed 1
        for name, run, values in (
            ("given", "given", {}),
            ("best", f"trial-{best.number}", best.params),
        ):
            folder = output / "chance" / f"{run}-{seed}"
            if (folder / METRICS).exists():
                found = float(read_json(folder / METRICS)["validation"][score])
            else:
                found = fitted(request.fit, as_arguments(values), folder, seed, score, [])
            chance[name].append(found)
    results = {
        "command": request.command,
        "score": score,
        "higher_is_better": higher,
        "best": {"score": study.best_value, "values": study.best_params},
        "chance": chance,
        "trials": [
            {"number": t.number, "state": t.state.name.lower(), "score": t.value, **t.params}
            for t in study.trials
        ],
    }
    text = as_json(results, indent=2) + "\n"
    write_atomically(output / RESULTS, lambda part: part.write_text(text, encoding="utf-8"))
    report(request, results)
    return results


def open_study(request: TuneRequest, higher: bool) -> Any:
    """The study in its storage.

    Raises:
        InputError: One is there already and `resume` was not said, or the other way round.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    storage: Any = request.storage
    name = request.fit.output.name
    if storage is None:
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend

        file = request.fit.output / JOURNAL
        if request.resume and not file.exists():
            raise InputError("nothing to resume: no study lies here", path=str(file))
        if file.exists() and not request.resume:
            raise InputError("holds a study already: go on with --resume", path=str(file))
        storage = JournalStorage(JournalFileBackend(str(file)))
    study = optuna.create_study(
        study_name=name,
        storage=storage,
        direction="maximize" if higher else "minimize",
        pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
        load_if_exists=request.resume,
    )
    # Another seed where a study goes on, or the same values would be drawn again.
    study.sampler = optuna.samplers.TPESampler(seed=1 + len(study.trials))
    return study


def suggest(trial: Any, space: Space) -> dict[str, Any]:
    """The values of a trial."""
    found = {}
    for key, values in space.items():
        if not isinstance(values, Range):
            found[key] = trial.suggest_categorical(key, values)
        elif isinstance(values.low, int) and isinstance(values.high, int):
            found[key] = trial.suggest_int(key, values.low, values.high, log=values.log)
        else:
            found[key] = trial.suggest_float(key, values.low, values.high, log=values.log)
    return found


def fitted(
    request: FitRequest,
    arguments: Sequence[str],
    folder: Path,
    seed: int,
    score: str,
    callbacks: Sequence[pl.Callback],
) -> float:
    """Trains with these settings more, and gives the validation score of what was kept."""
    more = [*request.arguments, *arguments, f"--seed_everything={seed}"]
    run_fit(replace(request, arguments=more, output=folder, overwrite=True, callbacks=callbacks))
    found = float(read_json(folder / METRICS)["validation"][score])
    print(f"{folder.name}: {score} {found:.4f} {' '.join(arguments)}", file=sys.stderr)
    return found


def write_best(request: TuneRequest, values: dict[str, Any]) -> None:
    """Writes the best config, as what differs from its base."""
    content: dict[str, Any] = {"base": request.base}
    for key, value in values.items():
        at = content
        *groups, name = key.split(".")
        for group in groups:
            at = at.setdefault(group, {})
        at[name] = value
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    file = request.fit.output / BEST
    write_atomically(file, lambda part: part.write_text(text, encoding="utf-8"))


def report(request: TuneRequest, results: dict[str, Any]) -> None:
    """Writes the report page."""
    keys = list(results["best"]["values"])
    rows = [
        [
            str(trial["number"]),
            trial["state"],
            "–" if trial["score"] is None else f"{trial['score']:.4f}",
            *(
                f"{trial.get(key, '–'):.4g}"
                if isinstance(trial.get(key), float)
                else str(trial.get(key, "–"))
                for key in keys
            ),
        ]
        for trial in results["trials"]
    ]
    sections = [
        Section("The best against the given config", chance_lines(results)),
        Section("The trials", table=Table(["trial", "state", results["score"], *keys], rows)),
        Section("How it was made", [f"`{request.command}`", "Validation scores only."]),
    ]
    write_report(request.fit.output, title=f"Tuned: {request.base}", sections=sections)


def chance_lines(results: dict[str, Any]) -> list[str]:
    """What other seeds give, in words."""
    lines = []
    for name, scores in results["chance"].items():
        if scores:
            seeds = f"{len(scores)} other seed{'s' * (len(scores) > 1)}"
            lines.append(f"{name}: {results['score']} {mean_and_spread(scores)} over {seeds}")
    best = results["best"]
    return [f"best trial: {results['score']} {best['score']:.4f} (chosen for it)", *lines]
