"""Reading bytes as text with errors that name the line, and writing files whole or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

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
    except ValueError as error:
        raise FormatError(repr(str(path)), "unreadable", f"no file can have this name ({error}).") from error


def below(folder: Path, suffixes: Collection[str]) -> tuple[Path, ...]:
    """The files of these suffixes, in any case, in a folder and below it, in sorted order.

    Hidden files and folders, pipes and devices are left out. FormatError [unreadable] for a
    folder that the system refuses.
    """

    def refuse(error: OSError) -> None:
        message = f"the folder can't be read ({error.strerror}). Check its permissions."
        raise FormatError(str(error.filename), "unreadable", message) from error

    found: list[Path] = []
    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(place, name)
            if name.startswith(".") or path.suffix.lower() not in suffixes:
                continue
            if path.is_file() or not path.exists():
                found.append(path)
    return tuple(sorted(found))


def from_json(written: str | bytes) -> Any:
    """Strict JSON: ValueError for what is none, NaN, a number beyond bounds, and a lone surrogate."""
    try:
        content = json.loads(written, parse_constant=_refuse_constant)
        json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    return content


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


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


def refuse_bare_returns(content: str, path: Path) -> None:
    """Raise FormatError [line-ends] for lines that end in CR alone, which readers would run together."""
    bare = re.search(r"\r(?!\n)", content)
    if bare is not None:
        line = content.count("\n", 0, bare.start()) + 1
        message = "a line ends in CR alone, expected LF or CRLF. Save the file anew."
        raise FormatError(f"{path}:{line}", "line-ends", message)


def write(path: Path, content: str | bytes) -> None:
    """Write a whole file or none: a temporary file beside it, then a rename.

    A link is followed, an older file's permissions are kept, and what is no regular file (a
    device, a pipe) is written to as it is. Raises WriteError naming the file if the system
    refuses; an older file stays as it was.
    """
    try:
        data = content.encode("utf-8") if isinstance(content, str) else content
        target = path.resolve() if path.is_symlink() else path
        if os.path.lexists(target) and not target.is_file():
            target.write_bytes(data)
        else:
            _write(target, data)
    except (ValueError, RuntimeError) as error:  # RuntimeError: a loop of links before Python 3.13
        raise WriteError(f"{str(path)!r}: no file can be written there ({error}).") from error
    except OSError as error:
        raise WriteError(
            f"{path}: can't be written ({error.strerror or error}). Choose another place, or make room."
        ) from error


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    mode = path.stat().st_mode & 0o7777 if path.exists() else 0o666 & ~_umask()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=temporary(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


UNFINISHED = ".unfinished-"
ABANDONED = 3600
"""Seconds after which an unfinished file or folder is taken for one whose writer was killed."""


def temporary(path: Path) -> str:
    """How the hidden name begins under which a file or folder is written before its rename."""
    return f".{path.name[:60]}{UNFINISHED}"


def sweep(folder: Path, prefix: str = ".") -> None:
    """Remove what killed writers left in a folder more than an hour ago.

    prefix: how the hidden names begin. Reads the whole folder: call it once, not for every file.
    """
    if not folder.is_dir():
        return
    for entry in folder.iterdir():
        if not (entry.name.startswith(prefix) and UNFINISHED in entry.name):
            continue
        try:
            if time.time() - entry.lstat().st_mtime < ABANDONED:
                continue
        except OSError:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry, ignore_errors=True)
        else:
            entry.unlink(missing_ok=True)


def path_for(folder: Path, identifier: str, suffix: str) -> Path:
    """The file that a document of this id has in a folder, never one outside of it or a hidden one.

    Raises WriteError for an id that can't name a file.
    """
    unusable = identifier[:1] in ("", ".") or any(character in "/\\\0" for character in identifier)
    if unusable or len(identifier.encode("utf-8", "replace")) > 200:
        raise WriteError(f"the document id {identifier[:80]!r} can't name a file. Rename the document.")
    return folder / f"{identifier}{suffix}"


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def stem(path: Path) -> str:
    """The file's name without its suffix, as an id; FormatError [not-utf8] for a name that is not UTF-8."""
    try:
        path.stem.encode()
    except UnicodeEncodeError as error:
        raise FormatError(
            str(path).encode("utf-8", "backslashreplace").decode(),
            "not-utf8",
            "the file's name, which becomes an id, is not UTF-8. Rename the file.",
        ) from error
    return path.stem
