"""Keeps account of what is legal but lossy in a user's data, for the report at the end of reading.

Only a bad row stops a run here, unless the user lets such rows be left out; whatever else must
stop it is an `InputError` of its reader.
"""

from __future__ import annotations

from collections.abc import Sequence

from rnnlp.data.errors import InputError

_PLACES = 10  # of bad rows that are told


class Notes:
    """Counts each kind of loss with the place of its first example.

    Args:
        skip_bad_rows: Whether rows that cannot be read are left out; otherwise the first one stops
            the reading.
    """

    def __init__(self, *, skip_bad_rows: bool = False) -> None:
        self.skip_bad_rows = skip_bad_rows
        self._bad: list[InputError] = []  # the first ones
        self._bad_rows = 0
        self._counts: dict[str, int] = {}
        self._places: dict[str, str] = {}
        self._statements: list[str] = []

    def count(self, kind: str, where: str = "", number: int = 1) -> None:
        """Adds to the count of one kind of loss.

        Args:
            kind: What is lost, in the plural: "overlapping spans dropped".
            where: The place, as `file:line`; the first one is kept.
            number: How many.
        """
        if number:
            self._counts[kind] = self._counts.get(kind, 0) + number
            self._places.setdefault(kind, where)

    def add(self, statement: str) -> None:
        """Adds a sentence to the report, once."""
        if statement not in self._statements:
            self._statements.append(statement)

    def bad(self, error: InputError) -> None:
        """Leaves out a row that cannot be read, where this is asked for.

        Args:
            error: What is wrong with it, and where it stands.

        Raises:
            InputError: That error, where nothing is to be left out.
        """
        if not self.skip_bad_rows:
            raise error
        self._bad_rows += 1
        if len(self._bad) < _PLACES:
            self._bad.append(error)

    def __getitem__(self, kind: str) -> int:
        """The count of one kind so far."""
        return self._counts.get(kind, 0)

    def statements(self) -> list[str]:
        """What was read how, each one line."""
        return list(self._statements)

    def lines(self) -> list[str]:
        """The report: statements first, then the counts, each one line."""
        return self._statements + self.counts()

    def counts(self) -> list[str]:
        """What is lossy, each kind one line."""
        counts = [
            f"{kind}: {number:,}" + (f" (first at {place})" if place else "")
            for (kind, number), place in zip(
                self._counts.items(), self._places.values(), strict=True
            )
        ]
        return self._skipped() + counts

    def nothing_left(self, what: str, *, path: str, before: Sequence[str]) -> InputError:
        """The error of a file that holds nothing, or of which everything was left out.

        Args:
            what: What it should hold, in the plural.
            path: The file.
            before: The counts before it was read.
        """
        why = "; ".join(line for line in self.counts() if line not in before)
        return InputError(f"no {what} in the file" + (f": {why}" if why else ""), path=path)

    def _skipped(self) -> list[str]:
        if not self._bad:
            return []
        places = ", ".join(f"{error.path}:{error.line}" for error in self._bad)
        first = "" if self._bad_rows == len(self._bad) else f"the first {_PLACES} "
        return [
            f"bad rows, left out: {self._bad_rows:,} ({first}at {places}; the first one: "
            f"{self._bad[0].message})"
        ]
