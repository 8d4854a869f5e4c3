"""What a server takes at most, and what a request may ask for; not how it is answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rnnlp.data.errors import InputError
from rnnlp.tasks.base.options import Option


@dataclass(frozen=True)
class Limits:
    """The bounds of a server; beyond them a request is refused, and the server goes on.

    Args:
        body: Bytes of a request.
        texts: Texts of a request, and answers to it.
        queue: Requests that wait for a model, and streams that are open.
        batch: Texts of several requests that a model reads together; 1 for no micro-batching.
        seconds: Until a request is given up.
    """

    body: int = 1_000_000
    texts: int = 256
    queue: int = 128
    batch: int = 64
    seconds: float = 30.0


CEILINGS = {
    "beam_size": 64,
    "nbest": 64,
    "max_length": 2000,
    "max_length_ratio": 20,
}  # options that cost time


class BodyLimit:
    """Middleware that stops reading a body that is too long, or too slow to arrive.

    Args:
        app: What answers.
        limits: The bounds.
    """

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one connection."""
        size, complete, begun = 0, False, time.monotonic()

        async def bounded() -> Message:
            nonlocal size, complete
            if complete:  # what is waited for now is the end of the connection
                return await receive()
            left = begun + self._limits.seconds - time.monotonic()
            try:
                message = await asyncio.wait_for(receive(), max(0.0, left))
            except asyncio.TimeoutError as error:
                raise HTTPException(408, "the request did not arrive in time") from error
            size += len(message.get("body", b""))
            if size > self._limits.body:
                raise HTTPException(413, f"a request has at most {self._limits.body:,} bytes")
            complete = not message.get("more_body", False)
            return message

        await self._app(scope, bounded if scope["type"] == "http" else receive, send)


def check_texts(texts: Iterable[str]) -> None:
    """Refuses what is no text.

    Raises:
        InputError: A text holds half a character, which JSON can write and UTF-8 cannot.
    """
    for number, text in enumerate(texts):
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"texts[{number}] holds half a character (a surrogate)") from error


def offered(rows: Iterable[Option]) -> dict[str, Option]:
    """The options of a verb that a request can have, by name: those that write no file."""
    return {row.keyword or row.name: row for row in rows if "FILE" not in (row.metavar or "")}


def arguments_of(
    asked: Mapping[str, Any], rows: Iterable[Option], limits: Limits
) -> dict[str, Any]:
    """The options of a request as arguments for a pipeline.

    Args:
        asked: Values by name, as JSON has them.
        rows: What the task can be told.
        limits: The bounds.

    Raises:
        InputError: One is not known, of another type, or beyond the bounds.
    """
    own, ceilings = offered(rows), {"count": limits.texts, **CEILINGS}
    values: dict[str, Any] = {}
    for name, value in asked.items():
        if name not in own:
            known = ", ".join(own) or "none"
            raise InputError(f"there is no option {name!r:.60} for this model; there is: {known}")
        values[name] = _value(name, value, own[name])
        if name in ceilings and values[name] > ceilings[name]:
            raise InputError(f"{name} is {values[name]}: it may be at most {ceilings[name]}")
    return values


def _value(name: str, value: Any, row: Option) -> Any:
    wrong = InputError(f"{name} is {value!r:.60}, which is not of its type")
    if row.repeated:  # FIELD=VALUE on the command line
        if isinstance(value, dict) and all(isinstance(one, str) for one in value.values()):
            return value
        raise wrong
    if row.structured and not isinstance(value, str):  # in a query it is one
        return row.value(value)
    if row.type is None:
        if isinstance(value, bool):
            return value
        raise wrong
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise wrong
    try:
        converted = row.type(str(value))
    except (ValueError, OverflowError) as error:
        raise wrong from error
    if row.structured:
        return row.value(converted)
    if converted != converted or converted in (float("inf"), float("-inf")):
        raise wrong
    return row.value(converted)
