"""rnnlp: end-to-end NLP task pipelines on recurrent networks.

    import rnnlp

    rnnlp.fit("ner", output="runs/ner")         # train, as `rnnlp fit --config ner`
    tagger = rnnlp.load("runs/ner")             # a model folder, or a hub id
    tagger("Barack Obama visited Berlin.")      # the dictionaries that `rnnlp predict` prints
    rnnlp.evaluate("runs/ner", "test.conll")    # the scores that `rnnlp evaluate --json` prints

Importing the package costs nothing: torch is first imported when a name below is used. A mistake in
settings or data raises `rnnlp.InputError`, whose message names file, line and what to do.

Where torch is not loaded yet, OMP_WAIT_POLICY is set to PASSIVE, unless it is set already: idle
threads of OpenMP then sleep instead of spinning on cores that other work needs.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnlp.data.errors import InputError
    from rnnlp.tasks.compare.run import compare
    from rnnlp.tasks.distil.run import distil
    from rnnlp.tasks.export.export import export
    from rnnlp.tasks.fit.run import fit
    from rnnlp.tasks.inference.evaluate import evaluate
    from rnnlp.tasks.inference.load import load, load_encoder
    from rnnlp.tasks.inference.select import select
    from rnnlp.tasks.registry import TaskSpec, register_task
    from rnnlp.tasks.sklearn_api.classifier import TextClassifier
    from rnnlp.tasks.sklearn_api.tagger import SequenceTagger
    from rnnlp.tasks.tune.search import tune

if "torch" not in sys.modules:  # OpenMP looks when it is loaded, and not again
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

_PLACES = {
    "InputError": "rnnlp.data.errors",
    "SequenceTagger": "rnnlp.tasks.sklearn_api.tagger",
    "TaskSpec": "rnnlp.tasks.registry",
    "TextClassifier": "rnnlp.tasks.sklearn_api.classifier",
    "compare": "rnnlp.tasks.compare.run",
    "distil": "rnnlp.tasks.distil.run",
    "export": "rnnlp.tasks.export.export",
    "evaluate": "rnnlp.tasks.inference.evaluate",
    "fit": "rnnlp.tasks.fit.run",
    "load": "rnnlp.tasks.inference.load",
    "load_encoder": "rnnlp.tasks.inference.load",
    "register_task": "rnnlp.tasks.registry",
    "select": "rnnlp.tasks.inference.select",
    "tune": "rnnlp.tasks.tune.search",
}
__all__ = [
    "InputError",
    "SequenceTagger",
    "TaskSpec",
    "TextClassifier",
    "__version__",
    "compare",
    "distil",
    "evaluate",
    "export",
    "fit",
    "load",
    "load_encoder",
    "register_task",
    "select",
    "tune",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from rnnlp.tasks.model_folder.versions import rnnlp_version

        return rnnlp_version()
    if name in _PLACES:
        return getattr(importlib.import_module(_PLACES[name]), name)
    raise AttributeError(f"module 'rnnlp' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
