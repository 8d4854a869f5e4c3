"""The weights of a model folder that may come from a stranger, checked before memory is taken.

Whether the values in `config.json` have the right types is not checked here; that is the business
of the classes that take them.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from rnnlp.data.errors import InputError
from rnnlp.data.text.tokenizer import PAD
from rnnlp.models.embeddings.token import Embedding

from .versions import upgraded_weight

CHECKSUM = "crc32"  # of all weights, in the header of their file
Network = TypeVar("Network", bound=nn.Module)


def load_network(build: Callable[[], Network], file: Path) -> Network:
    """A network with the weights of a file: every one of them, and no other.

    Args:
        build: Makes the network that `config.json` describes, with fresh weights.
        file: The weights.

    Raises:
        InputError: There is no such network, or the weights are of another one, or damaged.
    """
    check_shapes(build, shapes_of(file), file=file)
    network = build()
    try:
        network.load_state_dict(read_weights(file), strict=True)
    except ValueError as error:
        raise InputError(f"the weights are damaged: {error}", path=str(file)) from error
    zero_padding(network)
    return network


def shapes_of(file: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of weights, from the header of their file.

    Raises:
        InputError: The file is damaged.
    """
    try:
        with safe_open(file, framework="pt") as weights:
            return {
                upgraded_weight(name): tuple(weights.get_slice(name).get_shape())
                for name in weights.keys()  # noqa: SIM118
            }
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read the weights: {error}", path=str(file)) from error


def write_weights(file: Path, weights: Mapping[str, torch.Tensor]) -> None:
    """Writes weights with a checksum; `read_weights` reads them."""
    whole = {name: value.detach().cpu().contiguous() for name, value in weights.items()}
    metadata = {CHECKSUM: checksum(whole)}  # one entry: safetensors writes several in any order
    file.write_bytes(save(whole, metadata=metadata))


def checksum(weights: Mapping[str, torch.Tensor]) -> str:
    """Identifies the bits of weights."""
    total = 0
    for name in sorted(weights):
        total = zlib.crc32(weights[name].reshape(-1).view(torch.uint8).numpy().data, total)
    return f"{total:08x}"


def read_weights(file: Path) -> dict[str, torch.Tensor]:
    """The weights of a network.

    Raises:
        InputError: The file is damaged, or a weight is not a number.
    """
    try:
        with safe_open(file, framework="pt") as content:
            kept = (content.metadata() or {}).get(CHECKSUM)
        weights = load_file(file)
    except (OSError, SafetensorError) as error:
        raise InputError(f"cannot read the weights: {error}", path=str(file)) from error
    if kept not in (None, checksum(weights)):  # other writers give none
        raise InputError("is damaged: the weights are not those that were written", path=str(file))
    weights = {upgraded_weight(name): value for name, value in weights.items()}
    for name, value in weights.items():
        if not torch.isfinite(value).all():
            raise InputError(
                f"{name} holds numbers that are none (NaN or infinity): its training diverged, or "
                "the file is damaged",
                path=str(file),
            )
    return weights


def check_shapes(
    build: Callable[[], nn.Module], shapes: Mapping[str, tuple[int, ...]], *, file: Path
) -> None:
    """Compares the network that settings describe with weights, without memory for either.

    Args:
        build: Makes the network.
        shapes: The shape of each weight by name.
        file: Where they lie, for errors.

    Raises:
        InputError: No network can be built, or it has other weights.
    """
    builder, count = threading.get_ident(), 0

    def stop(module: nn.Module, name: str, parameter: object) -> None:
        nonlocal count
        if threading.get_ident() == builder:
            count += parameter is not None
            if count > 2 * len(shapes):  # weights that are in two places, such as tied ones
                raise ValueError(f"it has more layers than {file.name}")

    hook = register_module_parameter_registration_hook(stop)
    try:
        with torch.device("meta"):
            network = build()
    except InputError:
        raise
    except Exception as error:  # whatever sizes make of a constructor
        reason = " ".join(str(error).split())
        raise InputError(
            f"the settings in config.json describe no network: {reason}", path=str(file.parent)
        ) from error
    finally:
        hook.remove()
    wanted = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    if wanted == shapes:
        return
    name = sorted(name for name in {*wanted, *shapes} if wanted.get(name) != shapes.get(name))[0]
    raise InputError(
        f"the weights do not fit config.json: {name} is {_shape(shapes.get(name))} here and "
        f"{_shape(wanted.get(name))} there",
        path=str(file),
    )


def _shape(sizes: tuple[int, ...] | None) -> str:
    return "missing" if sizes is None else " x ".join(map(str, sizes)) or "a number"


@torch.no_grad()
def zero_padding(network: nn.Module) -> None:
    """Makes the rows of padding zero, as training leaves them; a file may hold anything there.

    Otherwise the answer for a text would depend on what is padded beside it. The table of words is
    left alone: encoders ignore padding, and an output layer that is tied to it has learned the row.
    """
    for embedding in network.modules():
        if isinstance(embedding, Embedding):
            for table in embedding.modules():
                if isinstance(table, nn.Embedding) and table is not embedding.words:
                    table.weight[PAD] = 0.0
