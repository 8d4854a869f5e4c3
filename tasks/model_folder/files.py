"""The files of a model folder that may come from a stranger, checked before they are opened; JSON.

A file may be a pipe, a device, or a link to somewhere else; and JSON may hold what is no number.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from rnnlp.data.errors import InputError

MAX_BYTES = 1 << 30  # of a file that is not mapped but read
BLOBS, SNAPSHOTS = "blobs", "snapshots"  # of the hub's cache, where every file is a link


def check_files(folder: Path, names: Iterable[str]) -> None:
    """Refuses files that are pipes, devices, or links out of the folder.

    Args:
        folder: A model folder, or one in the cache of the hub, whose links into its own store are
            the rule.
        names: The files that are looked at, as far as they are there.

    Raises:
        InputError: A file is none, or lies elsewhere.
    """
    whole = folder.resolve()
    places = [whole]
    if whole.parent.name == SNAPSHOTS:
        places.append(whole.parents[1] / BLOBS)
    for name in names:
        file = folder / name
        try:
            target = file.resolve()
        except (OSError, RuntimeError) as error:  # a circle of links
            raise InputError("is a link to nowhere", path=str(file)) from error
        if target.parent not in places:
            raise InputError("is a link out of the model folder: copy the file", path=str(file))
        if not target.is_file() and (target.exists() or file.is_symlink()):
            raise InputError("is no file", path=str(file))
        if target.exists() and target.suffix == ".json" and target.stat().st_size > MAX_BYTES:
            raise InputError(f"is larger than {MAX_BYTES:,} bytes", path=str(file))


def read_json(file: Path) -> Any:
    """The content of a JSON file, in which every number is one.

    Raises:
        InputError: It is damaged.
    """

    def refuse(name: str) -> None:
        raise ValueError(f"{name} is no number")

    try:
        return json.loads(file.read_text(encoding="utf-8"), parse_constant=refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"cannot be read: {error}", path=str(file)) from error


def as_json(content: Any, *, indent: int | None = None, cells: bool = False) -> str:
    """JSON with null where a number is none: it knows neither NaN nor infinity.

    Args:
        content: The content.
        indent: Blanks before what is inside; None for all in one line.
        cells: Whether there are values of tables, such as dates, which become texts.
    """
    default = str if cells else None
    return json.dumps(
        _finite(content), ensure_ascii=False, indent=indent, allow_nan=False, default=default
    )


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
