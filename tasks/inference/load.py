"""`rnnlp.load`: a trained model, ready to be called on texts."""

from __future__ import annotations

import os
from typing import Any

from rnnlp.tasks.model_folder.folder import open_folder
from rnnlp.tasks.registry import pipeline_of


def load(model: str | os.PathLike[str], *, revision: str | None = None) -> Any:
    """A trained model, ready to be called on texts.

    Args:
        model: A model folder, or a hub id.
        revision: Version of a hub's model: a commit, a tag or a branch.

    Returns:
        The pipeline of its task, such as `TaggingPipeline`.

    Raises:
        InputError: There is no such model, or its files are damaged.
    """
    return pipeline_of(open_folder(model, revision=revision))
