"""From plain text to a better model in one command: `fit --unlabelled [FILE]`.

Language models that read the training texts and the unlabelled ones, onwards and, for an encoder of
both directions, backwards too, are trained first; then the model that was asked for, whose encoder
begins as theirs (Dai and Le 2015). Each is a model folder below `pretraining/` in the output
folder, so that `--resume` goes on where it was stopped. What is done in three commands by hand is
done here in the same way; `run.py` trains one model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import InputError, note
from rnnlp.data.formats.layout import Layout
from rnnlp.data.generation.readers import read_texts
from rnnlp.tasks.model_folder.atomic import write_atomically
from rnnlp.tasks.model_folder.files import as_json
from rnnlp.tasks.model_folder.folder import CHECKPOINTS, holds_model

from .config_files import find_configs
from .lightning_cli import FitRequest, build
from .run import run_part

FOLDER, TEXTS = "pretraining", "texts.jsonl"
PREFIX = f"--{FOLDER}."  # settings of the language models: --pretraining.trainer.max_epochs 3
CHUNK = 1024  # examples that are read together


def pretrained(request: FitRequest, unlabelled: Sequence[str] | None) -> FitRequest:
    """Trains language models, and gives what is then to be trained with their encoder.

    Args:
        request: What is asked for; settings that begin with `pretraining.` are the language
            models'.
        unlabelled: Files or folders of texts beside those of the training data, which may be none;
            None for no language models.

    Raises:
        InputError: As `run_fit`; or the model has no encoder that a language model can begin.
    """
    output = request.output
    own, theirs = _parted(request.arguments)
    if unlabelled is None:
        if theirs:
            raise InputError(f"{PREFIX}… is for language models: say --unlabelled as well")
        return request
    request = replace(request, arguments=own)
    if holds_model(output) and not (request.resume or request.overwrite):
        raise InputError(
            "holds a model already: use --resume, --overwrite, or another --output",
            path=str(output),
        )
    command = build(replace(request, resume=False, overwrite=True))  # for settings and data
    settings, data = command.model.settings, command.datamodule
    encoder: Any = getattr(settings, "encoder", None)
    if request.task == "generation" or not hasattr(encoder, "cell"):
        raise InputError(
            "--unlabelled is for models whose encoder is recurrent; a generator learns from texts "
            "as data.train"
        )
    texts = output / FOLDER / TEXTS
    forward, backward = (texts.parent / name for name in ("forward", "backward"))
    same = {
        "data.train": texts,
        "data.level": data.options.level,
        "data.lowercase": str(data.options.lowercase).lower(),
        "data.vocabulary_size": data.options.vocabulary_size or "null",
        # Embeddings of two language models stand side by side.
        "model.embedding.size": settings.embedding.size // (2 if encoder.bidirectional else 1),
        "model.encoder.cell": encoder.cell,
        "model.encoder.hidden_size": encoder.hidden_size,
        "model.encoder.num_layers": 1 if encoder.bidirectional else encoder.num_layers,
    }
    theirs = [*(f"--{key}={value}" for key, value in same.items()), *theirs]
    try:
        if not (request.resume and texts.exists()):
            texts.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(texts, lambda part: _write(part, data, unlabelled))
        _train(request, forward, theirs)
    except InputError:
        if not forward.exists():  # nothing is begun, and nothing is left behind
            texts.unlink(missing_ok=True)
            for folder in (texts.parent, output):
                with suppress(OSError):  # something else lies there
                    folder.rmdir()
        raise
    if encoder.bidirectional:
        turned = ["--data.reverse=true", f"--data.tokenizer_from={forward}"]
        _train(request, backward, [*theirs, *turned])
    models = [forward, backward] if encoder.bidirectional else [forward]
    reuse = [f"--model.encoder_from={as_json(list(map(str, models)))}"]
    # What the config reads beside the token it goes on reading.
    reuse.append(f"--model.embedding.characters={settings.embedding.characters}")
    features = as_json(list(settings.embedding.token_features))
    reuse.append(f"--model.embedding.token_features={features}")
    begun = (output / CHECKPOINTS).exists() or any(output.glob(f"*/{CHECKPOINTS}"))
    return replace(request, arguments=[*own, *reuse], resume=request.resume and begun)


def _parted(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """The settings of the model, and those of the language models without their prefix."""
    own: list[str] = []
    theirs: list[str] = []
    into = own
    for part in arguments:
        if part.startswith("--"):
            into = theirs if part.startswith(PREFIX) else own
            part = part.replace(PREFIX, "--", 1)
        into.append(part)
    return own, theirs


def _train(request: FitRequest, output: Path, arguments: list[str]) -> None:
    """Trains a language model, unless it is there already."""
    run_part(
        replace(
            request,
            task="generation",
            configs=find_configs(["language_model"]),
            arguments=arguments,
            output=output,
        )
    )


def _write(part: Path, data: Any, unlabelled: Sequence[str]) -> None:
    """Writes all texts as JSON lines, and says how many there are."""
    notes, counts = Notes(), [0, 0]
    with part.open("w", encoding="utf-8") as file:
        for number, source in enumerate((_training_texts(data), _texts(unlabelled, data, notes))):
            for text in source:
                file.write(as_json({"text": text}) + "\n")
                counts[number] += 1
    for line in notes.lines():
        note(line)
    note(f"language models read {counts[0]:,} training texts and {counts[1]:,} unlabelled ones")


def _training_texts(data: Any) -> Iterator[str]:
    blank = "" if data.options.level == "character" else " "
    for columns in data.prepare().learned.corpora["train"].rows.iter(CHUNK):
        if "source" in columns:
            yield from columns["source"]
        elif "tokens" in columns:
            yield from map(blank.join, columns["tokens"])
        else:
            raise InputError("--unlabelled is for taggers, classifiers and translators")


def _texts(unlabelled: Sequence[str], data: Any, notes: Notes) -> Iterator[str]:
    named = getattr(data.options, "text_column", getattr(data.options, "source_column", None))
    layout = Layout() if named is None else replace(data.layout, columns={"text": named})
    for path in unlabelled:
        rows = read_texts(path, labels=[], layout=layout, notes=notes)
        yield from (example.text for example in rows)
