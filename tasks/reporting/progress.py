"""One bar on stderr over trainings that follow each other."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(total: int) -> Iterator[Callable[..., None]]:
    """A bar over so many trainings; on a terminal only.

    Yields:
        What is told, at any time, how many are done, which is the present one, in words, and what
        share of it is done (0 to 1; 0 where not given).
    """
    if not sys.stderr.isatty():
        yield lambda done, text, share=0.0: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Remaining

    columns = (
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        Remaining(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        whole = bar.add_task("", total=total)

        def show(done: int, text: str, share: float = 0.0) -> None:
            bar.update(whole, completed=done + share, description=text)

        yield show
