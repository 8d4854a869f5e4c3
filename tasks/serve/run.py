"""Runs the server: loads models, listens, and ends once what is in work has been answered."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import uvicorn

from rnnlp.data.errors import InputError
from rnnlp.tasks.inference.load import load

from .app import create_app
from .limits import Limits


def named(models: Iterable[str]) -> dict[str, str]:
    """The models by name: `NAME=MODEL`, or the name of the folder.

    Raises:
        InputError: Two have the same name.
    """
    places: dict[str, str] = {}
    for model in models:
        name, equals, place = model.partition("=")
        if not equals or "/" in name:
            name, place = Path(model).resolve().name if Path(model).exists() else model, model
        name = name.rsplit("/", 1)[-1]
        if not name or name in places:
            raise InputError(f"two models are called {name!r}: give them names, as NAME={place}")
        places[name] = place
    return places


def serve(models: Iterable[str], *, host: str, port: int, limits: Limits) -> None:
    """Serves models until SIGTERM or SIGINT; requests in work are answered before it ends.

    Args:
        models: Model folders, exported ones or hub ids, each with `NAME=` before it or without.
        host: The address to listen on.
        port: 0 for any free one.
        limits: The bounds.

    Raises:
        InputError: A model cannot be loaded, or the port is taken.
    """
    places = named(models)
    pipelines: dict[str, Any] = {name: load(place) for name, place in places.items()}
    for name, pipeline in pipelines.items():
        pipeline.check_reads_texts(places[name], what="a request")
    try:
        kind = socket.AF_INET6 if ":" in host else socket.AF_INET
        listening = socket.create_server((host, port), family=kind, backlog=1024)
        # What is accepted inherits it. Without it the body of an answer waits 40 ms for the
        # acknowledgement of its head: asyncio sees to that only where a socket names its protocol.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        raise InputError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(pipelines, limits),
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=int(limits.seconds) + 1,
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):  # sent again by uvicorn when all is done
        signal.signal(number, lambda *_: None)
    address = f"[{host}]" if ":" in host else host
    served = ", ".join(f"{name} ({pipeline.task})" for name, pipeline in pipelines.items())
    sys.stderr.write(f"http://{address}:{listening.getsockname()[1]} serves {served}\n")
    sys.stderr.flush()
    server.run(sockets=[listening])
