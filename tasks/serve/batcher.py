"""A model and the requests that wait for it: those that wait together are answered together.

One thread runs the model. While it works, requests gather; then it takes as many of them as fit
into a batch. So nothing ever waits for others to come, and batches grow with the load.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from .limits import Limits
from .metrics import Metrics

Result = TypeVar("Result")
Answers = list[dict[str, Any]]


class Busy(Exception):
    """More requests wait than may."""


@dataclass(frozen=True, eq=False)
class _Job:
    texts: list[str]
    options: dict[str, Any]
    answers: asyncio.Future[Answers]


class Batcher:
    """Answers requests for one model.

    Args:
        name: Of the model, for the metrics.
        pipeline: The model.
        limits: How much may wait, and for how long.
        metrics: Where batches are counted.
    """

    def __init__(self, name: str, pipeline: Any, *, limits: Limits, metrics: Metrics) -> None:
        self.pipeline = pipeline
        self._name = name
        self._limits = limits
        self._metrics = metrics
        self._waiting: deque[_Job] = deque()
        self._streams = 0
        self._arrived = asyncio.Event()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)

    @property
    def queued(self) -> int:
        """How many requests wait."""
        return len(self._waiting)

    async def answers(self, texts: list[str], options: dict[str, Any]) -> Answers:
        """What the pipeline says of some texts.

        Raises:
            Busy: Too many requests wait.
            asyncio.TimeoutError: It took too long.
            InputError: As the pipeline raises it.
        """
        if len(self._waiting) >= self._limits.queue:
            raise Busy
        job = _Job(texts, options, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._arrived.set()
        try:
            return await asyncio.wait_for(job.answers, self._limits.seconds)
        finally:
            if job in self._waiting:  # its time is up, or its client has gone
                self._waiting.remove(job)

    async def work(self) -> None:
        """Answers what waits, until it is cancelled."""
        while True:
            await self._arrived.wait()
            if not self._waiting:
                self._arrived.clear()
            else:
                await self.run(self._answer, self._take(), asyncio.get_running_loop())

    async def run(self, call: Callable[..., Result], *arguments: Any) -> Result:
        """Runs a call in the thread of the model."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, call, *arguments)

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[None]:
        """Counts a stream while it is open.

        Raises:
            Busy: Too many are.
        """
        if self._streams >= self._limits.queue:
            raise Busy
        self._streams += 1
        try:
            yield
        finally:
            self._streams -= 1

    def _take(self) -> list[_Job]:
        """The requests that are answered next: of the same options, and no more texts than fit.

        Texts that are written hang on their number in the request, so those go alone.
        """
        batch: list[_Job] = []
        size = 0
        while self._waiting:
            job = self._waiting[0]
            if batch and (
                self.pipeline.writes
                or job.options != batch[0].options
                or size + len(job.texts) > self._limits.batch
            ):
                break
            batch.append(self._waiting.popleft())
            size += len(job.texts)
        return batch

    def _answer(self, batch: list[_Job], loop: asyncio.AbstractEventLoop) -> None:
        """Answers some requests; in the thread of the model."""
        texts = [text for job in batch for text in job.texts]
        self._metrics.batch(self._name, len(texts))
        try:
            answers = self.pipeline(texts, **batch[0].options)
        except Exception as error:
            if len(batch) > 1:  # one of them may be the only one at fault
                for job in batch:
                    self._answer([job], loop)
            else:
                loop.call_soon_threadsafe(_fail, batch[0].answers, error)
            return
        each = len(answers) // len(texts) if texts else 1  # a prompt may be gone on with often
        for job in batch:
            own, answers = answers[: each * len(job.texts)], answers[each * len(job.texts) :]
            loop.call_soon_threadsafe(_give, job.answers, own)


def _give(waiting: asyncio.Future[Answers], answers: Answers) -> None:
    if not waiting.done():
        waiting.set_result(answers)


def _fail(waiting: asyncio.Future[Answers], error: Exception) -> None:
    if not waiting.done():
        waiting.set_exception(error)
