"""`rnnlp.load` and `rnnlp.load_encoder`: a trained model, or its encoder alone, ready to use."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.folder import CONFIG, open_folder
from rnnlp.tasks.registry import pipeline_of
from rnnlp.tasks.runtime.cores import check_parallel


def load(
    model: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    revision: str | None = None,
    threads: int | None = None,
) -> Any:
    """A trained model, ready to be called on texts.

    Args:
        model: A model folder, or a hub id. Of several, which must be alike in labels and
            vocabularies, the mean answers (an ensemble): probabilities of classifiers, and where a
            text may have several labels the thresholds of each; scores of taggers; each step of
            translators, which search as the first of them does.
        revision: Version of a hub's model: a commit, a tag or a branch.
        threads: Cores that answers are computed on, as many as torch or ONNX Runtime takes if not
            given. On torch a short text alone is always computed on one: that is faster.

    Returns:
        The pipeline of its task, such as `TaggingPipeline`.

    Raises:
        InputError: There is no such model, its files are damaged, or several are not alike; or
            the threads are none, or more than the cores.
    """
    if threads is not None:
        if type(threads) is not int:
            raise InputError(f"threads is {threads!r}: give a whole number")
        check_parallel(threads, "threads")
    places: Any
    stamps: Any
    if not isinstance(model, str | os.PathLike):
        if isinstance(model, bytes) or not isinstance(model, Iterable):
            raise InputError(f"{model!r:.60} is no model: give its folder, or a list of folders")
        if not model:
            raise InputError("no model is named")
        members = [load(each, revision=revision, threads=threads) for each in model]
        pipeline = members[0].ensemble(members[1:]) if len(members) > 1 else members[0]
        places, stamps = zip(*(each.origin[1][:2] for each in members), strict=True)
    else:
        folder = open_folder(model, revision=revision)
        pipeline = pipeline_of(folder._replace(threads=threads))
        pipeline.threads = threads
        places = os.path.abspath(model) if os.path.exists(model) else os.fspath(model)
        stamps = (folder.path / CONFIG).stat().st_mtime_ns
    pipeline.origin = (_load_again, (places, stamps, revision, threads))
    return pipeline


def load_encoder(model: str | os.PathLike[str] | Sequence[str]) -> Any:
    """Tokenizer, embedding and encoder of any trained model, which make vectors of texts.

    Args:
        model: A model folder, an exported one, or a hub id; or two language models of one direction
            each, forward and backward, which together make an encoder of two directions.

    Returns:
        A `PretrainedEncoder`, which is an `nn.Module`, in evaluation mode: call `.train()` where it
        is to be trained on with its dropout. Of an exported folder an `ExportedEncoder`, which
        gives `arrays` and needs no torch.

    Raises:
        InputError: There is no such model, its files are damaged, or two do not fit each other.
    """
    if not isinstance(model, str | os.PathLike):
        from .encoder import joined_encoder

        return joined_encoder(model)
    pipeline = load(model)
    if pipeline.exported:
        from .exported_encoder import ExportedEncoder

        return ExportedEncoder(pipeline, os.fspath(model))
    from .encoder import encoder_of

    return encoder_of(pipeline, os.fspath(model))


def _load_again(model: Any, stamp: Any, revision: str | None, threads: int | None) -> Any:
    """A pipeline that was pickled; the stamp tells two models that lay in one folder apart, for
    those who compare pickles as `datasets` does.
    """
    return load(model, revision=revision, threads=threads)
