"""Configs as files: the shipped ones by name, and the line on which a key stands.

Reading values is the business of LightningCLI; this file only finds files, the task they name, and
places for error messages.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.folder import CHECKPOINTS, TRAINING
from rnnlp.tasks.registry import task_spec

# What a stored setting may name without the user's word: it is imported anyway.
TRUSTED = ("pytorch_lightning.", "torch.optim.")
_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")


def shipped_configs() -> list[tuple[str, str]]:
    """Name and first comment line of every config in the package, sorted by name."""
    named = []
    for entry in (resources.files("rnnlp") / "configs").iterdir():
        if entry.name.endswith(".yaml"):
            first = entry.read_text(encoding="utf-8").split("\n", 1)[0]
            named.append((entry.name[: -len(".yaml")], first.lstrip("# ").strip()))
    return sorted(named)


def find_config(name: str) -> Path:
    """The file of a config that is given as a path or as the name of a shipped one."""
    path = Path(name)
    if path.is_file():
        return path
    shipped = Path(str(resources.files("rnnlp"))) / "configs" / f"{name}.yaml"
    if "/" not in name and shipped.is_file():
        return shipped
    if path.is_dir():
        raise InputError("is a folder; --config takes a YAML file or a name", path=name)
    names = ", ".join(known for known, _ in shipped_configs())
    raise InputError(
        f"no such config file, and no shipped config of that name ({names})", path=name
    )


def is_shipped(file: Path) -> bool:
    """Whether a config is one that comes with the package."""
    return file.parent.resolve() == Path(str(resources.files("rnnlp"))).resolve() / "configs"


def find_configs(
    names: Sequence[str], *, task: str | None = None, resumed: Path | None = None
) -> list[Path]:
    """The files of the configs of a run.

    Args:
        names: Paths, or names of shipped ones.
        task: The task, which needs no config.
        resumed: A model folder whose run goes on, which knows its own config.

    Raises:
        InputError: There is no such file, or none is named.
    """
    if names:
        return [file for name in names for file in with_bases(find_config(name))]
    if resumed is not None:
        file = resumed / CHECKPOINTS / TRAINING
        if not file.is_file():
            raise InputError("nothing to resume: no unfinished run lies here", path=str(resumed))
        check_classes(file)
        return [file]
    if task:
        return []
    shipped = ", ".join(name for name, _ in shipped_configs())
    raise InputError(
        f"--config is missing: give a YAML file or one of {shipped} (rnnlp fit --help)"
    )


def find_task(files: Sequence[Path], *, task: str | None = None) -> str:
    """The task that is given, or that the configs name; the last one wins.

    Raises:
        InputError: None is named, or there is no such task.
    """
    task = task or next(filter(None, map(config_task, reversed(files))), None)
    if task is None:
        raise InputError(
            "names no task: add a line `task: tagging`", path=str(files[-1]) if files else None
        )
    try:
        return task_spec(task).name
    except InputError as error:
        raise InputError(error.message, path=str(files[-1]) if files else None) from error


def with_bases(file: Path, above: Sequence[Path] = ()) -> list[Path]:
    """The config, after those that it says to begin with: `base: ner`, a name or a path.

    Args:
        file: The config.
        above: The configs that are laid over it.

    Raises:
        InputError: A base is missing, or two configs name each other.
    """
    base = read_config(file).get("base")
    if base is None:
        return [file]
    beside = file.parent / str(base)
    below = beside if beside.is_file() else find_config(str(base))
    if below.resolve() in [one.resolve() for one in (file, *above)]:
        raise InputError(f"its base {base!r} begins with it in turn", path=str(file))
    return [*with_bases(below, (file, *above)), file]


def config_task(path: Path) -> str | None:
    """The task that a config names at its top level.

    Raises:
        InputError: The file is not a YAML mapping.
    """
    task = read_config(path).get("task")
    return None if task is None else str(task)


def read_config(path: Path) -> dict[str, Any]:
    """The content of a config.

    Raises:
        InputError: The file is not a YAML mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"is not UTF-8 text: {error.reason}", path=str(path)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "cannot be read"
        line = mark.line + 1 if mark else None
        raise InputError(f"is not valid YAML: {problem}", path=str(path), line=line) from error
    if not isinstance(content, dict):
        raise InputError("holds no settings: a config is a YAML mapping", path=str(path))
    return content


def key_lines(path: Path) -> Iterator[tuple[str, int]]:
    """Every dotted key of a YAML file with its line number."""
    root = yaml.compose(path.read_text(encoding="utf-8"))
    if isinstance(root, yaml.MappingNode):
        yield from _walk(root, "")


def _walk(node: yaml.MappingNode, prefix: str) -> Iterator[tuple[str, int]]:
    for key, value in node.value:
        name = f"{prefix}{key.value}"
        yield name, key.start_mark.line + 1
        if isinstance(value, yaml.MappingNode):
            yield from _walk(value, f"{name}.")


def check_classes(config: Path) -> None:
    """Refuses settings in a folder that name code: it may come from a stranger.

    Args:
        config: The settings that an earlier run left in its folder.

    Raises:
        InputError: A class of the user's is named, which would be imported.
    """
    try:
        content = yaml.safe_load(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"cannot be read: {reason}", path=str(config)) from error
    for key, name in _strings(content, ""):
        data = key.startswith("data.") and not key.endswith(".class_path")  # names of files
        if _DOTTED.fullmatch(name) and not name.startswith(TRUSTED) and not data:
            raise InputError(
                f"{key} names {name}, which would be imported: if you trust this folder, say so "
                f"with --config {config}",
                path=str(config),
            )


def _strings(values: Any, key: str) -> Iterator[tuple[str, str]]:
    if isinstance(values, str):
        yield key, values
    elif isinstance(values, Mapping):
        for name, value in values.items():
            yield from _strings(value, f"{key}.{name}".lstrip("."))
    elif isinstance(values, list):
        for value in values:
            yield from _strings(value, key)
