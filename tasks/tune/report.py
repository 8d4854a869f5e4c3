"""What a search leaves: `best.yaml`, `results.json`, and a report page with its pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import yaml

from rnnlp.tasks.base.ratios import mean_and_spread
from rnnlp.tasks.model_folder.atomic import write_text
from rnnlp.tasks.model_folder.files import as_json
from rnnlp.tasks.reporting.picture import new_figure
from rnnlp.tasks.reporting.report import Section, Table, write_report

from .study import ENOUGH, WHY, importance

BEST, RESULTS = "best.yaml", "results.json"


def write_results(
    folder: Path, study: Any, *, score: str, chance: Mapping[str, Sequence[float]], base: str,
    command: str,
) -> dict[str, Any]:  # fmt: skip
    """Writes all of it.

    Args:
        folder: Where.
        study: The study, with at least one completed trial.
        score: What the trials were judged by.
        chance: Scores with other seeds, of the `given` and the `best` config.
        base: The config that the best one is laid over, a name or a path.
        command: The command line, to stand in the report.

    Returns:
        What `results.json` holds.
    """
    results = {
        "command": command,
        "score": score,
        "higher_is_better": study.direction.name == "MAXIMIZE",
        "best": {"score": study.best_value, "values": study.best_params},
        "chance": chance,
        "importance": importance(study),
        "trials": [
            {
                "number": trial.number,
                "state": _state(trial),
                "score": trial.value,
                "why": trial.user_attrs.get(WHY),
                **trial.params,
            }
            for trial in study.trials
        ],
    }
    best = yaml.safe_dump(nested(base, study.best_params), sort_keys=False, allow_unicode=True)
    write_text(folder / BEST, best)
    write_text(folder / RESULTS, as_json(results, indent=2) + "\n")
    write_report(folder, title=f"Tuned: {base}", sections=sections_of(results, folder / BEST))
    return results


def nested(base: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """A config of dotted keys, laid over its base."""
    content: dict[str, Any] = {"base": base}
    for key, value in values.items():
        at = content
        *groups, name = key.split(".")
        for group in groups:
            at = at.setdefault(group, {})
        at[name] = value
    return content


def _state(trial: Any) -> str:
    """Optuna fails a trial that was interrupted, or ran out of time, as it does a wrong one."""
    name: str = trial.state.name.lower()
    return "interrupted" if name == "fail" and WHY not in trial.user_attrs else name


def sections_of(results: Mapping[str, Any], best: Path) -> list[Section]:
    """The parts of the report page."""
    values = results["best"]["values"]
    keys = list(values)
    rows = [
        [str(trial["number"]), trial["state"], *(plain(trial.get(k)) for k in ("score", *keys))]
        for trial in results["trials"]
    ]
    failed = [
        f"Trial {trial['number']} failed: {trial['why']}"
        for trial in results["trials"]
        if trial["why"]
    ]
    few = f"Fewer than {ENOUGH} trials came to their end: too few to tell."
    shares = results["importance"]
    return [
        Section(
            "The best against the given config",
            [*chance_lines(results), f"`rnnlp fit --config {best}`"],
            Table(["key", "best value"], [[key, plain(values[key])] for key in keys]),
        ),
        Section(
            "How the search went",
            figure=draw_history(results),
            caption="Each trial that came to its end, and the best so far; the bands are the given "
            "and the best config with other seeds, mean ± standard deviation: what chance alone "
            "gives.",
        ),
        Section(
            "What matters",
            [] if shares else [few],
            figure=draw_importance(shares) if shares else None,
            caption="Share of each key in what tells the best quarter of the trials from all "
            "(PED-ANOVA).",
        ),
        Section("The trials", failed, Table(["trial", "state", results["score"], *keys], rows)),
        Section("How it was made", [f"`{results['command']}`", "Validation scores only."]),
    ]


def draw_history(results: Mapping[str, Any]) -> Any:
    """Scores by trial, and the best so far."""
    done = [trial for trial in results["trials"] if trial["state"] == "complete"]
    numbers = [trial["number"] for trial in done]
    scores = [trial["score"] for trial in done]
    figure = new_figure(5.0, 3.2)
    axes = figure.subplots()
    axes.plot(numbers, scores, "o", color="C0", markersize=4, label="a trial")
    best = list(accumulate(scores, max if results["higher_is_better"] else min))
    axes.step(numbers, best, where="post", color="C1", label="best so far")
    for name, color in (("given", "0.5"), ("best", "C1")):
        if len(others := results["chance"][name]) > 1:
            low, high = (mean(others) + sign * stdev(others) for sign in (-1, 1))
            axes.axhspan(low, high, color=color, alpha=0.25, label=f"{name} config")
    axes.set_xlabel("trial")
    axes.set_ylabel(f"validation {results['score']}")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside upper center", ncols=2, frameon=False)
    return figure


def draw_importance(shares: Mapping[str, float]) -> Any:
    """A bar a key, the most important one on top."""
    figure = new_figure(5.0, 0.8 + 0.3 * len(shares))
    axes = figure.subplots()
    bars = axes.barh(list(shares), list(shares.values()), color="C0")
    axes.bar_label(bars, fmt="{:.2f}", padding=3)
    axes.invert_yaxis()
    axes.set_xlim(0, 1.1)
    axes.set_xlabel("importance")
    return figure


def plain(value: Any) -> str:
    """A value in a cell of a table."""
    if value is None:
        return "–"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def chance_lines(results: Mapping[str, Any]) -> list[str]:
    """What other seeds give, in words."""
    lines = [f"best trial: {results['score']} {results['best']['score']:.4f} (chosen for it)"]
    for name, scores in results["chance"].items():
        if scores:
            seeds = f"{len(scores)} other seed{'s' * (len(scores) > 1)}"
            lines.append(f"{name}: {results['score']} {mean_and_spread(scores)} over {seeds}")
    return lines
