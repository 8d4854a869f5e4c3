"""Training a model: Lightning's trainer for the loop, and what stands around it (refusing to
overwrite, resuming, the notes on the data, writing the folder).

`tasks/cli/fit.py` calls it; `lightning_cli.py` reads the settings, `model_writer.py` writes the
folder, and `checkpoints.py` has what happens in between.
"""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from pathlib import Path

import torch

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.atomic import write_atomically
from rnnlp.tasks.model_folder.folder import CHECKPOINTS, TRAINING, clear_folder

from .checkpoints import is_dry_run
from .lightning_cli import LAST, FitRequest, build
from .model_writer import finish


def run_fit(request: FitRequest) -> int:
    """Trains and writes the model folder.

    Raises:
        InputError: The settings or the data are wrong, or the folder holds a model.
    """
    quieten()
    started = time.perf_counter()
    command = build(request)
    model, data, trainer = command.model, command.datamodule, command.trainer
    checkpoint = request.output / CHECKPOINTS / LAST if request.resume else None
    if checkpoint is not None:
        check_fingerprint(checkpoint, command.resume_point.fingerprint)
    for note in [*data.notes, *command.reuse_notes]:
        print(f"note: {note}", file=sys.stderr)
    count = sum(parameter.numel() for parameter in model.parameters())
    print(
        f"training {request.task} with {count:,} parameters; output {request.output}",
        file=sys.stderr,
    )
    dry = is_dry_run(trainer)
    if not dry:
        prepare_folder(request, command.resolved_config())
    try:
        with command.stop:
            trainer.fit(model, datamodule=data, ckpt_path=checkpoint, weights_only=True)
    except SystemExit as error:  # how Lightning passes a second Ctrl-C on
        raise KeyboardInterrupt from error
    if dry:
        print("fast_dev_run: nothing was written", file=sys.stderr)
        return 0
    if trainer.interrupted:
        raise KeyboardInterrupt
    finish(command, seconds=time.perf_counter() - started)
    return 0


def prepare_folder(request: FitRequest, config: str) -> None:
    """Makes the output folder, empty of an earlier model, and notes the settings for `--resume`."""
    if request.overwrite:
        clear_folder(request.output)
    checkpoints = request.output / CHECKPOINTS
    checkpoints.mkdir(parents=True, exist_ok=True)
    write_atomically(checkpoints / TRAINING, lambda part: part.write_text(config, encoding="utf-8"))


def check_fingerprint(checkpoint: Path, fingerprint: str) -> None:
    """Refuses to go on with other data or another model."""
    try:
        states = torch.load(checkpoint, map_location="cpu", weights_only=True)["callbacks"]
        found = states["ResumePoint"]["fingerprint"]
    except Exception as error:
        raise InputError("is not a checkpoint of rnnlp", path=str(checkpoint)) from error
    if found != fingerprint:
        raise InputError(
            "was made with other training data or other model settings: use the same ones, "
            "or --overwrite to start again",
            path=str(checkpoint),
        )


def quieten() -> None:
    """Silences what Lightning says about itself; RNNLP_DEBUG=1 lets it talk."""
    if os.environ.get("RNNLP_DEBUG"):
        return
    for name in ("pytorch_lightning", "lightning_fabric", "pytorch_lightning.utilities.rank_zero"):
        logging.getLogger(name).setLevel(logging.ERROR)
    for module in (
        "pytorch_lightning",
        "lightning_fabric",
        "torchmetrics",
        "jsonargparse",
        "torch",
    ):
        warnings.filterwarnings("ignore", module=rf"{module}(\.|$)")
