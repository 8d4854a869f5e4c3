"""Puts embedding and encoder of a trained model into a network of any task.

What there is to put in is read in `reused_encoder.py`. The vocabulary goes with it:
`data.tokenizer_from` names the same folder. How the settings of a run follow from those of the
folder is in `tasks/fit/transfer_settings.py`; when the reused layers learn, and how fast, is
decided in `module.py`.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from torch import nn

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import Featurizer
from rnnlp.data.text.token_features import in_order
from rnnlp.data.text.tokenizer import Tokenizer
from rnnlp.models.embeddings.token import Embedding
from rnnlp.models.encoders.windowed import WindowedEncoder
from rnnlp.models.transfer import widen

from .components import EmbeddingConfig, EncoderConfig
from .reused_encoder import PARTS, ReusedEncoder, plain, tops


def load_encoder_weights(
    reused: ReusedEncoder,
    network: nn.Module,
    *,
    embedding: EmbeddingConfig,
    encoder: EncoderConfig,
    featurizer: Featurizer,
) -> tuple[list[nn.Parameter], list[str]]:
    """Puts the weights into a network.

    Args:
        reused: What is reused.
        network: Has an `embedding` and an `encoder`.
        embedding: What its embedding was built from.
        encoder: What its encoder was built from.
        featurizer: The vocabularies that it reads with.

    Returns:
        The parameters that were loaded, and a report: what was loaded, what was not and why.

    Raises:
        InputError: The settings or the vocabularies differ.
    """
    own = {f"model.embedding.{name}": value for name, value in asdict(embedding).items()}
    own |= {f"model.encoder.{name}": value for name, value in asdict(encoder).items()}
    recurrent = any(name.startswith("encoder.") for name, _ in network.named_parameters())
    for key, value in reused.settings().items():
        if own[key] == value or adds(key, own[key], value):
            continue
        if recurrent or "encoder" not in key:
            raise InputError(mismatch(key, own[key], value, f"the encoder of {reused.name}"))
    if not _has_vocabularies(featurizer, Featurizer.load(reused.path)):
        raise InputError(
            f"the vocabulary of the data is not that of {reused.name}: set --data.tokenizer_from "
            f"{reused.path}"
        )
    parts: dict[str, nn.Module] = {"embedding": _module(network, "embedding")}
    report = []
    if not recurrent:
        if reused.encoder is not None:
            report.append(f"not loaded from {reused.name}: encoder (this model has none)")
    elif reused.encoder is None:
        report.append(f"fresh: encoder ({reused.name} has no recurrent layers)")
    else:
        reader = _module(network, "encoder")
        parts["encoder"] = reader.encoder if isinstance(reader, WindowedEncoder) else reader
    reading = parts["embedding"]
    assert isinstance(reading, Embedding)
    token_features = in_order(embedding.token_features)
    widened = widen(
        reused.weights,
        reading,
        token_features=in_order(reused.embedding.token_features),
        wanted=token_features,
    )
    for name, part in parts.items():
        weights = {
            key.removeprefix(f"{name}."): tensor
            for key, tensor in widened.items()
            if key.startswith(f"{name}.")
        }
        try:
            part.load_state_dict(weights, strict=True)
        except RuntimeError as error:
            reason = " ".join(str(error).split())
            raise InputError(f"its {name} does not fit: {reason}", path=reused.name) from error
    beside = reused.beside(embedding)
    new = [
        reading.token_features[number]
        for number, attribute in enumerate(token_features)
        if attribute in beside
    ]
    if "characters" in beside and reading.spelling is not None:
        new.append(reading.spelling)
    own_parameters = {id(parameter) for part in new for parameter in part.parameters()}
    parameters = [
        parameter
        for part in parts.values()
        for parameter in part.parameters()
        if id(parameter) not in own_parameters
    ]
    count = sum(parameter.numel() for parameter in parameters)
    report.insert(
        0,
        f"loaded from {reused.name} (a model for {reused.task}): {' and '.join(parts)}, "
        f"{count:,} weights, and the vocabulary of {len(featurizer.tokens):,} tokens",
    )
    if reused.others:
        report.append(
            f"not loaded from {reused.name}: {', '.join(reused.others)} (layers of its own task)"
        )
    if beside:
        report.append(
            f"fresh: {', '.join(beside)} of tokens, beside what was loaded and at first without "
            "effect on it"
        )
    loaded = {id(parameter) for parameter in parameters}
    fresh = tops(
        name for name, parameter in network.named_parameters() if id(parameter) not in loaded
    )
    if fresh := [name for name in fresh if name not in PARTS]:
        report.append(f"fresh: {', '.join(fresh)} (layers of this task)")
    return parameters, report


def mismatch(key: str, own: object, reused: object, name: str) -> str:
    """What to say of a setting that contradicts what is reused.

    Args:
        key: The setting.
        own: Its value.
        reused: That of the other model.
        name: What is reused, such as `the encoder of runs/ner`.
    """
    return (
        f"{key} is {plain(own)}, and {name} has {plain(reused)}: leave {key} out, or reuse another "
        "model"
    )


def adds(key: str, own: Any, reused: Any) -> bool:
    """Whether a setting adds to what is reused, such as more of a token, which it can learn.

    Args:
        key: The setting.
        own: Its value.
        reused: That of the other model.
    """
    if key == "model.embedding.characters":
        return reused == "none"
    wider = ("model.embedding.token_features", "data.further_labels")
    return key in wider and set(reused) < set(own)


def _has_vocabularies(own: Featurizer, reused: Featurizer) -> bool:
    """Whether all that the given ones know has the same ids in the own ones."""

    def tables(featurizer: Featurizer) -> dict[str, list[str]]:
        named: dict[str, Tokenizer | None] = dict(featurizer.token_features.items())
        named |= {"tokens": featurizer.tokens, "characters": featurizer.characters}
        return {name: table.vocabulary for name, table in named.items() if table is not None}

    return tables(reused).items() <= tables(own).items()


def _module(network: nn.Module, name: str) -> nn.Module:
    part = getattr(network, name)
    assert isinstance(part, nn.Module)
    return part
