"""`rnnlp` and `python -m rnnlp`: the command line."""

from rnnlp.tasks.cli.main import main

if __name__ == "__main__":
    main()
