"""What the verbs can be told about models for tagging and classification."""

from __future__ import annotations

from rnnlp.tasks.base.options import Option
from rnnlp.tasks.classification.options import PREDICT as PREDICT

EVALUATE: tuple[Option, ...] = ()  # those of the head that is scored
STREAM: tuple[Option, ...] = ()
