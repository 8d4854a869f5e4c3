"""The model folder: what `fit` writes and every other verb reads.

`config.json` (format version, task, constructor arguments), `model.safetensors`, the tokenizer
files, `metrics.json`, `config.yaml`, `README.md`, `curves.png`, and `splits.json` where what was
validated on was cut from the training data. Reading it runs no code from it: JSON,
safetensors, arrays and tokenizer files only. Nothing here imports Lightning.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from rnnlp.data.errors import InputError
from rnnlp.data.text.featurizer import (
    CHARACTERS_FILE,
    SHORTLIST_FILE,
    TARGET_FILE,
    TOKEN_FEATURE_FILES,
    TOKENS_FILE,
    Featurizer,
)
from rnnlp.data.text.tokenizer import Tokenizer

from .atomic import NEW, remove
from .files import as_json, check_files, read_json
from .versions import FORMAT_VERSION, upgraded_settings

if TYPE_CHECKING:
    import torch

    from .weights import Network

CONFIG, WEIGHTS, METRICS, TRAINING, SPLITS = (
    "config.json",
    "model.safetensors",
    "metrics.json",
    "config.yaml",
    "splits.json",
)
CARD, CURVES, CONFUSION = "README.md", "curves.png", "confusion.png"
PICTURES = (CURVES, CONFUSION)
TOKENIZERS = (
    TOKENS_FILE, CHARACTERS_FILE, TARGET_FILE, SHORTLIST_FILE, *TOKEN_FEATURE_FILES.values()
)  # fmt: skip
CHECKPOINTS, LOGS = "checkpoints", "logs"
WITHOUT_TORCH = (
    "an exported model, without the weights for torch that this needs: take the model folder that "
    "it was exported from"
)
EXPORTED = "onnx"  # the engine that an exported model names in its config
NEEDED = (CONFIG, WEIGHTS, TOKENS_FILE)
PUBLISHED = (CONFIG, WEIGHTS, METRICS, TRAINING, SPLITS, CARD, *PICTURES, *TOKENIZERS)


class ModelFolder(NamedTuple):
    """A model folder that was read: where it is, and what `config.json` says."""

    path: Path
    task: str
    config: dict[str, Any]
    export: dict[str, Any] | None = None  # of an exported model what is said of its graphs
    threads: int | None = None  # that its graphs are run with

    def network(self, build: Callable[[], Network]) -> Network:
        """The network with the weights of the folder: every one of them, and no other.

        Args:
            build: Makes the network that `config.json` describes, with fresh weights.

        Raises:
            InputError: There is no such network, or the weights are of another one, or damaged.
        """
        from .weights import load_network

        self.check_weights()
        return load_network(build, self.path / WEIGHTS)

    def weights(self) -> dict[str, torch.Tensor]:
        """The state dict of the network.

        Raises:
            InputError: The file is damaged.
        """
        from .weights import read_weights

        self.check_weights()
        return read_weights(self.path / WEIGHTS)

    def check_weights(self) -> None:
        """Refuses an exported model where weights for torch are needed.

        Raises:
            InputError: It is one.
        """
        if self.export is not None:
            raise InputError(f"is {WITHOUT_TORCH}", path=str(self.path))

    def featurizer(self) -> Featurizer:
        """The vocabularies that the network reads with.

        Raises:
            InputError: One is missing, damaged, or of another size than the network was built for.
        """
        try:
            featurizer = Featurizer.load(self.path)
        except (OSError, ValueError) as error:
            raise InputError(f"cannot be read: {error}", path=str(self.path)) from error
        wanted = {"characters": 0, "token_features": [], **self.config["sizes"]}
        for (name, size), file in zip(
            featurizer.sizes._asdict().items(),
            (TOKENS_FILE, CHARACTERS_FILE, " ".join(TOKEN_FEATURE_FILES.values())),
            strict=True,
        ):
            size = list(size) if isinstance(size, tuple) else size
            if size != wanted[name]:
                raise _other_size(self.path / file, size, wanted[name])
        return featurizer

    def tokenizer(self, name: str, size: int) -> Tokenizer:
        """A vocabulary beside those of the featurizer.

        Args:
            name: Its file.
            size: Number of tokens that the network was built for.

        Raises:
            InputError: It is missing, damaged, or of another size.
        """
        try:
            tokenizer = Tokenizer.load(self.path / name)
        except (OSError, ValueError) as error:
            raise InputError(f"cannot be read: {error}", path=str(self.path / name)) from error
        if len(tokenizer) != size:
            raise _other_size(self.path / name, len(tokenizer), size)
        return tokenizer


def _other_size(file: Path, size: object, wanted: object) -> InputError:
    return InputError(
        f"holds {size} entries and {CONFIG} says {wanted}: it is missing or of another model; "
        "get the folder again as a whole",
        path=str(file),
    )


def save_folder(
    folder: Path,
    *,
    task: str,
    model: Mapping[str, Any],
    weights: Mapping[str, torch.Tensor],
    save_tokenizers: Callable[[Path], object],
    card: str,
    metrics: Mapping[str, Any] | None = None,
    splits: Mapping[str, Any] | None = None,
    training_config: str | None = None,
    pictures: Mapping[str, Callable[[Path], object]] | None = None,
) -> None:
    """Writes a complete model folder; `config.json`, which makes it one, comes last.

    Args:
        folder: Where; files of other names in it are left alone.
        task: Name of the task.
        model: Constructor arguments as plain scalars, lists and dictionaries.
        weights: State dict of the network.
        save_tokenizers: Writes the tokenizer files into a folder.
        card: The model card.
        metrics: What goes into `metrics.json`.
        splits: What goes into `splits.json`: which training lines were validated on.
        training_config: The full resolved config, as YAML.
        pictures: What draws each of `PICTURES` that there is, given a path.
    """
    from .weights import write_weights

    config = {"format_version": FORMAT_VERSION, "task": task, "model": dict(model)}
    folder.mkdir(parents=True, exist_ok=True)
    with new_content(folder, replaces=(METRICS, TRAINING, SPLITS, *PICTURES, *TOKENIZERS)) as new:
        write_weights(new / WEIGHTS, weights)
        save_tokenizers(new)
        if metrics is not None:
            _write_json(new / METRICS, metrics)
        if splits is not None:
            _write_json(new / SPLITS, splits)
        if training_config is not None:
            (new / TRAINING).write_text(training_config, encoding="utf-8")
        (new / CARD).write_text(card, encoding="utf-8")
        for name, draw in (pictures or {}).items():
            draw(new / name)
        _write_json(new / CONFIG, config)


@contextmanager
def new_content(folder: Path, *, replaces: Iterable[str]) -> Iterator[Path]:
    """A temporary folder whose files are moved into a model folder once all are written.

    Args:
        folder: The model folder. `config.json`, which makes it one, is moved last.
        replaces: Files that are removed from it where there is no new one.
    """
    with tempfile.TemporaryDirectory(dir=folder, prefix=NEW) as temporary:
        new = Path(temporary)
        yield new
        written = {file.name for file in new.iterdir()}
        for stale in set(replaces) - written:
            (folder / stale).unlink(missing_ok=True)
        for name in sorted(written, key=lambda name: name == CONFIG):
            os.replace(new / name, folder / name)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(as_json(content, indent=2) + "\n", encoding="utf-8")


def published_files(folder: Path) -> list[Path]:
    """The files that make a model folder, without what only `--resume` needs."""
    files = [*(folder / name for name in PUBLISHED), *sorted(folder.glob("*.onnx"))]
    return [file for file in files if file.is_file()]


def holds_model(folder: Path) -> bool:
    """Whether a finished or an unfinished training run lies in the folder."""
    return (folder / CONFIG).exists() or (folder / CHECKPOINTS).exists()


def clear_folder(folder: Path) -> None:
    """Removes what an earlier `fit` wrote, and nothing else."""
    for name in (*PUBLISHED, CHECKPOINTS, LOGS):
        remove(folder / name)


def open_folder(model: str | os.PathLike[str], *, revision: str | None = None) -> ModelFolder:
    """Reads `config.json` of a model folder or of a model on a hub.

    Args:
        model: A folder, or a hub id such as `owner/name`, which is downloaded.
        revision: Version of a hub's model: a commit, a tag or a branch.

    Raises:
        InputError: There is no such model, or it cannot be read by this version.
    """
    path = Path(model)
    if not path.exists():
        path = _download(str(model), revision)
    elif revision is not None:
        raise InputError(f"is a folder here, which has no revision {revision!r}", path=str(model))
    if not path.is_dir():
        raise InputError("is a file; a model is a folder that `rnnlp fit` wrote", path=str(model))
    missing = [name for name in NEEDED if not os.path.lexists(path / name)]
    content: Any = None
    if WEIGHTS in missing and CONFIG not in missing:
        check_files(path, (CONFIG,))
        content = read_json(path / CONFIG)
        if isinstance(content, dict) and content.get("engine") == EXPORTED:
            missing.remove(WEIGHTS)
    if missing:
        hint = ""
        if (path / METRICS).exists():  # it comes with all the rest, at the end of training
            hint = "; it was complete once: get the folder again as a whole"
        elif (path / CHECKPOINTS).exists():
            hint = "; its training was cut short: finish it with `rnnlp fit --resume`"
        raise InputError(
            f"is not a complete model folder: no {', '.join(missing)}{hint}", path=str(model)
        )
    check_files(path, PUBLISHED)
    file = path / CONFIG
    content = content or read_json(file)
    try:
        version, task, config = content["format_version"], content["task"], content["model"]
    except (KeyError, TypeError) as error:
        raise InputError(f"is not the config of a model: {error}", path=str(file)) from error
    if type(version) is not int or not 1 <= version <= FORMAT_VERSION:
        raise InputError(
            f"has format version {version!r}; this rnnlp reads 1 to {FORMAT_VERSION}: upgrade it",
            path=str(file),
        )
    if not isinstance(config, dict):
        raise InputError("is not the config of a model: no settings", path=str(file))
    export = None
    if content.get("engine") == EXPORTED:
        export = content.get("export")
        if not isinstance(export, dict):
            raise InputError("says nothing of its graphs: export it again", path=str(file))
    return ModelFolder(path, str(task), upgraded_settings(config, version, str(task)), export)


def _near(folder: Path) -> str:
    """The model folders with a like name, as a question."""
    places = [folder.parent, *folder.parent.parent.glob("*/")]
    near = {
        str(place / other)
        for place in places
        if place.is_dir() and get_close_matches(place.name, [folder.parent.name], cutoff=0.6)
        for other in get_close_matches(folder.name, os.listdir(place), cutoff=0.6)
        if (place / other / CONFIG).exists()
    }
    return f": did you mean {' or '.join(sorted(near)[:3])}?" if near else ""


def _download(name: str, revision: str | None) -> Path:
    looks_like_hub = name.count("/") == 1 and not name.startswith((".", "/", "~"))
    if not looks_like_hub:
        raise InputError("no such model folder; `rnnlp fit` writes one", path=name)
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError

        try:
            return Path(
                snapshot_download(name, revision=revision, allow_patterns=[*PUBLISHED, "*.onnx"])
            )
        except (HfHubHTTPError, HFValidationError, OSError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            if re.search("Connect|resolution|resolve|offline|outgoing", reason):
                reason = "there is no connection to it"
            raise InputError(
                f"no such folder{_near(Path(name))}; and it could not be fetched from the hub: "
                f"{reason}",
                path=name,
            ) from error
    except ImportError as error:
        raise InputError("no such model folder", path=name) from error
