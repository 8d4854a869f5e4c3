"""How a file is laid out: decided once, from the training file, and kept with the model.

What is not said is guessed by the reader of the format, from the first lines of the training file.
Later files (validation, test, what is evaluated or predicted) are read in the same way, since a
short one is easily taken for another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rnnlp.data.corpus.report import Notes

from .columns import is_header
from .workbooks import is_workbook

TABLES = ("csv", "tsv")  # of one kind: columns are the same, whatever parts them
PREDICTED = "predicted_"  # before a column of an answer where the input has one of its name
# How names of files end.
JSON_LINES = (".json", ".jsonl", ".ndjson")
DELIMITED = (".csv", ".tsv")
ANNOTATED = (".conll", ".conllu", ".conllup", ".bio", ".bioes", ".bmes", ".iob", ".ann")  # no texts


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The layout of a file.

    Args:
        format: Its format; "" where nothing is known, as of samples and of data sets of a hub.
        columns: Where each role (text, label, token, tag, source, target, features) stands: the
            name of a column, a key, or a number from 1.
        header: Whether the first row of a table names the columns; None where it does not matter.
        quoted: Whether the columns of a TSV stand in quotation marks; those of CSV may.
        separator: What parts the texts of plain text for a generator: line or blank; "" elsewhere.
    """

    format: str = ""
    columns: Mapping[str, str | int] = field(default_factory=dict)
    header: bool | None = None
    quoted: bool = False
    separator: str = ""

    def asked(
        self, format: str, columns: Mapping[str, str | int | None], *, path: str, notes: Notes
    ) -> tuple[dict[str, str | int | None], bool | None]:
        """The columns and the header that a file of this format is read with.

        Args:
            format: The format of the file at hand.
            columns: What the user says of it by role; None leaves a role to the layout.
            path: The file, for the note.
            notes: Gets a line where the format is another one, so that nothing of this holds.
        """
        if not self.format or (self.format != format and not {self.format, format} <= {*TABLES}):
            if self.columns:
                notes.add(
                    f"{path}: is {format}, and the training data was {self.format}: its columns "
                    "are found anew"
                )
            return dict(columns), None
        said = {role: self.columns.get(role) if c is None else c for role, c in columns.items()}
        return said, self.header if all(c is None for c in columns.values()) else None

    def told(self, path: str, *, named: bool = False) -> str:
        """In words, for a note on a file; "" where there is nothing to tell.

        Args:
            path: The file.
            named: Whether the user has said which columns are meant, so that no header is guessed.
        """
        if self.separator:
            parted = "texts parted by blank lines" if self.separator == "blank" else "a text a line"
            return f"read as text: {parted} (data.separator is {self.separator})"
        if not self.columns:
            return ""
        header = {None: "", True: " with a header", False: " without a header"}[self.header]
        where = ", ".join(
            f"{role} in {'column ' if isinstance(column, int) else ''}{column}"
            for role, column in self.columns.items()
        )
        quoted = " with quotation marks around columns" if self.quoted else ""
        format = "a table" if is_workbook(path) else self.format
        otherwise = ""
        guessed = not named and {*self.columns} == {"text", "label"}
        if guessed and self.header is False:
            otherwise = "; if the first row is a header, name the columns (text_column …)"
        elif guessed and self.header and not is_header(list(map(str, self.columns.values()))):
            otherwise = "; if the first row is an example, put a header above it"
        return f"read as {format}{quoted}{header}: {where}{otherwise}"
