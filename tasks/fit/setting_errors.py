"""Errors about settings in one line: misspelt keys and values that do not fit, with their place."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.versions import RENAMED

from .config_files import key_lines

# Settings that a user may look for, and the setting that decides them.
FOLLOWS = {
    "data.characters": "model.embedding.characters",
    "data.token_features": "model.embedding.token_features",
    "data.max_length": "model.max_length",
    "data.long_texts": "model.long_texts",
    "data.ngrams": "model.ngrams",
    "model.label_before": "data.label_before",
    "model.label_separator": "data.label_separator",
    "data.classification.max_length": "model.classification.max_length",
    "data.classification.ngrams": "model.classification.ngrams",
    "model.classification.label_before": "data.classification.label_before",
    "model.classification.label_separator": "data.classification.label_separator",
    "model.classes": "the training data",
    "model.class_counts": "the training data",
    "model.known_ngrams": "the training data",
    "model.columns": "data.feature_columns and the training data",
    "model.lacking": "data.further_labels and the training data",
    "model.multilabel": "the training data",
    "model.tags": "the training data",
    "model.scheme": "data.scheme",
    "model.sizes": "the training data",
    "model.source": "data.source",
    "model.target": "data.target",
    "model.joint_vocabulary": "data.joint_vocabulary",
    "model.fields": "data.labels and the training data",
    "model.reverse": "data.reverse",
    "model.target_size": "the training data",
    "model.length_ratio": "model.search.max_length_ratio and the training data",
    "model.layout": "the training data",
    "model.tagging_layout": "the training data",
    "model.classification_layout": "the training data",
}


def check_keys(configs: list[Path], known: set[str]) -> None:
    """Finds keys that mean nothing, with the line they stand on.

    Args:
        configs: The config files.
        known: Every setting, dotted.

    Raises:
        InputError: A key is misspelt.
    """
    groups = {name.rsplit(".", depth)[0] for name in known for depth in (1, 2, 3)}
    for file in configs:
        settled: list[str] = []  # settings that hold a mapping of their own, such as a callback
        for key, line in key_lines(file):
            if any(key.startswith(f"{name}.") for name in settled):
                continue
            if key in known and key not in groups:
                settled.append(key)
            elif key not in groups:
                raise InputError(unknown_key(key, known), path=str(file), line=line)


def unknown_key(key: str, known: set[str]) -> str:
    """What to say about a key that there is not."""
    if follows := FOLLOWS.get(key):
        return f"{key} cannot be set, it follows from {follows}"
    section, name = key.split(".", 1)[0], key.rsplit(".", 1)[-1]
    renamed = f"{key[: -len(name)]}{RENAMED.get(name, name)}"
    if renamed != key and renamed in known:
        return f"{key} is now called {renamed}"
    of_section = f"{section}." if "." in key else ""  # without one, it may be of any
    near = [other for other in sorted(known) if other.startswith(of_section)]
    near = [other for other in near if other.endswith(f".{name}")]  # in another place
    near = near or get_close_matches(key, sorted(known), n=1, cutoff=0.6)
    hint = (
        f": did you mean {' or '.join(near[:4])}?"
        if near
        else " (every key: rnnlp fit --config … --help)"
    )
    return f"there is no key {key}{hint}"


def wrong_value(
    error: BaseException, known: set[str], *, configs: list[Path], arguments: list[str]
) -> InputError:
    """A value that does not fit, in one line, with its place where it stands in a file.

    Args:
        error: What jsonargparse says.
        known: Every setting, dotted.
        configs: The config files.
        arguments: The command line, which wins over them.
    """
    text = str(error)
    if match := re.search(r"[Uu]nrecognized arguments: --([\w.+]+)", text):
        return InputError(unknown_key(match[1].rstrip("+"), known))
    # A linked key was given:
    if match := re.search(r"--> ([\w.]+): (?:.* is not callable|invalid )", text):
        return InputError(unknown_key(match[1], known))
    match = re.search(r'key "([\w.]+)"', text)
    if match is None:
        return InputError(one_line(error))
    key = match[1]
    if odd := re.search(r"Option '(\w+)' is not accepted", text):
        return InputError(unknown_key(f"{key}.{odd[1]}", known))
    kinds = re.findall(r"Expected an? (typing\.Literal\[[^\]]*\]|<class '\w+'>)", text)
    expected = [plain_type(kind) for kind in kinds]
    value = re.search(r"(?:Got|Given) value: ([^\n]*)", text)
    message = f"{key} does not fit: {one_line(error)}"
    if expected and value:
        message = f"{key} is {' or '.join(dict.fromkeys(expected))}, not {value[1].strip()!r}"
    return located(InputError(message), configs=configs, arguments=arguments)


def located(error: InputError, *, configs: list[Path], arguments: list[str]) -> InputError:
    """An error whose message begins with a setting, with the place where that stands in a file.

    Args:
        error: The error; one that has a place keeps it.
        configs: The config files.
        arguments: The command line, which wins over them.
    """
    key = error.message.split(" ", 1)[0]
    if error.path is None and not any(part.startswith(f"--{key}") for part in arguments):
        for file in reversed(configs):
            for name, line in key_lines(file):
                if name == key:
                    return InputError(error.message, path=str(file), line=line)
    return error


def plain_type(kind: str) -> str:
    """A Python type as people would say it."""
    if kind.startswith("typing.Literal["):
        choices = re.findall(r"'([^']*)'", kind)
        return f"one of {', '.join(choices)}"
    names = {
        "int": "a whole number",
        "float": "a number",
        "bool": "true or false",
        "str": "a text",
        "list": "a list ([first, second])",
        "dict": "a mapping ({name: value})",
    }
    bare = re.sub(r"<class '([\w.]+)'>", r"\1", kind)
    return names.get(bare, "null" if bare == "NoneType" else bare)


def one_line(error: BaseException) -> str:
    """The message of an error without line breaks; of a class that cannot be made, only why."""
    if match := re.search(r"class_path '([\w.]+)':\s*([^\n]*)", str(error)):
        reason = match[2].removeprefix("Requirement ")  # a package that is not installed
        return f"{match[1].rsplit('.', 1)[-1]} cannot be used: {reason}"
    made = set(re.findall(r"class_path='([\w.]+)'", str(error)))
    refused = re.search(r"Errors:\s*- ([^\n]*)", str(error))
    if refused and len(made) == 1:  # one class of a list, which refuses what it was given
        return f"{made.pop().rsplit('.', 1)[-1]} cannot be used: {refused[1]}"
    return " ".join(str(error).split())
