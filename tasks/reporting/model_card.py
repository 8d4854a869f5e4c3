"""The model card: what the README.md of a model folder tells the next reader."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from rnnlp.data.errors import printable

CARD = """\
---
library_name: rnnlp
pipeline_tag: {pipeline}
tags:
- rnnlp
- {task}
---

# {title}

{summary}

## Data

{data}

## Metrics

{metrics}

## How to use

{use}

## How to reproduce

{reproduce}

`config.yaml` holds every setting, the seed included ({seed}). Trained with rnnlp {version} and
torch {torch} in {minutes:.1f} minutes; the weights of epoch {epoch} were kept.

![Training curves](curves.png)
"""


def model_card(
    *,
    task: str,
    pipeline: str,
    title: str,
    summary: str,
    data: Mapping[str, object],
    notes: list[str],
    scores: Mapping[str, Mapping[str, Any]],
    heads: tuple[str, ...],
    table: Callable[[Mapping[str, Any]], str],
    folder: str,
    usage: tuple[str, str],
    seed: object,
    versions: Mapping[str, str],
    seconds: float,
    epoch: int,
) -> str:
    """Fills in the card.

    Args:
        task: Name of the task.
        pipeline: The name that hubs give to it.
        title: Name of the model.
        summary: What the model is, in a sentence.
        data: Where the data came from, by name.
        notes: What reading the data reported.
        scores: Scores by split.
        heads: The tasks of a model for several.
        table: Lays scores out for people.
        folder: Where the model lies.
        usage: What to try: the argument in Python, and those of `rnnlp predict`.
        seed: The seed of the run.
        versions: Versions of `rnnlp` and `torch`.
        seconds: Training time.
        epoch: The epoch, from 1, whose weights were kept.
    """
    lines = [f"- {name}: {escaped(value)}" for name, value in data.items() if value is not None]
    if notes:
        lines += ["", "Reading it reported:", "", *(f"- {escaped(note)}" for note in notes)]
    tables = [f"On {split}:\n\n{block(table(result))}" for split, result in scores.items()]
    options = [f" --task {name}" for name in heads] or [""]
    path = shlex.quote(printable(folder))
    python = f"import rnnlp\n\nmodel = rnnlp.load({json.dumps(folder)})\nmodel({usage[0]})"
    shell = [f"rnnlp predict {path} {usage[1]}"]
    shell += [f"rnnlp evaluate {path} FILE{option}" for option in options]
    config = shlex.quote(f"{printable(folder)}/config.yaml")
    return CARD.format(
        task=task,
        pipeline=pipeline,
        title=escaped(title),
        summary=escaped(summary),
        data="\n".join(lines),
        metrics="\n\n".join(tables) or "None: the run had no validation data.",
        use=block(python, "python") + "\n\n" + block("\n".join(shell), "sh"),
        reproduce=block(f"rnnlp fit --config {config} --output DIR", "sh"),
        seed=seed,
        version=versions["rnnlp"],
        torch=versions["torch"],
        minutes=seconds / 60,
        epoch=epoch,
    )


def escaped(text: object) -> str:
    """A text as Markdown that shows it: no HTML, no links, in one line."""
    return re.sub(r"[\\`*\[\]<>]", r"\\\g<0>", printable(text))


def block(text: str, language: str = "") -> str:
    """A text as a block of code, whose fence is longer than any in the text."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
    lines = map(printable, text.split("\n"))
    return "\n".join([fence + language, *lines, fence])
