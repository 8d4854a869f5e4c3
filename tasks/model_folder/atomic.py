"""Files that are there as a whole or not at all, in folders that one process writes to.

Imports nothing that takes time.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rnnlp.data.errors import InputError

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM)
PART, NEW = ".part", ".new-"  # ends the name of an unfinished file, begins that of a folder


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, which takes its place at the end: there is never half a file.

    A link goes on leading where it led, and the permissions of a file stay. A pipe or a device has
    no place to take: what is written goes there.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
    os.close(handle)
    part = Path(name)
    try:
        yield part
        mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else 0o666 & ~umask()
        part.chmod(mode)  # mkstemp gives a private file
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Writes a file as `replacing` does."""
    with replacing(path) as part:
        write(part)


def write_text(path: Path, text: str) -> None:
    """Writes a text into a file, whole or not at all."""
    write_atomically(path, lambda part: part.write_text(text, encoding="utf-8"))


def umask() -> int:
    """The permissions that new files do not get."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def remove_leftovers(folder: Path) -> None:
    """Removes what a killed process left unfinished; the folder must be locked."""
    for entry in [*folder.glob(f".*{PART}"), *folder.glob(f"{NEW}*")]:
        remove(entry)


def remove(path: Path) -> None:
    """Removes a file, a folder, or a link but not what it leads to; there need not be one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Makes a folder where there is none, and keeps other processes out of it.

    The folder itself is locked, so that a killed process leaves nothing behind; if nothing was
    written into it, it is removed at the end.

    Raises:
        InputError: It cannot be made, another process has it, or the disk is full, then or later.
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
        tempfile.TemporaryFile(dir=folder).close()
        yield
    except OSError as error:
        if error.errno not in _DISK:
            raise
        raise InputError(
            f"cannot be written ({error.strerror}): make room or give leave, then go on from the "
            "last point (--resume)",
            path=str(error.filename2 or error.filename or folder),
        ) from error
    finally:
        with suppress(OSError):
            for each in made:
                each.rmdir()  # only where it is empty
        os.close(descriptor)
