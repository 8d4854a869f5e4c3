"""The command line: finds the verb, turns a user's mistake into one line and exit code 2.

Heavy imports happen inside the verbs, so that `rnnlp --help` answers at once.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper

# Each a module and its function.
VERBS = (
    "fit", "evaluate", "predict", "encode", "compare", "tune",
    "export", "check", "serve", "explain", "distil", "select",
)  # fmt: skip

USAGE = """\
rnnlp: train and use recurrent networks on sequences

  rnnlp fit --config NAME|FILE [--output DIR]    train; writes a model folder
  rnnlp evaluate MODEL DATA [--json]             score a model on a file
  rnnlp predict MODEL [TEXT ...]                 label texts; JSON lines out
  rnnlp encode MODEL [TEXT ...] --output FILE    vectors of texts, as .parquet or .npy
  rnnlp compare --config NAME|FILE               train each cell; says which one to take
  rnnlp tune --config NAME|FILE                  search for better values of its settings
  rnnlp distil TEACHER --unlabelled FILE ...     train a student on a teacher's answers
  rnnlp select MODEL --input FILE --count N       which texts to label next
  rnnlp check DATA [--against FILE ...]          what is wrong with labelled data
  rnnlp export MODEL --output DIR [--int8]       for ONNX Runtime, without torch
  rnnlp serve MODEL [MODEL ...]                  over HTTP, with a page to try them
  rnnlp explain CELL | MODEL TEXT                what every gate does, token by token

  rnnlp VERB --help    what the verb takes
  rnnlp fit --help     also lists the shipped configs
  rnnlp --version      the version

MODEL is a model folder, an exported one, or a hub id. RNNLP_DEBUG=1 shows tracebacks.
"""


def run(arguments: Sequence[str]) -> int:
    """Runs one command line and gives its exit code; raises what goes wrong."""
    verb, rest = (arguments[0], list(arguments[1:])) if arguments else ("", [])
    if verb in ("", "-h", "--help", "help"):
        (sys.stdout if verb else sys.stderr).write(USAGE)
        return 0 if verb else 2
    if verb == "--version":
        from rnnlp.tasks.model_folder.versions import rnnlp_version

        print(rnnlp_version())
        return 0
    if verb in VERBS:
        from .parser import without_plugins

        command = getattr(importlib.import_module(f"{__package__}.{verb}"), verb)
        code: int = command(without_plugins(rest))
        return code
    from rnnlp.data.errors import InputError

    raise InputError(f"no verb {verb!r}: use {', '.join(VERBS)} (rnnlp --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script: gives the exit code, 0, or 2 for a user's mistake.

    Args:
        arguments: The command line; that of the process if not given.
    """
    if isinstance(sys.stdout, TextIOWrapper):  # labels and texts are of any script
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe went away, as in `rnnlp predict … | head`: nothing is wrong.
        _drop_stdout()
        code = 0
    except SystemExit as stopped:  # argparse, after its help
        code = int(stopped.code or 0)
    except KeyboardInterrupt:
        sys.stderr.write("rnnlp: stopped\n")
        code = 130
    except Exception as error:
        message = _said_of(error)
        if message is None or os.environ.get("RNNLP_DEBUG"):
            raise
        if isinstance(error, OSError):  # stdout may be what is full
            _drop_stdout()
        sys.stderr.write(f"rnnlp: {message}\n")
        code = 2
    return code


def _said_of(error: Exception) -> str | None:
    """One line on what the user, or the machine, is to blame for; None for a fault of ours."""
    from rnnlp.data.errors import InputError, printable

    if isinstance(error, InputError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:  # a full disk, a device that is gone
        place = "" if error.filename is None else f"{error.filename}: "
        return printable(f"{place}{error.strerror}")
    # torch says so by a RuntimeError of a CPU, and by a kind of its own of a GPU.
    if isinstance(error, MemoryError) or re.search("allocate memory|out of memory", str(error)):
        return "not enough memory: lower data.max_tokens or the sizes of the model"
    return None


def _drop_stdout() -> None:
    """What could not be written is not tried again when Python ends."""
    with suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
