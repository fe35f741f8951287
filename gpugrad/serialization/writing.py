"""Files that are there as a whole, or not at all."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def replaced(path: str) -> Iterator[str]:
    """Give the name of a new file, which takes the place of one after the block.

    It lies in the same folder, has the permissions of the old one, and is removed if an error ends
    the block.  What is no regular file, as a pipe is none, is written itself.
    """
    target = os.path.realpath(path)
    mode = None
    with suppress(FileNotFoundError):
        found = os.stat(target).st_mode
        if stat.S_ISDIR(found):
            raise IsADirectoryError(f"{path} is a folder")
        if not stat.S_ISREG(found):
            yield target
            return
        mode = stat.S_IMODE(found)
    folder, name = os.path.split(target)
    beside = os.path.join(folder, f".{name[:100]}.{secrets.token_hex(4)}")
    descriptor = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
    if mode is None:
        mode = stat.S_IMODE(os.fstat(descriptor).st_mode)  # what the process gives to new files
    os.close(descriptor)
    try:
        yield beside
        os.chmod(beside, mode)
        _to_disk(beside)
        os.replace(beside, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(beside)
        raise


def _to_disk(path: str) -> None:
    """Wait until a file is on the disk: its name is not to be there before its content."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
