"""Work on items one after the other, here or in several processes; results come in order.

Imports nothing that takes time.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.own_parts import PLUGINS, load_plugins
from rnnlp.tasks.runtime.cores import cores

Kept = TypeVar("Kept")
Item = TypeVar("Item")
Result = TypeVar("Result")
AHEAD = 2  # items a process that are read before their turn


def in_order(
    work: Callable[[Item], Result],
    items: Iterable[tuple[Kept, Item]],
    *,
    workers: int,
) -> Iterator[tuple[Kept, Result]]:
    """What work makes of items; only a few of them are in memory at once.

    Args:
        work: Pickled for other processes, where a pipeline is read from its folder.
        items: Each with what stays here beside it.
        workers: Processes; with 1 it is this one.

    Raises:
        InputError: A process was killed; or as `work`.
    """
    if workers == 1:
        yield from ((kept, work(item)) for kept, item in items)
        return
    threads = max(1, cores() // workers)
    pending: deque[tuple[Kept, Future[Result]]] = deque()
    with ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(threads, PLUGINS, pickle.dumps(work)),
    ) as pool:
        try:
            for kept, item in items:
                pending.append((kept, pool.submit(_do, item)))
                if len(pending) > AHEAD * workers:
                    first, future = pending.popleft()
                    yield first, future.result()
            for first, future in pending:
                yield first, future.result()
        except BrokenProcessPool as error:
            raise InputError(
                "a worker was ended from outside, perhaps for want of memory: take fewer --workers"
            ) from error
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


_work: Callable[[Any], Any]


def _begin(threads: int, plugins: Sequence[str], work: bytes) -> None:
    global _work
    os.environ["OMP_NUM_THREADS"] = str(threads)  # of torch and ONNX Runtime, not loaded so far
    load_plugins(plugins)
    _work = pickle.loads(work)


def _do(item: Any) -> Any:
    return _work(item)
