"""The study of a search: where Optuna keeps it, what it is of, and which trials count.

Knows no training. One study may be shared by several processes and machines; that of the output
folder belongs to one search alone.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rnnlp.data.errors import InputError, note

from .space import Range, Space

try:
    import optuna
    from optuna.storages.journal import JournalFileBackend
except ImportError as error:
    raise InputError("rnnlp tune needs Optuna: pip install 'rnnlp[tune]'") from error

State = optuna.trial.TrialState
WHY = "why"  # of a trial that failed: the attribute that has the line
PLAN = "plan"
HEARTBEAT = 30  # seconds between two signs of life in a database
ENOUGH = 8  # completed trials that importance can be read from
# What a search that goes on may have changed: where files lie, since their content is compared.
_ELSEWHERE = re.compile(r"data\.(.*\.)?(train|validation|test|hub|revision|num_workers)$")


def open_study(storage: str, *, name: str, higher: bool, seed: int | None) -> Any:
    """The study of this name, made where there is none.

    Args:
        storage: URL of a database, or a file.
        name: Of the study.
        higher: Whether a higher score is better.
        seed: Decides what is drawn; None where several processes draw, which must not agree.

    Raises:
        InputError: The storage cannot be opened.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    place: Any
    try:
        if "://" in storage:
            place = optuna.storages.RDBStorage(storage, heartbeat_interval=HEARTBEAT)
        else:
            place = optuna.storages.JournalStorage(JournalFileBackend(storage))
        study = optuna.create_study(
            study_name=name,
            storage=place,
            direction="maximize" if higher else "minimize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=4, n_warmup_steps=1),
            load_if_exists=True,
        )
    except Exception as error:  # of any database there is
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"the study cannot be opened: {reason}", path=storage) from error
    # Another seed where a study goes on, or the same values would be drawn again.
    at = None if seed is None else seed + len(study.trials)
    study.sampler = optuna.samplers.TPESampler(seed=at, constant_liar=seed is None)
    return study


def check_plan(study: Any, plan: Mapping[str, Any], *, path: str | Path) -> None:
    """Keeps what the study is of, or compares it: trials of other settings say nothing of these.

    Args:
        study: The study.
        plan: `space`, `settings` by dotted name, `data` by what it identifies.
        path: Where the study is, for the error.

    Raises:
        InputError: The study is of something else, which is named.
    """
    plan = json.loads(json.dumps(plan, default=vars))
    kept = study.user_attrs.get(PLAN)
    if kept is None:
        study.set_user_attr(PLAN, plan)
        return
    for part, what in (("space", "search space"), ("settings", "settings"), ("data", "data")):
        before, now = kept[part], plan[part]
        changed = sorted(key for key in before | now if before.get(key) != now.get(key))
        if part != "data":
            shown = [(key, json.dumps(before.get(key), ensure_ascii=False)) for key in changed]
            changed = [f"{key} was {value}" for key, value in shown if not _ELSEWHERE.match(key)]
        if changed:
            raise InputError(
                f"is a study of other {what} ({', '.join(changed[:3])}): use the same to go on, or "
                "another --output",
                path=path,
            )


def taken(study: Any) -> int:
    """How many trials have run or are running; those that were interrupted do not count."""
    counted = (State.COMPLETE, State.PRUNED, State.RUNNING)
    trials = study.get_trials(deepcopy=False)
    return sum(trial.state in counted or WHY in trial.user_attrs for trial in trials)


def drop_unfinished(study: Any) -> None:
    """Takes trials that a killed process left for interrupted, where no other process can be."""
    for trial in study.get_trials(deepcopy=False, states=(State.RUNNING,)):
        study.tell(trial.number, state=State.FAIL)
        note(f"trial {trial.number} was interrupted and does not count")


def completed(study: Any) -> list[Any]:
    """The trials that came to their end."""
    trials: list[Any] = study.get_trials(deepcopy=False, states=(State.COMPLETE,))
    return trials


def suggest(trial: Any, space: Space) -> dict[str, Any]:
    """The values of a trial."""
    drawn = {}
    for key, values in space.items():
        if not isinstance(values, Range):
            drawn[key] = trial.suggest_categorical(key, values)
        elif isinstance(values.low, int) and isinstance(values.high, int):
            drawn[key] = trial.suggest_int(key, values.low, values.high, log=values.log)
        else:
            drawn[key] = trial.suggest_float(key, values.low, values.high, log=values.log)
    return drawn


def importance(study: Any) -> dict[str, float]:
    """Share of each key in what tells the best quarter of the trials from all (PED-ANOVA, Watanabe
    et al. 2023); empty where there are too few.
    """
    if len(completed(study)) < ENOUGH:
        return {}
    evaluator = optuna.importance.PedAnovaImportanceEvaluator(target_quantile=0.25)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    return {key: float(share) for key, share in shares.items()}
