"""The model card: what the README.md of a model folder tells the next reader."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

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

```python
import rnnlp

model = rnnlp.load("{folder}")
model("{example}")
```

```sh
rnnlp predict {folder} "{example}"
{evaluate}
```

## How to reproduce

```sh
rnnlp fit --config {folder}/config.yaml --output DIR
```

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
    example: str,
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
        example: A text to try.
        seed: The seed of the run.
        versions: Versions of `rnnlp` and `torch`.
        seconds: Training time.
        epoch: The epoch, from 1, whose weights were kept.
    """
    lines = [f"- {name}: {value}" for name, value in data.items() if value is not None]
    if notes:
        lines += ["", "Reading it reported:", "", *(f"- {note}" for note in notes)]
    tables = [f"On {split}:\n\n```\n{table(result)}\n```" for split, result in scores.items()]
    tasks = [f" --task {name}" for name in heads] or [""]
    return CARD.format(
        task=task,
        pipeline=pipeline,
        title=title,
        summary=summary,
        data="\n".join(lines),
        metrics="\n\n".join(tables) or "None: the run had no validation data.",
        folder=folder,
        evaluate="\n".join(f"rnnlp evaluate {folder} FILE{option}" for option in tasks),
        example=example.replace('"', "'"),
        seed=seed,
        version=versions["rnnlp"],
        torch=versions["torch"],
        minutes=seconds / 60,
        epoch=epoch,
    )
