"""The settings of a run that follow from the encoder that it reuses, or the model it goes on from.

`model.encoder_from` brings sizes, cell, features and vocabulary along, `model.continue_from` all
that a model was built from, and its labels. Settings of configs that lie
below the one that names it (a shipped config, say) give way to them, with a note; settings beside
it or above it that say something else are a mistake, unless they tell the encoder more of a token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TOKENS_FILE
from rnnlp.data.text.tokenizer import Tokenizer
from rnnlp.tasks.base.growing import FormerModel
from rnnlp.tasks.base.reused_encoder import plain, read_encoder
from rnnlp.tasks.base.transfer import adds, mismatch
from rnnlp.tasks.registry import attribute, task_spec

from .config_files import key_lines

ENCODER, WHOLE = "model.encoder_from", "model.continue_from"


class Given(NamedTuple):
    """One place where settings come from: a file, or the command line."""

    path: str | None
    keys: Mapping[str, int | None]  # dotted, with their line


def follow_models(
    *,
    task: str,
    configs: Sequence[Path],
    arguments: Sequence[str],
    parse: Callable[[Sequence[str]], Any],
    levels: Sequence[str],
    one_direction: bool,
) -> tuple[list[str], list[str]]:
    """What the reused encoder, or the model that training goes on from, decides.

    Args:
        task: What is trained.
        configs: The config files; later ones win.
        arguments: The command line, which wins over them.
        parse: Reads all of that, given the command line.
        levels: The values of `data.level` that follow from the encoder.
        one_direction: Whether the task reads from start to end only.

    Returns:
        Arguments to put behind the given ones, and notes on settings that gave way to them. Both
        are empty where no model is reused.

    Raises:
        InputError: A setting contradicts that model.
    """
    places = [Given(str(file), dict(key_lines(file))) for file in configs]
    places.append(Given(None, dict.fromkeys(map(_key, arguments))))
    named = {
        key: [number for number, place in enumerate(places) if key in place.keys]
        for key in (ENCODER, WHOLE)
    }
    if not any(named.values()):
        return [], []
    # What would print or leave is for the second reading, with the settings as they will be.
    config = parse(
        [part for part in arguments if not part.startswith(("--print_config", "--help"))]
    )
    if config.get(WHOLE) is not None:
        decided, model = _of_model(config, task), str(config.get(WHOLE))
        place = named[WHOLE][-1]
    elif config.get(ENCODER) is not None:
        decided, model = _of_encoder(config, levels, one_direction)
        place = named[ENCODER][-1]
    else:
        return [], []
    return _settled(decided, model, config, places, above=place)


def _of_encoder(
    config: Any, levels: Sequence[str], one_direction: bool
) -> tuple[dict[str, Any], str]:
    """What a reused encoder decides, and its name."""
    reused = read_encoder(
        config.get(ENCODER), one_direction=one_direction, backward=bool(config.get("data.reverse"))
    )
    decided = reused.settings()
    if config.get("model.recurrent") is False:  # a bag of embeddings has no encoder to be decided
        decided = {key: value for key, value in decided.items() if ".encoder." not in key}
    decided["data.tokenizer_from"] = str(reused.path)
    level = Tokenizer.load(reused.path / TOKENS_FILE).level
    if level in levels:
        decided["data.level"] = level
    return decided, f"the encoder of {reused.name}"


def _of_model(config: Any, task: str) -> dict[str, Any]:
    """What a model that training goes on from decides."""
    former = FormerModel(config.get(WHOLE), attribute(task_spec(task).pipeline))
    decided = former.followed()
    decided["data.tokenizer_from"] = str(former.path)
    decided["data.extend_vocabulary"] = True
    decided["data.level"] = former.featurizer.level
    if "model.multilabel" in decided:
        decided["data.multilabel"] = decided.pop("model.multilabel")
    if getattr(former.settings, "scheme", None) is not None:
        decided["data.scheme"] = former.settings.scheme
    decided["data.further_labels"] = former.labels
    return decided


def _settled(
    decided: Mapping[str, Any], model: str, config: Any, places: Sequence[Given], *, above: int
) -> tuple[list[str], list[str]]:
    """Arguments and notes, where the model is named by the place with number `above`."""
    more, notes = [], []
    for key, value in decided.items():
        own = config.get(key)
        said = [place for place in places[above:] if key in place.keys]
        if own == value or (said and "dropout" in key):  # which changes no weight
            continue
        if said and adds(key, own, value):
            if config.get("model.freeze_encoder") and config.get("model.unfreeze_epoch") is None:
                raise InputError(
                    f"{key} is {plain(own)}, and {model} has {plain(value)}: frozen, it cannot "
                    f"learn to read more; set model.unfreeze_epoch, or leave {key} out",
                    path=said[-1].path,
                    line=said[-1].keys[key],
                )
            continue
        more.append(f"--{key}={_written(value)}")
        if own is None:
            continue
        for place in said:
            raise InputError(
                mismatch(key, own, value, model), path=place.path, line=place.keys[key]
            )
        if any(key in place.keys for place in places):
            notes.append(f"{key} is {plain(value)}, as in {model}, not {plain(own)}")
    return more, notes


def _key(argument: str) -> str:
    named = re.match(r"--([\w.]+)", argument)
    return named[1] if named else ""


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
