"""The command line: finds the verb, turns a user's mistake into one line and exit code 2.

Heavy imports happen inside the verbs, so that `rnnlp --help` answers at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

# Each a module and its function.
VERBS = ("fit", "evaluate", "predict", "encode", "compare", "export", "check")

USAGE = """\
rnnlp: train and use recurrent networks on sequences

  rnnlp fit --config NAME|FILE [--output DIR]    train; writes a model folder
  rnnlp evaluate MODEL DATA [--json]             score a model on a file
  rnnlp predict MODEL [TEXT ...]                 label texts; JSON lines out
  rnnlp encode MODEL [TEXT ...] --output FILE    vectors of texts, as .parquet or .npy
  rnnlp compare --config NAME|FILE               train each cell; says which one to take
  rnnlp check DATA [--against FILE ...]          what is wrong with labelled data
  rnnlp export MODEL --output DIR [--int8]       for ONNX Runtime, without torch

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
        command = getattr(importlib.import_module(f"{__package__}.{verb}"), verb)
        code: int = command(rest)
        return code
    from rnnlp.data.errors import InputError

    raise InputError(f"no verb {verb!r}: use {', '.join(VERBS)} (rnnlp --help)")


def main(arguments: Sequence[str] | None = None) -> int:
    """The console script: gives the exit code, 0, or 2 for a user's mistake.

    Args:
        arguments: The command line; that of the process if not given.
    """
    # Idle threads of OpenMP sleep instead of spinning, which beside other work on the machine makes
    # training more than twice as fast. It must be said before torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader of a pipe went away, as in `rnnlp predict … | head`: nothing is wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except SystemExit as stopped:  # argparse, after its help
        code = int(stopped.code or 0)
    except KeyboardInterrupt:
        sys.stderr.write("rnnlp: stopped\n")
        code = 130
    except Exception as error:
        from rnnlp.data.errors import InputError

        if not isinstance(error, InputError) or os.environ.get("RNNLP_DEBUG"):
            raise
        sys.stderr.write(f"rnnlp: {' '.join(str(error).split())}\n")
        code = 2
    return code
