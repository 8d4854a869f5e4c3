"""`rnnlp.load`: a trained model, ready to be called on texts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rnnlp.tasks.model_folder.folder import open_folder
from rnnlp.tasks.registry import pipeline_of

if TYPE_CHECKING:
    from rnnlp.tasks.registry import Pipeline


def load(model: str | os.PathLike[str]) -> Pipeline:
    """A trained model, ready to be called on texts.

    Args:
        model: A model folder, or a hub id.

    Raises:
        InputError: There is no such model, or its files are damaged.
    """
    return pipeline_of(open_folder(model))
