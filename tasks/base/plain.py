"""Settings as plain values and back: dataclasses to JSON, and JSON to dataclasses, types checked.

One pair of functions for every task's part of `config.json`; a value of another type, a name that
is missing and one that is not known are each named with their place.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from rnnlp.data.errors import InputError

Kind = TypeVar("Kind")
_NAMES = {int: "a whole number", float: "a number", bool: "true or false", str: "a text"}


def to_plain(settings: Any) -> dict[str, Any]:
    """A dataclass as plain scalars, lists and dictionaries."""
    return {name: _plain(value) for name, value in asdict(settings).items()}


def from_plain(kind: type[Kind], values: Any, *, source: str, place: str = "model") -> Kind:
    """The inverse of `to_plain`; fields that older files lack have defaults.

    Args:
        kind: The dataclass.
        values: What the file holds.
        source: The file, named in errors.
        place: Where in it the values stand, likewise.

    Raises:
        InputError: A name is missing or unknown, or a value is of another type.
    """
    if not isinstance(values, Mapping):
        raise InputError(f"{place} is {_short(values)}: expected a mapping", path=source)
    named = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    needed = {
        name
        for name, field in named.items()
        if field.default is MISSING and field.default_factory is MISSING
    }
    if odd := sorted((values.keys() - named.keys()) | (needed - values.keys())):
        raise InputError(
            f"{place} does not fit this version of rnnlp ({', '.join(map(str, odd))[:200]}); the "
            "folder was written by another version or changed by hand: train again or install "
            "that version",
            path=source,
        )
    hints = get_type_hints(kind)
    return kind(
        **{
            name: _checked(hints[name], value, source, f"{place}.{name}")
            for name, value in values.items()
        }
    )


def part_of(settings: Any, kind: type[Kind]) -> Kind:
    """The dataclass `kind`, of the fields of the same names that other settings have."""
    return kind(**{field.name: getattr(settings, field.name) for field in fields(kind)})  # type: ignore[arg-type]


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def _checked(hint: Any, value: Any, source: str, place: str) -> Any:
    """The value if it is of the type, made of the parts that the type says.

    Raises:
        InputError: It is not.
    """
    origin, arguments = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        return from_plain(hint, value, source=source, place=place)  # type: ignore[arg-type]
    if origin in (Union, types.UnionType):
        for one in arguments:
            try:
                return _checked(one, value, source, place)
            except InputError:
                continue
    elif origin is Literal:
        if value in arguments and not isinstance(value, bool):
            return value
    elif origin in (list, Sequence) and isinstance(value, list):
        return [_checked(arguments[0], one, source, f"{place}[{i}]") for i, one in enumerate(value)]
    elif origin is Mapping and isinstance(value, Mapping | list):
        pairs = value.items() if isinstance(value, Mapping) else value  # version 1 has pairs
        try:
            return {
                _checked(arguments[0], name, source, place): _checked(
                    arguments[1], inner, source, f"{place}.{name}"
                )
                for name, inner in pairs
            }
        except (TypeError, ValueError):
            pass
    elif hint is type(None):
        if value is None:
            return None
    elif hint is float:
        if type(value) in (int, float) and math.isfinite(value):
            return value
    elif hint in _NAMES and type(value) is hint:
        return value
    raise InputError(f"{place} is {_short(value)}: expected {_described(hint)}", path=source)


def _described(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return f"one of {', '.join(map(str, get_args(hint)))}"
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(map(_described, get_args(hint)))
    if hint is type(None):
        return "null"
    return _NAMES.get(hint, "a mapping" if get_origin(hint) is Mapping else "a list")


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}..."
