"""What the docstrings of the package promise: arguments that are explained where there are many.

Read as text, without importing anything. Whether what they say is true is not looked at here.
"""

import ast
import re
from pathlib import Path

import pytest
from pytorch_lightning import Callback, LightningModule

ROOT = Path(__file__).parents[1]
MANY = 3  # parameters, self left out, from which on each is explained
# Lightning calls these and explains their parameters; our line says that, and what happens.
HOOKS = {
    "on_load_checkpoint",
    "on_train_batch_end",
    "on_train_batch_start",
    "on_validation_batch_end",
    "setup",
    "transfer_batch_to_device",
}


def public(node, prefix=""):
    """The public functions and methods below a node of the syntax tree, with dotted names."""
    for child in ast.iter_child_nodes(node):
        name = getattr(child, "name", "_")
        if name.startswith("_"):
            continue
        if isinstance(child, ast.ClassDef):
            yield from public(child, f"{prefix}{name}.")
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{prefix}{name}", child


def parameters(function):
    """The names of its parameters, self left out."""
    of = function.args
    parts = [*of.posonlyargs, *of.args, of.vararg, *of.kwonlyargs, of.kwarg]
    return [part.arg for part in parts if part is not None and part.arg not in ("self", "cls")]


def explained(docstring):
    """The names that stand under `Args:`."""
    section = docstring.partition("Args:\n")[2].partition("\n\n")[0]
    return re.findall(r"^    (\w+): ", section, re.MULTILINE)


@pytest.mark.parametrize("room", ["models", "data", "tasks"])
def test_functions_of_many_parameters_say_what_each_is(room):
    bare = []
    for path in sorted((ROOT / room).rglob("*.py")):
        for name, function in public(ast.parse(path.read_text(encoding="utf-8"))):
            names, docstring = parameters(function), ast.get_docstring(function) or ""
            place = f"{path.relative_to(ROOT)}:{function.lineno} {name}"
            if name.rpartition(".")[2] in HOOKS and docstring.startswith("Lightning's hook:"):
                continue
            if len(names) >= MANY and names != explained(docstring):
                bare.append(f"{place} has {names}, explains {explained(docstring)}")
    assert not bare, "\n".join(bare)


def test_hooks_are_those_of_lightning():
    assert all(hasattr(Callback, name) or hasattr(LightningModule, name) for name in HOOKS)
