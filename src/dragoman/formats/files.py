"""Reading bytes as text with errors that name the line, and writing files whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from dragoman.errors import FormatError, WriteError


def read_bytes(path: Path) -> bytes:
    """The file's bytes; FormatError [unreadable] if the system refuses."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FormatError(
            str(path),
            "unreadable",
            f"the file can't be read ({error.strerror}). Check the name and its permissions.",
        ) from error


def decode(data: bytes, place: str) -> str:
    """Bytes as UTF-8 text; FormatError [not-utf8] names the line of the first bad byte."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(
            f"{place}:{line}",
            "not-utf8",
            f"byte {error.start} is 0x{data[error.start]:02x}, which is not UTF-8. Save the file as UTF-8.",
        ) from error


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file or none: a temporary file beside it, then a rename.

    Raises WriteError naming the file if the system refuses; an older file stays as it was.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    try:
        _write(path, data)
    except OSError as error:
        raise WriteError(
            f"{path}: can't be written ({error.strerror or error}). Choose another place, or make room."
        ) from error


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:60]}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def path_for(folder: Path, identifier: str, suffix: str) -> Path:
    """The file that a document of this id has in a folder, never one outside of it.

    Raises WriteError for an id that can't name a file.
    """
    unusable = identifier in ("", ".", "..") or any(character in "/\\\0" for character in identifier)
    if unusable or len(identifier.encode("utf-8", "replace")) > 200:
        raise WriteError(f"the document id {identifier[:80]!r} can't name a file. Rename the document.")
    return folder / f"{identifier}{suffix}"


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
