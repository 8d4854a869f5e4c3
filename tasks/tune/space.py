"""Search spaces in YAML: a range or a list of choices for dotted keys of a config.

Knows neither Optuna nor training; what it refuses, it refuses with file and line.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.tasks.fit.config_files import key_lines, read_config
from rnnlp.tasks.fit.setting_errors import unknown_key

OPTIONS = {"low", "high", "log"}


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, whole ones where both ends are; `log` draws by magnitude."""

    low: float
    high: float
    log: bool = False


Space = dict[str, Range | list[Any]]


def shipped_space(task: str) -> Path:
    """The search space that comes with a task.

    Raises:
        InputError: There is none, as for a task of the user's own.
    """
    file = Path(str(resources.files("rnnlp"))) / "tasks" / "tune" / "spaces" / f"{task}.yaml"
    if not file.is_file():
        raise InputError(f"no search space comes with the task {task}: give --space FILE")
    return file


def read_space(file: Path, known: Set[str]) -> Space:
    """Reads a search space.

    Args:
        file: The YAML file.
        known: Every key of the config, dotted.

    Raises:
        InputError: A key is unknown, or what stands there is neither a range nor choices.
    """
    if not file.is_file():
        raise InputError("no such search space", path=file)
    lines = dict(key_lines(file)) if (content := read_config(file)) else {}
    if not content:
        raise InputError("names no key to search", path=str(file))
    space: Space = {}
    for key, value in content.items():
        try:
            if key not in known:
                raise InputError(unknown_key(str(key), set(known)))
            space[key] = _values(key, value)
        except InputError as error:
            raise InputError(error.message, path=str(file), line=lines.get(str(key))) from error
    return space


def _values(key: str, value: Any) -> Range | list[Any]:
    if isinstance(value, list) and value:
        if odd := [one for one in value if isinstance(one, list | dict)]:
            raise InputError(f"{key} has {odd[0]!r} among its choices: give single values")
        return value
    if not isinstance(value, dict) or not {"low", "high"} <= value.keys() <= OPTIONS:
        raise InputError(f"{key} wants a list of choices, or {{low: …, high: …, log: true}}")
    low, high, log = value["low"], value["high"], value.get("log", False)
    if any(isinstance(end, bool) or not isinstance(end, int | float) for end in (low, high)):
        raise InputError(f"{key}: low and high are numbers, not {low!r} and {high!r}")
    if not isinstance(log, bool):
        raise InputError(f"{key}: log is true or false, not {log!r}")
    if low >= high:
        raise InputError(f"{key}: low ({low}) must be below high ({high})")
    if log and low <= 0:
        raise InputError(f"{key}: with log, low must be above 0, not {low}")
    return Range(low=low, high=high, log=log)
