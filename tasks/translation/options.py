"""What the verbs can be told about translators."""

from __future__ import annotations

from rnnlp.tasks.base.options import MAX_LENGTH, MIN_LENGTH, NO_REPEAT, Option, column

BEAM_SIZE = Option(
    name="beam_size",
    type=int,
    metavar="N",
    least=1,
    help="hypotheses followed for each translation",
)
SEARCH = (
    BEAM_SIZE,
    MIN_LENGTH,
    MAX_LENGTH,
    Option(
        name="min_length_ratio",
        type=float,
        metavar="R",
        help="fewest tokens of a translation for each token of its source",
    ),
    Option(
        name="max_length_ratio",
        type=float,
        metavar="R",
        help="most tokens of a translation for each token of its source, beyond ten",
    ),
    NO_REPEAT,
    Option(
        name="length_penalty",
        type=float,
        metavar="A",
        help="above 0 long translations lose less",
    ),
    Option(
        name="coverage_penalty",
        type=float,
        metavar="B",
        help="above 0 words of the source that were never looked at cost",
    ),
    Option(
        name="shortlist",
        type=int,
        metavar="N",
        help="look only at frequent tokens and N for each token of the source; 0 for all",
    ),
)
EVALUATE = (
    Option(
        name="source_column", type=column, help="column of the source: a name, or a number from 1"
    ),
    Option(
        name="target_column",
        type=column,
        help="column of the target: a name, or a number from 1; several that are right with commas",
    ),
    Option(
        name="features_column",
        type=column,
        help="column of the features of a source: a name, or a number from 1",
    ),
    Option(name="against", metavar="FILE", help="other translations, one a line, to compare with"),
    *SEARCH,
)
PREDICT = (
    *SEARCH,
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
