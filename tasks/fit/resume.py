"""Whether a run can go on from a checkpoint: the file is whole, data and settings are its own.

Of the settings some may change (`CHANGEABLE`), and then hold from there on; all others are refused
by name. How the checkpoint is written is in `checkpoints.py`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.optimizer import TO_ZERO

from .checkpoints import RATE, ResumePoint

SCHEDULE = "model.optimizer.schedule"
# Files may lie elsewhere, since their content is compared; a test split changes nothing.
CHANGEABLE = re.compile(
    r"trainer\.|early_stopping|checkpoint_|data\.(.*\.)?"
    r"(train|validation|test|hub|revision|num_workers|evaluation_max_tokens)$"
    rf"|{re.escape(RATE)}$"
)


def fingerprint(model: Any, data: Any) -> dict[str, str]:
    """Identifies architecture, labels, vocabularies and examples: a run goes on with no others."""
    settings = json.dumps(model.settings.to_json(), sort_keys=True, ensure_ascii=False)
    vocabularies = hashlib.sha256()
    with tempfile.TemporaryDirectory() as folder:
        data.save_tokenizers(folder)
        for file in sorted(Path(folder).iterdir()):
            vocabularies.update(file.name.encode() + file.read_bytes())
    return {
        **{f"data.{split}": digest for split, digest in data.digests().items()},
        "the vocabulary": vocabularies.hexdigest(),
        "the model": hashlib.sha256(settings.encode()).hexdigest(),
    }


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings with their dotted names."""
    for name, value in values.items():
        if isinstance(value, Mapping) and value and "class_path" not in value:
            yield from flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def check_resume(point: ResumePoint) -> list[str]:
    """Compares a checkpoint with the run that is to go on from it.

    Args:
        point: That of the run, whose file is the checkpoint.

    Returns:
        Notes on the settings that are others from here on.

    Raises:
        InputError: The file is damaged, or the run is another one.
    """
    state = read_state(point.path)
    notes = []
    for key, value in point.settings.items():
        before = state["settings"].get(key, value)
        if before == value:
            continue
        if not CHANGEABLE.match(key):
            raise InputError(
                f"{key} was {_plain(before)} and is now {_plain(value)}: a run that goes on keeps "
                "it; leave it out, or start again with --overwrite",
                path=str(point.path),
            )
        notes.append(f"{key} is {_plain(value)} from here on, and was {_plain(before)}")
    kind = point.settings.get(SCHEDULE)
    if kind in TO_ZERO and any(re.search(r"max_(epoch|step)s ", n) for n in notes):
        notes.append(f"the {kind} schedule now ends elsewhere, so that the learning rate jumps")
    kept = state["fingerprint"]
    changed = [name for name, value in point.fingerprint.items() if kept.get(name) != value]
    if changed:
        raise InputError(
            f"was made with other training data or other settings ({', '.join(changed)} changed): "
            "use the same ones, or --overwrite to start again",
            path=str(point.path),
        )
    return notes


def _plain(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)


def read_state(checkpoint: Path) -> dict[str, Any]:
    """What the `ResumePoint` of an earlier run kept.

    Raises:
        InputError: The file is no checkpoint, or damaged: it holds checksums of all its parts.
    """
    try:
        with zipfile.ZipFile(checkpoint) as archive:
            if (part := archive.testzip()) is not None:
                raise InputError(
                    f"is damaged ({part}): start again with --overwrite", path=str(checkpoint)
                )
        states = torch.load(checkpoint, map_location="cpu", weights_only=True)["callbacks"]
        state: dict[str, Any] = states["ResumePoint"]
        return {"settings": state["settings"], "fingerprint": dict(state["fingerprint"])}
    except InputError:
        raise
    except Exception as error:
        raise InputError(
            "is not a checkpoint of this rnnlp, or is damaged: start again with --overwrite",
            path=str(checkpoint),
        ) from error
