"""`rnnlp.load`: a trained model, or several together, ready to be called on texts."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.folder import open_folder
from rnnlp.tasks.registry import pipeline_of


def load(
    model: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    revision: str | None = None,
) -> Any:
    """A trained model, ready to be called on texts.

    Args:
        model: A model folder, or a hub id. Of several, which must be alike in labels and
            vocabularies, the mean answers (an ensemble): probabilities of classifiers, scores of
            taggers, each step of translators.
        revision: Version of a hub's model: a commit, a tag or a branch.

    Returns:
        The pipeline of its task, such as `TaggingPipeline`.

    Raises:
        InputError: There is no such model, its files are damaged, or several are not alike.
    """
    if not isinstance(model, str | os.PathLike):
        if not model:
            raise InputError("no model is named")
        first, *others = (load(each, revision=revision) for each in model)
        return first.ensemble(others) if others else first
    return pipeline_of(open_folder(model, revision=revision))
