"""Parts of one's own, which a setting names by their place in Python: `module.Name`.

Cell, pooling, optimizer, schedule and the format of files take such a name beside ours. In the
settings of `fit` the user has named it, and so the module is imported. Loading a model folder
executes nothing: a name in it is looked up among what is imported already, by the user's program
or by `--plugin`, and is refused elsewhere.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from rnnlp.data.errors import InputError

_DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_PLUGIN = "rnnlp_plugin_"  # before the name of a file that `--plugin` names
PLUGINS: list[str] = []  # what was loaded: other processes load it again


class _Kind(NamedTuple):
    """Parts that can be one's own; the places are written `module:attribute`."""

    table: str  # those that there are, by name
    base: str  # what one must be
    classes: bool  # whether a part is a subclass of that, or an object of it
    what: str


# By the end of the setting's name.
_KINDS = {
    "cell": _Kind(
        "rnnlp.models.recurrence.cells:CELLS", "rnnlp.models:Cell", False, "a rnnlp.models.Cell"
    ),
    "pooling": _Kind(
        "rnnlp.models.classification.pooling:POOLINGS",
        "torch.nn:Module",
        True,
        "a class of modules",
    ),
    "optimizer.name": _Kind(
        "rnnlp.tasks.base.optimizer:OPTIMIZERS",
        "torch.optim:Optimizer",
        True,
        "a class of optimizers",
    ),
    "optimizer.schedule": _Kind(
        "rnnlp.tasks.base.optimizer:SCHEDULES",
        "torch.optim.lr_scheduler:LRScheduler",
        True,
        "a class of schedules",
    ),
    "format": _Kind(
        "rnnlp.data.formats.own:READERS", "collections.abc:Callable", False, "a function"
    ),
}


def attribute(place: str) -> Any:
    """What stands at `module:attribute`."""
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


def load_plugins(plugins: Iterable[str]) -> None:
    """Runs modules, or files, that hold parts or register tasks.

    Args:
        plugins: Names of modules, or paths that end in `.py`.

    Raises:
        InputError: There is no such module or file.
    """
    for plugin in plugins:
        if plugin not in PLUGINS:
            PLUGINS.append(plugin)
        if not plugin.endswith(".py"):
            try:
                importlib.import_module(plugin)
            except ModuleNotFoundError as error:
                raise InputError(
                    f"--plugin {plugin}: {error}; name an installed module, or a file FILE.py"
                ) from error
            continue
        path = Path(plugin).resolve()
        name = f"{_PLUGIN}{path.stem}"
        if name in sys.modules:
            continue
        if not path.is_file():
            raise InputError("no such file; --plugin names a Python file", path=plugin)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None and spec.loader is not None
        sys.modules[name] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


def import_parts(settings: Iterable[tuple[str, Any]]) -> None:
    """Makes known the user's own parts that settings name, importing their modules.

    Args:
        settings: Dotted names, and values.

    Raises:
        InputError: There is no such part, or it is one of another kind.
    """
    for key, kind, name in _named(settings):
        module = _imported(name) or _import(key, name)
        _make_known(key, kind, name, module)


def find_parts(model: Mapping[str, Any], *, source: str) -> None:
    """Makes known the user's own parts that a model folder names, out of imported modules.

    Args:
        model: The settings in `config.json`.
        source: That file, for errors.

    Raises:
        InputError: The module of one is not imported, or does not have it.
    """
    for key, kind, name in _named(_flat(model, "model.")):
        if "format" in key:  # of the training file: files to come may be in others
            continue
        module = _imported(name)
        if module is None:
            plugin = name.rpartition(".")[0]
            raise InputError(
                f"{key} is {name}, a part of your own: name its module or its file with "
                f"--plugin {plugin} or --plugin {plugin}.py, or import it in Python",
                path=source,
            )
        _make_known(key, kind, name, module)


def _named(settings: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, _Kind, str]]:
    """The settings that name a part which is not known yet by a dotted name."""
    for key, value in settings:
        if key.startswith(("model.", "data.")):
            for end, kind in _KINDS.items():
                if key.endswith(f".{end}"):
                    for name in value if isinstance(value, list) else [value]:
                        if _DOTTED.fullmatch(str(name)) and name not in attribute(kind.table):
                            yield key, kind, name


def _flat(values: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, Any]]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _imported(name: str) -> ModuleType | None:
    module = name.rpartition(".")[0]
    return sys.modules.get(f"{_PLUGIN}{module}") or sys.modules.get(module)


def _import(key: str, name: str) -> ModuleType:
    module = name.rpartition(".")[0]
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise InputError(
            f"{key} is {name}: {error}; install it, or name its file with --plugin {module}.py"
        ) from error


def _make_known(key: str, kind: _Kind, name: str, module: ModuleType) -> None:
    own = name.rpartition(".")[2]
    base, part = attribute(kind.base), getattr(module, own, None)
    if kind.classes:
        fits = isinstance(part, type) and issubclass(part, base)
    else:
        fits = isinstance(part, base)
    if not fits:
        problem = f"is not {kind.what}" if hasattr(module, own) else "is not there"
        raise InputError(f"{key} is {name}: {own} {problem}", path=module.__file__)
    attribute(kind.table)[name] = part
