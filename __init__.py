"""rnnlp: end-to-end NLP task pipelines on recurrent networks.

Importing the package costs nothing: torch is first imported when a name below is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "load", "load_encoder"]

if TYPE_CHECKING:
    from rnnlp.tasks.inference.encoder import load_encoder
    from rnnlp.tasks.inference.load import load


def __getattr__(name: str) -> Any:
    if name in ("load", "load_encoder"):
        from rnnlp.tasks.inference import encoder as pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module 'rnnlp' has no attribute {name!r}")
