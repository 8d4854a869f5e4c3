"""What the verbs can be told about classifiers."""

from __future__ import annotations

from rnnlp.tasks.base.options import MIN_SCORE, UNCERTAINTY, Option, column

TEXT_COLUMN = Option(
    name="text_column", type=column, help="column of the text: a name, or a number from 1"
)
EVALUATE = (
    TEXT_COLUMN,
    Option(
        name="label_column", type=column, help="column of the label: a name, or a number from 1"
    ),
)
PREDICT = (
    Option(
        name="explain",
        type=None,
        help="add the weight of each token (classifiers with attention pooling)",
    ),
    MIN_SCORE,
    UNCERTAINTY,
)
STREAM: tuple[Option, ...] = ()
