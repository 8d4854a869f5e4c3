"""Pictures that the command line writes: where they may go, and what no font could draw."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rnnlp.data.errors import InputError, note


def picture_file(path: str, *, option: str, kinds: Sequence[str]) -> Path:
    """The file that an option names.

    Args:
        path: What was given.
        option: The option.
        kinds: How the name may end.

    Raises:
        InputError: It ends otherwise, is a folder, or lies in a folder that there is not.
    """
    target = Path(path)
    if target.suffix.lower() not in kinds or target.is_dir() or not target.parent.is_dir():
        raise InputError(
            f"cannot be written: {option} takes a {' or '.join(kinds)} file in a folder there is",
            path=path,
        )
    return target


def write_picture(target: Path, draw: Callable[[Path], object], texts: Iterable[str]) -> None:
    """Writes a picture, and tells of characters in its texts that are boxes there.

    Args:
        target: The file; it appears under its name only when it is complete.
        draw: Draws the picture into a file.
        texts: What is written in it.
    """
    from rnnlp.tasks.model_folder.atomic import write_atomically
    from rnnlp.tasks.reporting.picture import undrawable

    write_atomically(target, draw)
    odd = undrawable(texts) if target.suffix.lower() == ".png" else []
    if odd:
        note(
            f"no font here has {' '.join(odd[:10])}: they are boxes in {target}; install one such "
            "as Noto Sans CJK"
        )
