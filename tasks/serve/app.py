"""The application: which addresses there are, and what each answers; not the network or the queue.

    GET  /                       the page
    GET  /health, /metrics       for those who watch
    GET  /models                 what is served
    POST /models/NAME/predict    {"texts": […], "options": {…}} -> {"answers": […]}
    POST /models/NAME/align      {"text": …}: where a translator looked
    POST /models/NAME/stream     a text as it arrives -> server-sent events (PUT, too, for curl -T)
    POST /models/NAME/generate   {"text": …}: what is written, as server-sent events

Every mistake is answered by `{"error": …}` with one sentence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.metadata import version
from importlib.resources import files
from typing import Any

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel, ConfigDict, StrictStr
from starlette.exceptions import HTTPException as AnyHTTPException

from rnnlp.data.errors import InputError, printable
from rnnlp.tasks.model_folder.files import as_json
from rnnlp.tasks.registry import options_of

from .batcher import Batcher, Busy
from .limits import BodyLimit, Limits, arguments_of, check_texts, offered
from .metrics import Counting, Metrics
from .streams import EventResponse, read_along, write_along

# The page takes nothing from anywhere else, and no other page may hold it.
_PAGE_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class Texts(BaseModel):
    """Texts and what is to be done with them."""

    model_config = ConfigDict(extra="forbid")
    texts: StrictStr | list[StrictStr]
    options: dict[str, Any] = {}


class OneText(BaseModel):
    """One text and what is to be done with it."""

    model_config = ConfigDict(extra="forbid")
    text: StrictStr
    options: dict[str, Any] = {}


def create_app(models: Mapping[str, Any], limits: Limits | None = None) -> FastAPI:
    """The application that serves some models.

    Args:
        models: Loaded pipelines by name.
        limits: The bounds; the usual ones if not given.
    """
    bounds = limits or Limits()
    metrics = Metrics()
    options = {kind: options_of(kind) for kind in ("PREDICT", "STREAM")}
    batchers: dict[str, Batcher] = {}

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        for name, pipeline in models.items():
            batchers[name] = Batcher(name, pipeline, limits=bounds, metrics=metrics)
        tasks = [asyncio.create_task(batcher.work()) for batcher in batchers.values()]
        yield
        for task in tasks:
            task.cancel()

    app = FastAPI(
        title="rnnlp",
        version=version("rnnlp"),
        lifespan=lifespan,
        docs_url=None,  # the pages of FastAPI load scripts from elsewhere
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, limits=bounds)
    app.add_middleware(Counting, metrics=metrics, models=models)

    def batcher_of(name: str) -> Batcher:
        if name not in batchers:
            raise HTTPException(404, f"there is no model {name!r:.60}; see /models")
        return batchers[name]

    def chosen(batcher: Batcher, asked: Mapping[str, Any], kind: str = "PREDICT") -> dict[str, Any]:
        values = arguments_of(asked, options[kind].get(batcher.pipeline.task, ()), bounds)
        if values.get("explain") and not batcher.pipeline.explains:
            raise InputError("the model has no token weights to show")
        return values

    @app.get("/", response_class=HTMLResponse)
    async def page() -> Response:
        content = files(__package__).joinpath("page.html").read_text(encoding="utf-8")
        return HTMLResponse(content, headers={"Content-Security-Policy": _PAGE_POLICY})

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/metrics", response_class=PlainTextResponse)
    async def measured() -> str:
        return metrics.text({name: batcher.queued for name, batcher in batchers.items()})

    @app.get("/models")
    async def served() -> list[dict[str, Any]]:
        return [
            {
                "name": name,
                "task": pipeline.task,
                "engine": "onnx" if pipeline.exported else "torch",
                "options": list(offered(options["PREDICT"].get(pipeline.task, ()))),
                "explains": bool(getattr(pipeline, "explains", False)),
                "aligns": hasattr(pipeline, "align"),
                "writes": hasattr(pipeline, "write"),
                "vector_size": getattr(pipeline.settings, "vector_size", 0),
            }
            for name, pipeline in models.items()
        ]

    @app.post("/models/{name}/predict")
    async def predict(name: str, request: Texts) -> Response:
        batcher = batcher_of(name)
        texts = [request.texts] if isinstance(request.texts, str) else request.texts
        options = chosen(batcher, request.options)
        if len(texts) * options.get("count", 1) > bounds.texts:
            raise HTTPException(413, f"a request has at most {bounds.texts} texts and answers")
        check_texts(texts)
        answers = await batcher.answers(texts, options) if texts else []
        notes = getattr(batcher.pipeline, "notes_on", None)
        said = await batcher.run(notes, texts) if notes else []
        return _json({"answers": answers, **({"notes": said} if said else {})})

    @app.post("/models/{name}/align")
    async def align(name: str, request: OneText) -> Response:
        batcher = batcher_of(name)
        if not hasattr(batcher.pipeline, "align"):
            raise InputError("only translators align texts")
        check_texts([request.text])
        if not request.text.strip():
            raise InputError("a blank text has no alignment")
        async with batcher.streaming():
            alignment = await asyncio.wait_for(
                batcher.run(batcher.pipeline.align, request.text), bounds.seconds
            )
        weights = [[round(one, 4) for one in row] for row in alignment.weights]
        return _json({"source": alignment.source, "target": alignment.target, "weights": weights})

    @app.put("/models/{name}/stream")
    @app.post("/models/{name}/stream")
    async def stream(name: str, request: Request) -> Response:
        batcher = batcher_of(name)
        options = chosen(batcher, request.query_params, "STREAM")
        reader = batcher.pipeline.stream(**options)

        async def events() -> AsyncIterator[str]:
            async for one in read_along(batcher, reader, request.stream()):
                yield one

        return await _opened(batcher, events(), arriving=True)

    @app.post("/models/{name}/generate")
    async def generate(name: str, request: OneText) -> Response:
        batcher = batcher_of(name)
        if not hasattr(batcher.pipeline, "write"):
            raise InputError("only generators write texts")
        check_texts([request.text])
        options = chosen(batcher, request.options)
        if "count" in options:
            raise InputError("count is for predict: this writes one text")
        return await _opened(batcher, write_along(batcher, request.text, options))

    _add_errors(app)
    return app


async def _opened(
    batcher: Batcher, events: AsyncIterator[str], *, arriving: bool = False
) -> Response:
    """A response of events that counts as an open stream until it ends.

    Args:
        batcher: The model.
        events: What is sent.
        arriving: Whether they go by a text that still arrives.

    Raises:
        Busy: Too many are open.
    """
    place = batcher.streaming()
    await place.__aenter__()
    return EventResponse(events, place=place, arriving=arriving)


def _json(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(as_json(content), status, headers, media_type="application/json")


def _add_errors(app: FastAPI) -> None:
    """Answers each kind of mistake with its status and one sentence."""

    @app.exception_handler(InputError)
    async def wrong(_: Request, error: InputError) -> Response:
        return _json({"error": printable(error.message)}, 400)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"][1:]) or "the body"
        said = "is no JSON" if first["type"] == "json_invalid" else f"{place}: {first['msg']}"
        return _json({"error": printable(f"the request is not as it must be: {said}"[:300])}, 400)

    @app.exception_handler(AnyHTTPException)
    async def refused(_: Request, error: AnyHTTPException) -> Response:
        return _json({"error": printable(error.detail)}, error.status_code)

    @app.exception_handler(Busy)
    async def busy(_: Request, __: Busy) -> Response:
        said = {"error": "too many requests wait: try again later"}
        return _json(said, 429, {"Retry-After": "1"})

    @app.exception_handler(asyncio.TimeoutError)
    async def late(_: Request, __: asyncio.TimeoutError) -> Response:
        return _json({"error": "the answer took too long"}, 504)

    @app.exception_handler(Exception)
    async def failed(_: Request, error: Exception) -> Response:
        logging.getLogger("rnnlp").error("a request failed", exc_info=error)
        return _json({"error": "the model failed; the server's log says more"}, 500)
