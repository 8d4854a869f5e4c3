"""rnnlp: end-to-end NLP task pipelines on recurrent networks.

Importing the package costs nothing: torch is first imported when a name below is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["__version__", "load", "load_encoder"]

if TYPE_CHECKING:
    from rnnlp.tasks.inference.encoder import load_encoder
    from rnnlp.tasks.inference.load import load


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("rnnlp")
    if name == "load":
        from rnnlp.tasks.inference.load import load

        return load
    if name == "load_encoder":
        from rnnlp.tasks.inference.encoder import load_encoder

        return load_encoder
    raise AttributeError(f"module 'rnnlp' has no attribute {name!r}")
