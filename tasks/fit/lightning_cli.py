"""The settings of `rnnlp fit`: LightningCLI reads them and builds data, model and trainer.

What a setting means stands in the docstring of the class that takes it; here is only what joins
them. Errors about settings are worded in `setting_errors.py`; training itself is in `run.py`.
"""

from __future__ import annotations

import argparse
import logging
import math
import os
import sys
import time
import warnings
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from jsonargparse import Namespace
from pytorch_lightning import Trainer
from pytorch_lightning.accelerators import CPUAccelerator
from pytorch_lightning.callbacks import Callback, RichProgressBar
from pytorch_lightning.cli import LightningArgumentParser, LightningCLI
from pytorch_lightning.loggers import CSVLogger, Logger, TensorBoardLogger
from pytorch_lightning.strategies import DDPStrategy, SingleDeviceStrategy
from pytorch_lightning.strategies.launchers import _MultiProcessingLauncher
from pytorch_lightning.utilities.exceptions import MisconfigurationException

from rnnlp.data.datamodule.samplers import Share
from rnnlp.data.errors import InputError, note
from rnnlp.tasks.base.own_parts import attribute, import_parts
from rnnlp.tasks.base.processes import is_first
from rnnlp.tasks.model_folder.atomic import exclusive
from rnnlp.tasks.model_folder.folder import CHECKPOINTS, LOGS, holds_model
from rnnlp.tasks.registry import task_spec
from rnnlp.tasks.runtime.cores import check_parallel

from .averaging import ExponentialMovingAverage  # noqa: F401 - configs name it
from .checkpoints import EarlyStopping, KeepBest, ResumePoint, is_dry_run
from .config_files import is_shipped, key_lines
from .interrupt import GracefulInterrupt
from .resume import fingerprint, flat
from .setting_errors import FOLLOWS, check_keys, located, one_line, wrong_value
from .transfer_settings import ENCODER, WHOLE, follow_models

LAST, BEST = "last.ckpt", "best.safetensors"


@dataclass(frozen=True, kw_only=True)
class FitRequest:
    """What `rnnlp fit` was asked to do.

    Args:
        task: Name of the task.
        configs: Config files; later ones win.
        arguments: Settings from the command line, which win over the files.
        output: The model folder.
        resume: Whether to go on from the last checkpoint in it.
        overwrite: Whether a model in it may be replaced.
        callbacks: What else happens beside training, such as measuring it.
    """

    task: str
    configs: list[Path]
    arguments: list[str]
    output: Path
    resume: bool
    overwrite: bool
    callbacks: Sequence[Callback] = ()


class FitCommand(LightningCLI):
    """Reads the settings and builds data, model and trainer, in this order; runs nothing."""

    def __init__(self, request: FitRequest, held: ExitStack | None = None) -> None:
        self.request = request
        self.held = held
        self.stop = GracefulInterrupt()
        spec = task_spec(request.task)
        module, data = attribute(spec.module), attribute(spec.data)
        self.module = module
        arguments = [part for file in request.configs for part in ("--config", str(file))]
        super().__init__(
            module,
            data,
            args=[*arguments, *request.arguments],
            run=False,
            save_config_callback=None,
            seed_everything_default=1,
            auto_configure_optimizers=False,
            load_from_checkpoint_support=False,
            trainer_defaults={
                "max_epochs": 30,
                "devices": 1,
                "gradient_clip_val": 5.0,
                "log_every_n_steps": 10,
                "num_sanity_val_steps": 0,
                "enable_model_summary": False,
                "use_distributed_sampler": False,  # our samplers deal the batches out
            },
            parser_kwargs={
                "prog": "rnnlp fit",
                "description": f"Trains a model for {request.task}; writes a model folder.",
                "exit_on_error": False,
                "allow_abbrev": False,
            },
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Adds what Lightning does not know, and what the model learns from the data."""
        request = self.request
        parser.add_argument("--task", default=request.task, help="What kind of model is trained.")
        parser.add_argument("--base", default=None, help="The config that this one is laid over.")
        parser.add_argument("--output", default=str(request.output), help="The model folder.")
        parser.add_argument(
            "--resume", action="store_true", help="Go on from the last checkpoint in the folder."
        )
        parser.add_argument(
            "--overwrite", action="store_true", help="Replace the model in the folder."
        )
        parser.add_argument(
            "--checkpoint_seconds",
            type=float,
            default=60.0,
            help="Seconds between two points to resume from.",
        )
        parser.add_argument(
            "--checkpoint_steps",
            type=int | None,
            default=None,
            help="Steps between two points to resume from, instead of seconds.",
        )
        parser.add_argument(
            "--early_stopping",
            type=EarlyStopping | None,
            default=EarlyStopping(),
            help="--early_stopping.patience: validations without a better one before training "
            "stops; --early_stopping.min_steps: steps that a run has at least; null for never.",
        )
        self.module.link(parser)

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parses; Lightning's version warns when `sys.argv` is not empty."""
        known = {action.dest for action in parser._actions} - FOLLOWS.keys()
        known -= {name for name in known if name.endswith(".help")}
        known |= {f"early_stopping.{field.name}" for field in fields(EarlyStopping)}
        check_keys(self.request.configs, known)
        configs = list(args[: len(args) - len(self.request.arguments)])
        try:
            more, self.reuse_notes = follow_models(
                task=self.request.task,
                configs=self.request.configs,
                arguments=self.request.arguments,
                parse=lambda more_arguments: parser.parse_args([*configs, *more_arguments]),
                levels=self.module.levels,
                one_direction=self.module.one_direction,
            )
            self.config = parser.parse_args([*args, *more])
            import_parts(self.config.items())
        except argparse.ArgumentError as error:
            raise wrong_value(
                error, known, configs=self.request.configs, arguments=self.request.arguments
            ) from error
        seed = self.config["seed_everything"]
        if isinstance(seed, int) and not 0 <= seed < 2**32:
            raise InputError(f"seed_everything is {seed}: it takes a number from 0 to {2**32 - 1}")

    def before_instantiate_classes(self) -> None:
        """Refuses to touch another model, before the data is read."""
        output, resume = self.request.output, self.request.resume
        if output.exists() and not output.is_dir():
            raise InputError("is a file; --output takes a folder", path=str(output))
        if not is_first():  # the first process has looked, and is writing
            return
        if self.held is not None and not self.config["trainer.fast_dev_run"]:
            self.held.enter_context(exclusive(output))
        last = output / CHECKPOINTS / LAST
        if resume and not last.exists():
            raise InputError("nothing to resume: there is no checkpoint", path=str(last))
        reused = self.config.get(WHOLE) or self.config.get(ENCODER) or ()
        for model in [reused] if isinstance(reused, str) else reused:
            if output.exists() and Path(model).exists() and output.samefile(model):
                raise InputError(
                    "is the model that is reused, and needed until training has ended: name "
                    "another --output",
                    path=str(output),
                )
        if holds_model(output) and not resume and not self.request.overwrite:
            what = "--overwrite to replace it"
            if last.exists():
                what = f"--resume to go on with it, {what}"
            raise InputError(
                f"holds a model already: use {what}, or another --output", path=str(output)
            )

    def instantiate_trainer(self, **kwargs: Any) -> Trainer:
        """The trainer, with loggers under the output folder and our callbacks."""
        output, config = self.request.output, self.config
        settings = self._get(self.config_init, "trainer")
        settings["default_root_dir"] = settings.get("default_root_dir") or str(output)
        logger = settings.get("logger")
        self.loggers: list[Logger] = []  # the user's
        if logger is not False:
            run = f"run_{time.strftime('%Y%m%d_%H%M%S')}"
            csv = CSVLogger(str(output), name=LOGS, version=run)  # what the curves are drawn from
            if logger is None or logger is True:
                settings["logger"] = [csv, TensorBoardLogger(str(output), name=LOGS, version=run)]
            else:
                self.loggers = [logger] if isinstance(logger, Logger) else list(logger)
                settings["logger"] = [csv, *self.loggers]
        terminal = sys.stderr.isatty()
        if settings.get("enable_progress_bar") is None:
            settings["enable_progress_bar"] = terminal
        model = self.model
        self.best = KeepBest(
            output / CHECKPOINTS / BEST,
            monitor=model.monitor,
            higher_is_better=model.higher_is_better,
            weights=model.network.state_dict,
            floor=model.score_floor,
            stopping=config["early_stopping"] and EarlyStopping(**config["early_stopping"]),
        )
        self.resume_point = ResumePoint(
            output / CHECKPOINTS / LAST,
            every_seconds=config["checkpoint_seconds"],
            every_steps=config["checkpoint_steps"],
            fingerprint=fingerprint(model, self.datamodule),
            settings=dict(flat(yaml.safe_load(self.resolved_config()))),
        )
        own: list[Callback] = [*self.request.callbacks, self.stop, self.best, self.resume_point]
        if settings["enable_progress_bar"] and terminal:
            own.append(RichProgressBar(leave=False, console_kwargs={"stderr": True}))
        settings["callbacks"] = [*(settings.get("callbacks") or []), *own]
        trainer: Trainer = super().instantiate_trainer(**kwargs)
        if model.leaves_out and isinstance(trainer.strategy, DDPStrategy):
            # However the strategy was named: there is no public way to say so afterwards.
            trainer.strategy._ddp_kwargs.setdefault("find_unused_parameters", True)
        share = process_share(trainer, config["trainer.strategy"])
        self.datamodule.deal(share)
        if ahead := self.datamodule.options.num_workers:
            check_parallel(ahead, "data.num_workers")
        self.resume_point.fingerprint["the number of processes"] = str(share.of)
        self._allow_steps(trainer)
        return trainer

    def _allow_steps(self, trainer: Trainer) -> None:
        """Raises the epochs of a shipped config that would end a run before `min_steps`: few
        examples make few batches an epoch. What the user says stays.
        """
        stopping, epochs = self.best.stopping, trainer.max_epochs
        said = any(part.startswith("--trainer.max_") for part in self.request.arguments) or any(
            name in ("trainer.max_epochs", "trainer.max_steps")
            for file in self.request.configs
            if not is_shipped(file)
            for name, _ in key_lines(file)
        )
        if stopping is None or said or is_dry_run(trainer) or not epochs or epochs < 0:
            return
        batches = len(self.datamodule.train_dataloader())
        steps = math.ceil(batches / trainer.accumulate_grad_batches)
        needed = math.ceil(stopping.min_steps / steps)
        if needed > epochs:
            note(
                f"{steps} steps an epoch: trainer.max_epochs is {needed}, not {epochs}, for the "
                f"{stopping.min_steps} steps of early_stopping.min_steps"
            )
            trainer.fit_loop.max_epochs = self.config["trainer.max_epochs"] = needed

    def resolved_config(self) -> str:
        """Every setting as YAML, fit to be given as `--config` again."""
        config = self.config.clone()
        for key in ("config", "base", "output", "resume", "overwrite"):
            config.pop(key, None)
        text: str = self.parser.dump(config, skip_unset=False, skip_validation=True)
        return text


class DataCommand(FitCommand):
    """Reads the same settings and builds the data module alone; None where no file is named.

    Of several files without one to train on, the first says how all are laid out.
    """

    def instantiate_classes(self) -> None:
        """Builds the data module, which reads nothing yet."""
        settings = self.config["data"].clone()
        settings["train"] = settings["train"] or settings["validation"] or settings["test"]
        self.datamodule = None
        if settings["train"] is not None:
            parser = LightningArgumentParser()
            parser.add_lightning_class_args(attribute(task_spec(self.request.task).data), "data")
            self.datamodule = parser.instantiate(Namespace(data=settings))["data"]


def process_share(trainer: Trainer, named: str) -> Share:
    """What this process has of every batch.

    Args:
        trainer: The trainer.
        named: Its strategy, as the settings name it.

    Raises:
        InputError: The processes are too many, or started, or share the model, in a way that is not
            ours.
    """
    strategy = trainer.strategy
    if isinstance(strategy.accelerator, CPUAccelerator):
        check_parallel(trainer.num_devices, "trainer.devices")
    known = isinstance(strategy, SingleDeviceStrategy | DDPStrategy)
    if not known or isinstance(strategy.launcher, _MultiProcessingLauncher):
        raise InputError(
            f"trainer.strategy {named!r} is not one that rnnlp trains with: take ddp, which starts "
            "one process for each of trainer.devices (or torchrun, which starts them itself)"
        )
    return Share(trainer.global_rank, trainer.world_size)


def build(
    request: FitRequest, held: ExitStack | None = None, *, command: type[FitCommand] = FitCommand
) -> FitCommand:
    """Data, model and trainer from the settings; a wrong setting is named with its place.

    Args:
        request: What is asked for.
        held: Gets the lock of the output folder; None where nothing is written.
        command: What is built of the settings.
    """
    quieten()
    try:
        return command(request, held)
    except InputError as error:
        raise located(error, configs=request.configs, arguments=request.arguments) from error
    except SystemExit as error:
        if error.code in (0, None):  # --help and --print_config
            raise
        raise InputError("the settings could not be read (see rnnlp fit --help)") from error
    except (MisconfigurationException, ValueError) as error:
        cause: BaseException | None = error
        while cause is not None:  # jsonargparse wraps what a constructor raises
            if isinstance(cause, InputError):
                raise located(
                    cause, configs=request.configs, arguments=request.arguments
                ) from error
            cause = cause.__cause__ or cause.__context__
        raise InputError(one_line(error)) from error


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
