"""The files that `--input` names: one, those of a folder, or those that a pattern fits.

A corpus that is too large for one file lies in shards: their names, sorted, give the order.
"""

from __future__ import annotations

import glob
import os

from rnnlp.data.errors import InputError
from rnnlp.data.formats.layout import DELIMITED, JSON_LINES
from rnnlp.data.formats.text_files import stem
from rnnlp.data.formats.workbooks import EXCEL, PARQUET, check_parquet

READABLE = (".txt", *DELIMITED, EXCEL, PARQUET, *JSON_LINES)


def shards(name: str) -> list[str]:
    """The files, in the order of their names; a file alone is itself.

    Args:
        name: A file, a folder, or a pattern as the shell knows them (`**` for any folders).

    Raises:
        InputError: There are none in the folder, or that fit; or a Parquet file is damaged, which
            is better said before the first one is read.
    """
    if os.path.isdir(name):
        files = sorted(entry.path for entry in os.scandir(name) if entry.is_file())
        files = [path for path in files if stem(path)[1] in READABLE]
        if not files:
            raise InputError(f"no file in it ends in {', '.join(READABLE)}", path=name)
    elif os.path.exists(name) or not glob.has_magic(name):
        return [name]
    else:
        files = [path for path in sorted(glob.glob(name, recursive=True)) if os.path.isfile(path)]
        if not files:
            raise InputError("no file fits this pattern", path=name)
    for path in files:
        if stem(path)[1] == PARQUET:
            check_parquet(path)
    return files
