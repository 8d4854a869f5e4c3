"""The scores of a joint model for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rnnlp.tasks.classification.scores import score_lines as classification_lines
from rnnlp.tasks.tagging.scores import score_lines as tagging_lines


def score_lines(result: Mapping[str, Any], policy: Mapping[str, str]) -> list[str]:
    """The scores of each task as lines for people, one task after the other."""
    lines: list[str] = []
    for task, lay_out in (("tagging", tagging_lines), ("classification", classification_lines)):
        if task in result:
            lines += [f"{task}:", *lay_out(result[task], policy[task]), ""]
    return lines
