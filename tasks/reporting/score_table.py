"""Scores as a table for people; imports nothing that takes time.

What a task's scores are is laid out by its own `score_lines`; here is what these share.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rnnlp.data.errors import printable

ScoreLines = Callable[[Mapping[str, Any], Any], list[str]]


def score_table(result: Mapping[str, Any], policy: Any, lines: ScoreLines, *, unit: str) -> str:
    """The scores of a file or a split for people.

    Args:
        result: The scores.
        policy: How they were counted.
        lines: Lays them out.
        unit: What an example is called.
    """
    speed = (
        f"{result['examples']:,} {unit} in {result['seconds']:.1f} s, "
        f"{result['tokens_per_second']:,} tokens per second"
    )
    return "\n".join(map(printable, [*lines(result, policy), speed]))


def rate_lines(rows: Mapping[str, Mapping[str, Any]], what: str) -> list[str]:
    """Precision, recall, F1 in per cent and the number of examples, a line each.

    Args:
        rows: By name: `precision`, `recall`, `f1` from 0 to 1, and `support`.
        what: The heading of the last column.
    """
    width = max(len(name) for name in rows)
    lines = [f"{'':<{width}}  precision  recall      F1{what:>11}"]
    for name, scores in rows.items():
        numbers = "".join(
            f"{100 * scores[key]:>{space}.2f}"
            for key, space in (("precision", 9), ("recall", 8), ("f1", 8))
        )
        lines.append(f"{name:<{width}}  {numbers}  {scores['support']:>9,}")
    return lines
