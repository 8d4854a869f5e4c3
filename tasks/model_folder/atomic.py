"""Files that are there as a whole or not at all, in folders that one process writes to.

Imports nothing that takes time.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rnnlp.data.errors import InputError

PART, NEW = ".part", ".new-"  # ends the name of an unfinished file, begins that of a folder


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Writes under a temporary name beside `path`, then renames: there is never half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
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


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed process left unfinished; the folder must be locked."""
    for entry in [*folder.glob(f".*{PART}"), *folder.glob(f"{NEW}*")]:
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Makes a folder where there is none, and keeps other processes out of it.

    The folder itself is locked, so that a killed process leaves nothing behind; if nothing was
    written into it, it is removed at the end.

    Raises:
        InputError: It cannot be made or written to, or another process has it.
    """
    import fcntl

    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"cannot be made: {error.strerror}", path=str(folder)) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InputError(
                "another run is writing to this folder: wait for its end, or choose another "
                "--output",
                path=str(folder),
            ) from error
        except OSError:  # a file system without locks
            pass
        try:
            tempfile.TemporaryFile(dir=folder).close()
        except OSError as error:
            raise InputError(f"cannot be written to: {error.strerror}", path=str(folder)) from error
        yield
    finally:
        with suppress(OSError):
            for each in made:
                each.rmdir()  # only where it is empty
        os.close(descriptor)
