"""Loads the splits of a data set of the hub, or of a local folder of such a data set."""

from __future__ import annotations

import sys
from typing import Literal

import datasets

from rnnlp.data.errors import InputError

Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


def load_splits(name: str, *, revision: str | None) -> dict[str, datasets.Dataset]:
    """The splits that there are, `train` first.

    Args:
        name: Id of the data set, or a local folder that `datasets` can load.
        revision: A commit, a tag or a branch.

    Raises:
        InputError: Where it cannot be loaded, or lacks the training split.
    """
    if not sys.stderr.isatty():
        datasets.disable_progress_bars()
    try:
        splits = datasets.load_dataset(name, revision=revision)
    except Exception as error:  # hub, network, format: each library raises its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"cannot be loaded by datasets: {reason}", path=name) from error
    if "train" not in splits:
        raise InputError(f"no train split, only {', '.join(map(str, splits))}", path=name)
    return {split: splits[split] for split in SPLITS if split in splits}
