"""What the verbs can be told about translators."""

from __future__ import annotations

from rnnlp.tasks.base.options import Option, column

BEAM_SIZE = Option(
    name="beam_size",
    type=int,
    metavar="N",
    least=1,
    help="hypotheses followed for each translation",
)
EVALUATE = (
    Option(
        name="source_column", type=column, help="column of the source: a name, or a number from 1"
    ),
    Option(
        name="target_column", type=column, help="column of the target: a name, or a number from 1"
    ),
    Option(
        name="features_column",
        type=column,
        help="column of the features of a source: a name, or a number from 1",
    ),
    Option(name="against", metavar="FILE", help="other translations, one a line, to compare with"),
    BEAM_SIZE,
)
PREDICT = (
    BEAM_SIZE,
    Option(
        name="nbest",
        type=int,
        metavar="N",
        least=1,
        help="how many translations to give of each text",
    ),
    Option(
        name="attention",
        metavar="FILE.png",
        help="also draw where the translation of the first text looked",
    ),
)
STREAM: tuple[Option, ...] = ()
