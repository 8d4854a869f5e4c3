"""What the verbs can be told about taggers."""

from __future__ import annotations

from rnnlp.tasks.base.options import MIN_SCORE, UNCERTAINTY, Option

EVALUATE = (
    Option(name="token_column", type=int, help="column of the tokens, from 1"),
    Option(name="tag_column", type=int, help="column of the tags, from 1"),
)
PREDICT = (MIN_SCORE, UNCERTAINTY)
STREAM = (
    Option(
        name="lag",
        type=int,
        metavar="N",
        least=1,
        help="with --stream: most tokens whose tag may stay open before the best ones so far "
        "decide (default: 64)",
    ),
)
