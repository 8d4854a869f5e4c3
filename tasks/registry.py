"""Which tasks there are, and where each of them lives: the one place that maps a name to code.

Everything is imported on demand, so that using a model never imports what training needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from ..data.errors import InputError

if TYPE_CHECKING:
    from rnnlp.data.datamodule.base import SequenceData
    from rnnlp.data.joint.datamodule import JointData
    from rnnlp.tasks.base.module import TaskModule
    from rnnlp.tasks.classification.pipeline import ClassificationPipeline
    from rnnlp.tasks.generation.pipeline import GenerationPipeline
    from rnnlp.tasks.joint.pipeline import JointPipeline
    from rnnlp.tasks.model_folder.folder import ModelFolder
    from rnnlp.tasks.tagging.pipeline import TaggingPipeline
    from rnnlp.tasks.translation.pipeline import TranslationPipeline

    Pipeline: TypeAlias = (
        TaggingPipeline
        | ClassificationPipeline
        | TranslationPipeline
        | GenerationPipeline
        | JointPipeline
    )

TASKS = ("tagging", "classification", "translation", "generation", "joint")


def training_classes(task: str) -> tuple[type[TaskModule], type[SequenceData | JointData]]:
    """The LightningModule and the LightningDataModule of a task."""
    if task == "tagging":
        from rnnlp.data.tagging.datamodule import TaggingData
        from rnnlp.tasks.tagging.module import Tagging

        return Tagging, TaggingData
    if task == "classification":
        from rnnlp.data.classification.datamodule import ClassificationData
        from rnnlp.tasks.classification.module import Classification

        return Classification, ClassificationData
    if task == "translation":
        from rnnlp.data.translation.datamodule import TranslationData
        from rnnlp.tasks.translation.module import Translation

        return Translation, TranslationData
    if task == "generation":
        from rnnlp.data.generation.datamodule import GenerationData
        from rnnlp.tasks.generation.module import Generation

        return Generation, GenerationData
    if task == "joint":
        from rnnlp.data.joint.datamodule import JointData
        from rnnlp.tasks.joint.module import Joint

        return Joint, JointData
    raise ValueError(f"unknown task {task!r}")


def pipeline_of(folder: ModelFolder) -> Pipeline:
    """The trained model of a folder, ready for use.

    Raises:
        InputError: A model for a task that this version does not have.
    """
    if folder.task == "tagging":
        from rnnlp.tasks.tagging.pipeline import TaggingPipeline

        return TaggingPipeline.from_folder(folder)
    if folder.task == "classification":
        from rnnlp.tasks.classification.pipeline import ClassificationPipeline

        return ClassificationPipeline.from_folder(folder)
    if folder.task == "translation":
        from rnnlp.tasks.translation.pipeline import TranslationPipeline

        return TranslationPipeline.from_folder(folder)
    if folder.task == "generation":
        from rnnlp.tasks.generation.pipeline import GenerationPipeline

        return GenerationPipeline.from_folder(folder)
    if folder.task == "joint":
        from rnnlp.tasks.joint.pipeline import JointPipeline

        return JointPipeline.from_folder(folder)
    from rnnlp.tasks.model_folder.folder import CONFIG

    raise InputError(
        f"is a model for the task {folder.task!r}, which this rnnlp does not know: upgrade it",
        path=str(folder.path / CONFIG),
    )


def part_of(pipeline: Pipeline, task: str | None) -> Pipeline:
    """What a model has for one task: of a joint model a part, of any other the whole.

    Raises:
        InputError: It is not for that task, or is for several and none is named.
    """
    if pipeline.task == "joint":
        if task in ("tagging", "classification"):
            part: Pipeline = getattr(pipeline, task)
            return part
        if task is None:
            raise InputError(
                "this model is for tagging and for classification: say with --task which of them "
                "is to be scored"
            )
    elif task in (None, pipeline.task):
        return pipeline
    raise InputError(f"this model is for {pipeline.task}, not for {task}")


def evaluate_file(
    pipeline: Pipeline, path: str, *, format: str, options: Mapping[str, str | int]
) -> tuple[dict[str, Any], str, list[str]]:
    """Scores a trained model on a file.

    Args:
        pipeline: The model, for one task.
        path: The file.
        format: Its format, or "auto".
        options: Options that only some tasks have, without those that were not given.

    Returns:
        The scores, the policy by which they were counted, and notes on the data.

    Raises:
        InputError: The file does not fit, or an option belongs to another task.
    """
    evaluation: Callable[..., tuple[dict[str, Any], str, list[str]]]
    known: tuple[str, ...]
    if pipeline.task == "tagging":
        from rnnlp.tasks.tagging.evaluation import evaluate_tagging as evaluation

        known = ("token_column", "tag_column")
    elif pipeline.task == "classification":
        from rnnlp.tasks.classification.evaluation import evaluate_classification as evaluation

        known = ("text_column", "label_column")
    elif pipeline.task == "generation":
        from rnnlp.tasks.generation.evaluation import evaluate_generation as evaluation

        known = ("separator", "text_column")
    else:
        from rnnlp.tasks.translation.evaluation import evaluate_translation as evaluation

        known = ("source_column", "target_column", "against", "beam_size")
    if odd := sorted(set(options).difference(known)):
        raise InputError(
            f"--{odd[0]} says nothing to a model for {pipeline.task}, which has "
            f"{' and '.join(f'--{name}' for name in known)}"
        )
    return evaluation(pipeline, path, format=format, **options)
