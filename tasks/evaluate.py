"""`rnnlp evaluate`: scores a model on a file, as a table or as one JSON object."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from .arguments import OneLineParser


def evaluate(arguments: Sequence[str]) -> int:
    """Runs `rnnlp evaluate` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp evaluate", description="Scores a model on a file.", allow_abbrev=False
    )
    parser.add_argument("model", metavar="MODEL", help="a model folder or a hub id")
    parser.add_argument("data", metavar="DATA", help="a file in any format that training accepts")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--format", default="auto", help="the format of DATA (default: look at it)")
    parser.add_argument("--token_column", type=int, help="column of the tokens, from 1")
    parser.add_argument("--tag_column", type=int, help="column of the tags, from 1")
    given = parser.parse_args(list(arguments))

    from .pipeline import load
    from .tagging_evaluation import evaluate_tagging

    result, policy, notes = evaluate_tagging(
        load(given.model),
        given.data,
        format=given.format,
        token_column=given.token_column,
        tag_column=given.tag_column,
    )
    for note in notes:
        print(f"note: {note}", file=sys.stderr)
    if given.json:
        print(json.dumps(result, ensure_ascii=False))
    else:
        print(table(result, policy))
    return 0


def table(result: Mapping[str, Any], policy: str) -> str:
    """The scores for people, in percent."""
    lines = []
    if "per_type" in result:
        rows = [("all", result), *result["per_type"].items()]
        width = max(len(name) for name, _ in rows)
        lines.append(f"{'':<{width}}  precision  recall      F1   entities")
        total = sum(scores["support"] for scores in result["per_type"].values())
        for name, scores in rows:
            numbers = "".join(
                f"{100 * scores[key]:>{space}.2f}"
                for key, space in (("precision", 9), ("recall", 8), ("f1", 8))
            )
            lines.append(f"{name:<{width}}  {numbers}  {scores.get('support', total):>9,}")
        lines.append(f"invalid sequences: {result['invalid_sequences']}")
    else:
        lines.append(f"accuracy {100 * result['accuracy']:.2f}")
    lines.append(f"policy: {policy}")
    lines.append(
        f"{result['examples']:,} sentences in {result['seconds']:.1f} s, "
        f"{result['tokens_per_second']:,} tokens per second"
    )
    return "\n".join(lines)
