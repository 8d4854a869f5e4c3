"""`rnnlp` and `python -m rnnlp`: the command line."""

import sys

from rnnlp.tasks.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
