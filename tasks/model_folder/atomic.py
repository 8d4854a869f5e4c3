"""Files that are there as a whole or not at all; imports nothing that takes time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Writes under a temporary name beside `path`, then renames: there is never half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    os.close(handle)
    part = Path(name)
    try:
        write(part)
        part.chmod(0o666 & ~umask())  # mkstemp gives a private file
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def umask() -> int:
    """The permissions that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
