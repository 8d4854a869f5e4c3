"""Server-sent events: what a model says while a text arrives, and what it writes piece by piece."""

from __future__ import annotations

import asyncio
import codecs
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import HTTPException
from fastapi.responses import StreamingResponse
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

from rnnlp.data.errors import InputError
from rnnlp.tasks.model_folder.files import as_json

from .batcher import Batcher


def event(content: Any, *, name: str = "") -> str:
    """One event; its data is JSON in one line."""
    return (f"event: {name}\n" if name else "") + f"data: {as_json(content)}\n\n"


class EventResponse(StreamingResponse):
    """Server-sent events that hold a place until they end, however they end.

    Args:
        events: What is sent.
        place: Was entered; left at the end.
        arriving: Whether the request still arrives: then `read_along` alone takes what comes of it.
            The usual response listens for the end of the connection, and so takes the text away.
    """

    def __init__(
        self,
        events: AsyncIterator[str],
        *,
        place: AbstractAsyncContextManager[None],
        arriving: bool,
    ) -> None:
        headers = {"Cache-Control": "no-store"}
        super().__init__(events, headers=headers, media_type="text/event-stream")
        self._place, self._arriving = place, arriving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one connection."""
        try:
            await super().__call__(scope, _nothing if self._arriving else receive, send)
        finally:  # of a client that left early no event was ever asked for
            await self._place.__aexit__(None, None, None)


async def _nothing() -> Message:
    await asyncio.Event().wait()
    raise AssertionError("never set")


async def read_along(
    batcher: Batcher, stream: Any, body: AsyncIterator[bytes]
) -> AsyncIterator[str]:
    """The results of a stream, each as soon as it is certain; then `end`.

    Args:
        batcher: The model.
        stream: Its stream.
        body: The text, in UTF-8, as it arrives.
    """
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    try:
        async for data in body:
            for result in await batcher.run(stream.feed, decoder.decode(data)):
                yield event(result)
        for result in await batcher.run(stream.feed, decoder.decode(b"", final=True)):
            yield event(result)
        for result in await batcher.run(stream.finish):
            yield event(result)
    except ClientDisconnect:  # nobody listens any more
        return
    except UnicodeDecodeError as error:
        yield event({"error": f"the text is not UTF-8: {error.reason}"}, name="error")
        return
    except (HTTPException, InputError) as error:
        said = error.message if isinstance(error, InputError) else error.detail
        yield event({"error": said}, name="error")
        return
    yield event({}, name="end")


class _Gone(Exception):
    """The client does not listen any more."""


async def write_along(batcher: Batcher, prompt: str, options: dict[str, Any]) -> AsyncIterator[str]:
    """What is written after a prompt, piece by piece; then `end` with the whole answer.

    Args:
        batcher: The model.
        prompt: What the text begins with.
        options: Those of the pipeline.
    """
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[str | None] = asyncio.Queue()
    gone = False

    def say(piece: str) -> None:
        if gone:
            raise _Gone
        loop.call_soon_threadsafe(pieces.put_nowait, piece)

    def write() -> dict[str, Any]:
        try:
            answer: dict[str, Any] = batcher.pipeline.write(prompt, say, **options)
            return answer
        finally:
            loop.call_soon_threadsafe(pieces.put_nowait, None)

    written = asyncio.ensure_future(batcher.run(write))
    try:
        while (piece := await pieces.get()) is not None:
            yield event({"piece": piece})
        yield event(await written, name="end")
    except InputError as error:
        yield event({"error": error.message}, name="error")
    finally:
        gone = True
        if not written.done():
            written.add_done_callback(lambda future: future.exception())
