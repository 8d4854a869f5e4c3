"""An argparse parser whose errors are one line, like every other mistake of a user."""

from __future__ import annotations

import argparse
from typing import NoReturn

from rnnlp.data.errors import InputError


class OneLineParser(argparse.ArgumentParser):
    """Raises `InputError` where argparse would print its usage and leave."""

    def error(self, message: str) -> NoReturn:
        """Reports a wrong command line."""
        raise InputError(f"{message} (see {self.prog} --help)")
