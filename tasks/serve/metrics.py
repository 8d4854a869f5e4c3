"""What a server counts, in the text format that Prometheus reads."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Container

from starlette.types import ASGIApp, Message, Receive, Scope, Send

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counters of one server."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()  # by model and status
        self._seconds: Counter[str] = Counter()
        self._within: Counter[tuple[str, float]] = Counter()  # by model and bucket
        self._counted: Counter[str] = Counter()
        self._texts: Counter[str] = Counter()
        self._batches: Counter[str] = Counter()

    def request(self, model: str, status: int, seconds: float) -> None:
        """Counts a request that was answered.

        Args:
            model: Name of the model.
            status: HTTP status of the answer.
            seconds: How long it took.
        """
        self._requests[model, status] += 1
        self._counted[model] += 1
        self._seconds[model] += seconds  # type: ignore[assignment]
        for bound in BUCKETS:
            self._within[model, bound] += seconds <= bound

    def batch(self, model: str, texts: int) -> None:
        """Counts what a model read together."""
        self._batches[model] += 1
        self._texts[model] += texts

    def text(self, queued: dict[str, int]) -> str:
        """All of it.

        Args:
            queued: Requests that wait, by model.
        """
        lines = ["# TYPE rnnlp_requests_total counter"]
        for (model, status), count in self._requests.items():
            label = f'model="{_escaped(model)}",status="{status}"'
            lines.append(f"rnnlp_requests_total{{{label}}} {count}")
        for name, values in (("texts", self._texts), ("batches", self._batches)):
            lines.append(f"# TYPE rnnlp_{name}_total counter")
            lines += [f'rnnlp_{name}_total{{model="{_escaped(m)}"}} {n}' for m, n in values.items()]
        lines.append("# TYPE rnnlp_queue_length gauge")
        lines += [f'rnnlp_queue_length{{model="{_escaped(m)}"}} {n}' for m, n in queued.items()]
        name = "rnnlp_request_seconds"
        lines.append(f"# TYPE {name} histogram")
        for model, total in self._counted.items():
            label = f'model="{_escaped(model)}"'
            for bound in BUCKETS:
                lines.append(f'{name}_bucket{{{label},le="{bound}"}} {self._within[model, bound]}')
            lines.append(f'{name}_bucket{{{label},le="+Inf"}} {total}')
            lines.append(f"{name}_sum{{{label}}} {self._seconds[model]:.6f}")
            lines.append(f"{name}_count{{{label}}} {total}")
        return "\n".join(lines) + "\n"


class Counting:
    """Middleware that counts the requests for each model.

    Args:
        app: What answers.
        metrics: Where they are counted.
        models: The names there are; others are not counted, lest a stranger fills the memory.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, models: Container[str]) -> None:
        self._app = app
        self._metrics = metrics
        self._models = models

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one connection."""
        parts = scope.get("path", "").split("/")  # /models/NAME/…
        name = parts[2] if len(parts) > 2 and parts[1] == "models" else ""
        if name not in self._models:
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            self._metrics.request(name, status, time.perf_counter() - begun)


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
