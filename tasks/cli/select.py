"""`rnnlp select`: which texts of a pool to label next, as rows of the pool's own format."""

from __future__ import annotations

from collections.abc import Sequence

from rnnlp.data.corpus.report import Notes
from rnnlp.data.errors import note
from rnnlp.data.formats.encodings import named_encoding
from rnnlp.data.formats.layout import DELIMITED, JSON_LINES
from rnnlp.data.formats.text_files import stem
from rnnlp.tasks.model_folder.files import as_json

from .destination import destination
from .parser import OneLineParser, add_encoding
from .rows import Row, columns_beside, file_rows, some_rows
from .tables import SUFFIXES, AnswerTable


def select(arguments: Sequence[str]) -> int:
    """Runs `rnnlp select` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp select",
        description="Chooses the texts whose labels would teach a classifier or a tagger most: "
        "uncertain ones that differ from each other.",
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="a model folder or a hub id")
    parser.add_argument(
        "--input",
        metavar="FILE",
        required=True,
        help="the pool: one text a line, JSON lines, or a table (.csv, .tsv, .xlsx, .parquet)",
    )
    parser.add_argument("--count", type=int, default=100, help="how many (default: 100)")
    parser.add_argument("--seed", type=int, default=1, help="same seed, same choice (default: 1)")
    parser.add_argument("--text_column", metavar="COLUMN", help="where FILE has the text")
    parser.add_argument(
        "--output", metavar="FILE", help="write here instead of stdout; its name says the format"
    )
    add_encoding(parser)
    args = parser.parse_args(list(arguments))

    from rnnlp.tasks.inference.load import load
    from rnnlp.tasks.inference.select import select as choose

    pipeline = load(args.model)
    with named_encoding(args.encoding):
        rows = file_rows(args.input, args.text_column, pipeline.layout, set())
        pool = list(some_rows(rows, args.input))
    texts, notes = [row.text for row in pool], Notes()
    places = choose(
        args.model,
        texts,
        count=args.count,
        seed=args.seed,
        columns=columns_beside(pool, pipeline.settings, notes),
        pipeline=pipeline,
    )
    for line in notes.counts():
        note(line)
    note(f"{len(places):,} of {len(pool):,} texts chosen")
    name = args.output or args.input
    suffix = stem(name)[1]
    chosen = [pool[place] for place in places]
    with destination(args.output, inputs=[args.input]) as out:
        if suffix in SUFFIXES and (args.output or suffix in DELIMITED):
            with AnswerTable(out, name) as table:
                table.add([(row, {}) for row in chosen])
            return 0
        plain = suffix not in JSON_LINES and all(_bare(row) for row in pool)
        for row in chosen:
            out.write((row.text if plain else as_json(row.columns, cells=True)) + "\n")
    return 0


def _bare(row: Row) -> bool:
    """Whether a row is a text and nothing else."""
    return not row.others and "\n" not in row.text
