"""Embedding and encoder of a trained model: what its folder gives, in the form that is asked for.

Any task gives them, since all networks call these parts `embedding` and `encoder`. An encoder of
two directions can be had in one, and two of one direction as one of two. How they get into another
network is in `transfer.py`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from torch import Tensor, nn

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import TOKENS_FILE
from rnnlp.models.transfer import forward_direction, join_directions
from rnnlp.tasks.model_folder.folder import CONFIG, WEIGHTS, open_folder
from rnnlp.tasks.model_folder.weights import check_shapes

from .components import EmbeddingConfig, EncoderConfig, ModelConfig, Sizes
from .own_parts import find_parts
from .plain import from_plain

# The settings that decide which weights there are. Dropout is left to each task.
EMBEDDING = (
    "size",
    "characters",
    "character_size",
    "character_features",
    "token_features",
    "token_feature_size",
)
ENCODER = (
    "cell",
    "hidden_size",
    "num_layers",
    "bidirectional",
    "residual",
    "layer_norm",
    "look_back",
)
PARTS = ("embedding", "encoder")


class ReusedEncoder(NamedTuple):
    """Embedding and encoder of a trained model."""

    name: str  # the folder or folders, as given
    path: Path  # the folder whose vocabularies belong to it
    task: str  # what it was trained for
    sizes: Sizes
    embedding: EmbeddingConfig
    encoder: EncoderConfig | None  # None for a model without recurrent layers
    weights: dict[str, Tensor]  # `embedding.…` and `encoder.…`
    others: list[str]  # the parts of the model that stay behind

    def settings(self) -> dict[str, Any]:
        """The settings, dotted, that a network must have to take the weights."""
        decided = {
            f"model.embedding.{name}": getattr(self.embedding, name)
            for name in EMBEDDING
            if self._matters(name)
        }
        if self.encoder is not None:
            decided |= {f"model.encoder.{name}": getattr(self.encoder, name) for name in ENCODER}
        return decided

    def beside(self, embedding: EmbeddingConfig) -> list[str]:
        """What an embedding tells of a token that this one does not: attributes, spelling."""
        more: list[str] = [
            name for name in embedding.token_features if name not in self.embedding.token_features
        ]
        return more + ["characters"] * (self.embedding.characters != embedding.characters)

    def _matters(self, name: str) -> bool:
        if name.startswith("character_"):
            return self.embedding.characters != "none"
        return name != "token_feature_size" or bool(self.embedding.token_features)


def read_encoder(
    model: str | os.PathLike[str] | Sequence[str],
    *,
    one_direction: bool = False,
    backward: bool = False,
) -> ReusedEncoder:
    """Reads embedding and encoder of a trained model.

    Args:
        model: A model folder or hub id; or two, of which the first reads from start to end and the
            second from end to start, which together make a bidirectional encoder.
        one_direction: Take of a bidirectional encoder only what reads from start to end.
        backward: Whether it is for a model that reads texts from end to start itself.

    Raises:
        InputError: There is no such model, or its encoder cannot be had in this form.
    """
    names = [os.fspath(model)] if isinstance(model, str | os.PathLike) else list(model)
    if not 1 <= len(names) <= 2:
        raise InputError(
            f"model.encoder_from names {len(names)} models: give one, or two that read in opposite "
            "directions"
        )
    parts = [_read(name) for name in names]
    backwards = [bool(backward) for _, backward in parts]
    encoder = parts[0][0]
    if len(parts) == 2:
        if backwards != [False, True]:
            raise InputError(
                f"{' and '.join(names)}: the first must read from start to end and the second from "
                "end to start, trained with data.reverse true"
            )
        encoder = _joined(encoder, parts[1][0])
    elif backwards[0] and not backward:
        raise backward_alone(names[0])
    if backward and backwards != [True]:
        raise InputError(
            "reads texts from start to end, and data.reverse is true: set it to false, or reuse a "
            "model that was trained with it",
            path=" and ".join(names),
        )
    if one_direction and encoder.encoder is not None and encoder.encoder.bidirectional:
        return _forward_only(encoder)
    return encoder


def no_encoder(name: str) -> InputError:
    """What to say of a model that has neither embedding nor encoder."""
    return InputError("is a linear model on n-grams: it has no encoder", path=name)


def backward_alone(name: str) -> InputError:
    """What to say of a model that reads texts from end to start, named without its counterpart."""
    return InputError(
        "reads texts from end to start: name two models, [FORWARD, BACKWARD], of which it is the "
        "second",
        path=name,
    )


def _read(name: str) -> tuple[ReusedEncoder, bool]:
    folder = open_folder(name)
    source = str(folder.path / CONFIG)
    config = folder.config
    find_parts(config, source=source)
    model = from_plain(
        ModelConfig,
        {name: config.get(name) for name in ("sizes", *PARTS)},
        source=source,
    )
    weights: dict[str, Tensor] = {}
    others = []
    for key, tensor in folder.weights().items():
        # A classifier that reads in windows wraps its encoder.
        plain_key = key.replace("encoder.encoder.", "encoder.", 1)
        if plain_key.startswith(tuple(f"{part}." for part in PARTS)):
            weights[plain_key] = tensor
        else:
            others.append(key)
    if not weights:
        raise no_encoder(name)
    recurrent = any(key.startswith("encoder.") for key in weights)
    sizes: Sizes = model.sizes

    def build() -> nn.Module:
        embedding = model.embedding.build(sizes)
        parts = {"encoder": model.encoder.build(embedding.output_size)} if recurrent else {}
        return nn.ModuleDict({"embedding": embedding, **parts})

    shapes = {key: tuple(tensor.shape) for key, tensor in weights.items()}
    check_shapes(build, shapes, file=folder.path / WEIGHTS)
    folder.featurizer()  # is there, and fits
    encoder = ReusedEncoder(
        name=name,
        path=folder.path,
        task=folder.task,
        sizes=sizes,
        embedding=model.embedding,
        encoder=model.encoder if recurrent else None,
        weights=weights,
        others=tops(others),
    )
    return encoder, bool(config.get("reverse", False))


def _joined(forward: ReusedEncoder, backward: ReusedEncoder) -> ReusedEncoder:
    """One encoder of two directions; see `join_directions`."""
    pair = f"{forward.name} and {backward.name}"
    for key, value in forward.settings().items():
        other = backward.settings().get(key)
        if other != value:
            raise InputError(
                f"{pair}: {key} is {plain(value)} in the first and {plain(other)} in the second; "
                "train both with the same settings"
            )
    files = [Path(one.path, TOKENS_FILE).read_bytes() for one in (forward, backward)]
    if files[0] != files[1]:
        raise InputError(
            f"{pair}: they have different vocabularies; train the second with "
            f"--data.tokenizer_from {forward.path}"
        )
    if forward.embedding.characters != "none" or forward.embedding.token_features:
        raise InputError(
            f"{pair}: they read characters or attributes of tokens; only encoders of tokens alone "
            "can be joined"
        )
    if forward.encoder is None or forward.encoder.bidirectional:
        raise InputError(f"{pair}: each must have an encoder that reads in one direction")
    _need_one_plain_layer(forward.encoder, pair, "joined")
    return forward._replace(
        name=pair,
        embedding=replace(forward.embedding, size=2 * forward.embedding.size),
        encoder=replace(forward.encoder, bidirectional=True),
        weights=join_directions(forward.weights, backward.weights),
    )


def _forward_only(both: ReusedEncoder) -> ReusedEncoder:
    assert both.encoder is not None
    _need_one_plain_layer(both.encoder, both.name, "had in one direction")
    return both._replace(
        encoder=replace(both.encoder, bidirectional=False),
        weights=forward_direction(both.weights),
        others=["the backward direction of encoder", *both.others],
    )


def _need_one_plain_layer(encoder: EncoderConfig, name: str, what: str) -> None:
    if encoder.num_layers > 1 or encoder.layer_norm or encoder.residual:
        odd = (
            f"{encoder.num_layers} layers" if encoder.num_layers > 1 else "layer norm or residuals"
        )
        raise InputError(
            f"{name}: an encoder with {odd} cannot be {what}, since what follows its first layer "
            "reads both directions at once; train one with model.encoder.num_layers 1 and without "
            "them"
        )


def plain(value: object) -> str:
    """A value as people write it in a config."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return str(value)


def tops(names: Iterable[str]) -> list[str]:
    """The first parts of dotted names, each once."""
    return list(dict.fromkeys(name.split(".")[0] for name in names))
