"""`rnnlp serve`: models behind HTTP on this machine, with a page to try them."""

from __future__ import annotations

from collections.abc import Sequence

from rnnlp.data.errors import InputError

from .parser import OneLineParser

INSTALL = "pip install 'rnnlp[serve]'"


def serve(arguments: Sequence[str]) -> int:
    """Runs `rnnlp serve` with these arguments."""
    parser = OneLineParser(
        prog="rnnlp serve",
        description="Serves models over HTTP, with a page at / to try them. Beyond the limits "
        "requests are refused. There is no password: leave --host as it is, or put a proxy before.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "models", metavar="[NAME=]MODEL", nargs="+", help="model folders, exported ones, hub ids"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="0 for a free one (%(default)s)")
    for name, kind, default, meaning in (
        ("body", int, 1_000_000, "bytes of a request"),
        ("texts", int, 256, "texts of a request"),
        ("queue", int, 128, "requests that wait for a model; others get 429"),
        ("batch", int, 64, "texts of several requests that are read together; 1: none"),
        ("seconds", float, 30.0, "time for a request"),
    ):
        meaning = f"most {meaning} (%(default)s)"
        parser.add_argument(f"--{name}", type=kind, default=default, metavar="N", help=meaning)
    args = parser.parse_args(list(arguments))
    names = ("body", "texts", "queue", "batch", "seconds")
    if odd := [name for name in names if not getattr(args, name) > 0]:
        raise InputError(f"--{odd[0]} is {getattr(args, odd[0])}: it must be above 0")
    if not 0 <= args.port < 65536:
        raise InputError(f"--port is {args.port}: there are 0 to 65535")
    try:
        from rnnlp.tasks.serve.limits import Limits
        from rnnlp.tasks.serve.run import serve as run
    except ImportError as error:
        if error.name not in ("fastapi", "uvicorn", "starlette", "pydantic"):
            raise
        raise InputError(f"serving needs fastapi and uvicorn: {INSTALL}") from error
    limits = Limits(**{name: getattr(args, name) for name in names})
    run(args.models, host=args.host, port=args.port, limits=limits)
    return 0
