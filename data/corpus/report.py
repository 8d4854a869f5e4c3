"""Keeps account of what is legal but lossy in a user's data, for the report at the end of reading.

Nothing here stops a run: what must stop it is an `InputError`.
"""

from __future__ import annotations


class Notes:
    """Counts each kind of loss with the place of its first example."""

    def __init__(self) -> None:
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
        return [
            f"{kind}: {number:,}" + (f" (first at {place})" if place else "")
            for (kind, number), place in zip(
                self._counts.items(), self._places.values(), strict=True
            )
        ]
