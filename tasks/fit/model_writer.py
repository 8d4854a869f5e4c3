"""The end of training: the best weights are scored once more and the model folder is written."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from rnnlp.data.errors import note
from rnnlp.tasks.base.own_parts import attribute
from rnnlp.tasks.base.ratios import interval_lines
from rnnlp.tasks.model_folder.folder import CURVES, LOGS, save_folder
from rnnlp.tasks.model_folder.versions import rnnlp_version
from rnnlp.tasks.registry import task_spec
from rnnlp.tasks.reporting.learning_curves import draw_curves
from rnnlp.tasks.reporting.model_card import model_card
from rnnlp.tasks.reporting.score_table import score_table

if TYPE_CHECKING:
    from .lightning_cli import FitCommand


def finish(command: FitCommand, *, seconds: float) -> None:
    """Writes the model folder of a finished run and prints its scores to stdout.

    Args:
        command: The run.
        seconds: How long it took.
    """
    model, data, request, best = command.model, command.datamodule, command.request, command.best
    trainer = command.trainer
    model.float()  # as it will be loaded, whatever the precision of training
    model.network.load_state_dict(best.best_weights())
    model.calibrate(data.val_dataloader())
    scores = {"validation": timed(model, data.val_dataloader(), calibrated=True)}
    if data.has_test:
        scores["test"] = timed(model, data.test_dataloader())
    metrics: dict[str, Any] = {
        **scores,
        "policy": model.policy,
        "best_epoch": best.epoch + 1,
        "best_step": best.step,
        "learned": best.learned,
        "epochs": trainer.current_epoch,
        "steps": trainer.global_step,
        "training_seconds": round(seconds, 1),
        "rnnlp": rnnlp_version(),
        "torch": str(torch.__version__),
    }
    curves = partial(
        draw_curves, request.output / LOGS, title=request.output.name, best_step=best.step or None
    )
    if command.stop.asked:
        metrics["interrupted"] = True  # of several trainings, this one is not done
    config = command.config.as_dict()
    spec = task_spec(request.task)
    table = partial(
        score_table, policy=model.policy, lines=attribute(spec.score_lines), unit=spec.unit
    )
    card = model_card(
        task=request.task,
        pipeline=model.hub_name,
        title=request.output.name,
        summary=model.summary(),
        data=data.origin,
        notes=data.notes,
        scores=scores,
        heads=spec.heads,
        table=table,
        folder=str(request.output),
        usage=model.usage(model.examples[config["data"].get("level") == "character"]),
        seed=config["seed_everything"],
        versions={"rnnlp": rnnlp_version(), "torch": str(torch.__version__)},
        seconds=seconds,
        epoch=best.epoch + 1,
    )
    save_folder(
        request.output,
        task=request.task,
        model=model.settings.to_json(),
        weights=model.network.state_dict(),
        save_tokenizers=data.save_tokenizers,
        metrics=metrics,
        splits=data.splits(),
        training_config=command.resolved_config(),
        card=card,
        pictures={CURVES: curves, **model.pictures(scores)},
    )
    shown = "  ".join(
        f"{split} {name} {value:.4f}"
        for split, result in scores.items()
        for name, value in model.headlines(result).items()
    )
    if not best.learned:
        note(
            f"the best {model.monitor} is {best.score:.4f}, no more than without learning: give it "
            "more data, more steps, or another learning rate"
        )
    for split, result in scores.items():
        for part in (result, *(result[head] for head in spec.heads if head in result)):
            for line in interval_lines(part, percent=False):
                note(f"{split} {line}")
    print(f"model folder {request.output} written after {seconds:.0f} s", file=sys.stderr)
    print(shown)


def timed(model: Any, batches: Any, *, calibrated: bool = False) -> dict[str, Any]:
    """Scores of a split, with the number of examples and the speed.

    Args:
        model: The module, which scores.
        batches: Those of the split.
        calibrated: Whether `calibrate` has seen the same split.
    """
    examples = tokens = 0
    started = time.perf_counter()

    def counted() -> Any:
        nonlocal examples, tokens
        for batch in batches:
            examples += len(batch.gold)
            tokens += int(batch.features.lengths.sum())
            yield batch

    result = model.score(counted(), calibrated=calibrated)
    seconds = time.perf_counter() - started
    return {
        **result,
        "examples": examples,
        "seconds": round(seconds, 3),
        "tokens_per_second": round(tokens / seconds) if seconds else 0,
    }
