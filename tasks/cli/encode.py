"""`rnnlp encode`: texts in, one vector each out, as a Parquet table or a NumPy array."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rnnlp.data.errors import InputError, counted
from rnnlp.data.formats.encodings import named_encoding

from .destination import check_not_read, check_place
from .parser import OneLineParser
from .shards import shards
from .texts import add_text_arguments, check_text_arguments, given_rows
from .workers import in_order

if TYPE_CHECKING:
    import numpy as np

    from rnnlp.tasks.inference.exported_encoder import Way

SUFFIXES = (".parquet", ".npy")
WAYS: tuple[Way, ...] = ("max", "mean", "last")


def encode(arguments: Sequence[str]) -> int:
    """Runs `rnnlp encode` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp encode",
        description="Writes one vector for each text, in input order; a blank text has zeros.",
        allow_abbrev=False,
    )
    add_text_arguments(parser)
    parser.add_argument(
        "--output",
        metavar="FILE",
        required=True,
        help="FILE.parquet: a table with text and vector; FILE.npy: an array [texts, size]",
    )
    parser.add_argument(
        "--pooling",
        choices=WAYS,
        default="max",
        help="how one vector is made of a text's states (default: max)",
    )
    args = parser.parse_intermixed_args(list(arguments))
    output = Path(args.output)
    if output.suffix not in SUFFIXES:
        raise InputError(f"has no format: let --output end in {' or '.join(SUFFIXES)}", path=output)
    check_place(args.output)
    check_text_arguments(args, verb="encode")
    check_not_read(args.output, shards(args.input) if args.input else ())

    from rnnlp.tasks.model_folder.atomic import write_atomically

    work = Vectors(args.model, args.pooling)
    size = work.encoder.output_size
    chunks = ([row.text for row in rows] for rows in given_rows(args, work.encoder.layout))
    pairs = ((chunk, chunk) for chunk in chunks)
    vectors = in_order(work, pairs, workers=args.workers)
    write = write_table if output.suffix == ".parquet" else write_array
    counts: list[int] = []
    try:
        with named_encoding(args.encoding):
            write_atomically(output, lambda part: counts.append(write(part, vectors, size)))
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", path=output) from error
    written = counted(counts[0], "vector")
    print(f"{written} of {size} numbers written to {output}", file=sys.stderr)
    return 0


class Vectors:
    """Texts to vectors [texts, size] float32; another process loads the model again.

    Args:
        model: The model folder, or a hub id.
        pooling: How one vector is made of a text's states.
    """

    def __init__(self, model: str, pooling: Way) -> None:
        from rnnlp.tasks.inference.load import load_encoder

        self._arguments = (model, pooling)
        self.encoder = load_encoder(model)

    def __reduce__(self) -> tuple[type[Vectors], tuple[str, Way]]:
        return Vectors, self._arguments

    def __call__(self, texts: list[str]) -> np.ndarray:
        """The vectors of some texts."""
        vectors: np.ndarray = self.encoder.arrays(texts, pooling=self._arguments[1])
        return vectors


def write_table(path: Path, rows: Iterable[tuple[list[str], np.ndarray]], size: int) -> int:
    """Writes a Parquet file with the columns `text` and `vector`; gives the number of rows.

    Args:
        path: The file.
        rows: Texts with their vectors `[texts, size]`, some at a time.
        size: The length of a vector.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    kind = pa.list_(pa.float32(), size)
    schema = pa.schema([("text", pa.string()), ("vector", kind)])
    count = 0
    with pq.ParquetWriter(str(path), schema) as writer:
        for texts, vectors in rows:
            column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), size)
            # Half characters, as broken JSON escapes leave them, are no text that Parquet holds.
            whole = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
            writer.write_table(pa.table([pa.array(whole, pa.string()), column], schema=schema))
            count += len(texts)
    return count


def write_array(path: Path, rows: Iterable[tuple[list[str], np.ndarray]], size: int) -> int:
    """Writes an array `[texts, size]` of float32; gives the number of rows.

    Args:
        path: The file.
        rows: Texts, which are not written, with their vectors `[texts, size]`, some at a time.
        size: The length of a vector.
    """
    import numpy as np

    def header(count: int) -> None:  # of one length: numpy leaves room for any number of rows
        shape = {"descr": "<f4", "fortran_order": False, "shape": (count, size)}
        np.lib.format.write_array_header_1_0(file, shape)

    count = 0
    with path.open("wb") as file:
        header(0)
        for _, vectors in rows:
            file.write(np.ascontiguousarray(vectors, dtype="<f4").tobytes())
            count += len(vectors)
        file.seek(0)
        header(count)
    return count
