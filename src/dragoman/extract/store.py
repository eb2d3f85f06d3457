"""Model folders: tensors as safetensors, everything else as JSON, all of it hashed.

Loading never runs code from the folder, and refuses what is missing, truncated, edited or
made for another version with a ModelError.
"""

from __future__ import annotations

import ctypes
import hashlib
import json
import os
import platform
import shutil
import tempfile
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from dragoman import __version__
from dragoman.errors import ModelError, WriteError
from dragoman.extract.base import TrainedOn
from dragoman.formats.files import from_json, sweep, temporary
from dragoman.schema import Schema

FORMAT = "dragoman-model/1"
MANIFEST = "manifest.json"
TENSORS = "weights.safetensors"
LARGEST_FILE = 2_000_000_000
LARGEST_WEIGHT = 1e6


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a model folder says of itself.

    files: SHA-256 of every other file. sha256: of this manifest with an empty one.
    """

    format: str
    extractor: str
    schema: Schema
    recipe: dict[str, Any]
    seed: int
    trained_on: TrainedOn
    versions: dict[str, str]
    files: dict[str, str]
    sha256: str = ""

    def sealed(self) -> Manifest:
        """The same with its own hash filled in."""
        content = msgspec.structs.replace(self, sha256="")
        return msgspec.structs.replace(self, sha256=hashlib.sha256(_json(content)).hexdigest())


class AnyManifest(msgspec.Struct, frozen=True):
    """What the manifest of any version says: enough to know a model folder by."""

    format: str
    files: dict[str, str]


class Stored(msgspec.Struct, frozen=True):
    """A model folder as read: manifest, its hash, JSON files by stem, and tensors."""

    manifest: Manifest
    sha256: str
    content: dict[str, Any]
    tensors: dict[str, NDArray[Any]]

    def tensor(self, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """A tensor of float32 of exactly this shape, all numbers finite."""
        found = self.tensors.get(name)
        if found is None or found.shape != shape or found.dtype != np.float32:
            actual = "missing" if found is None else f"{found.dtype} {found.shape}"
            raise ModelError(f"{TENSORS}: tensor {name} is {actual}, expected float32 {shape}")
        if not (np.abs(found) <= LARGEST_WEIGHT).all():
            raise ModelError(
                f"{TENSORS}: tensor {name} holds numbers that are not finite or beyond {LARGEST_WEIGHT:g}"
            )
        return found

    def strings(self, name: str) -> tuple[str, ...]:
        """A JSON file that is a list of strings."""
        found = self.content.get(name)
        if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
            raise ModelError(f"{name}.json: expected a list of strings")
        return tuple(found)


def write(
    folder: Path,
    *,
    extractor: str,
    schema: Schema,
    recipe: Mapping[str, Any],
    seed: int,
    trained_on: TrainedOn,
    content: Mapping[str, Any],
    tensors: Mapping[str, NDArray[Any]],
) -> str:
    """Write a model folder beside its place, then rename; returns its SHA-256.

    The same input gives the same bytes. A model folder already there is replaced; anything else
    that is not an empty folder is refused (ModelError), and so are weights that are not finite.
    Raises WriteError if the system refuses to write; an older model stays as it was.
    """
    _refuse_other(folder)
    unusable = [name for name, array in tensors.items() if not (np.abs(array) <= LARGEST_WEIGHT).all()]
    if unusable:
        raise ModelError(
            f"{folder}: training ended with weights of {', '.join(unusable)} that are no usable numbers. "
            "Change the recipe's settings (stronger penalties, a smaller c)."
        )
    files = {f"{name}.json": _json(value) for name, value in sorted(content.items())}
    arrays = {name: np.ascontiguousarray(tensor) for name, tensor in sorted(tensors.items())}
    files[TENSORS] = safetensors.numpy.save(arrays)
    manifest = Manifest(
        format=FORMAT,
        extractor=extractor,
        schema=schema,
        recipe=dict(recipe),
        seed=seed,
        trained_on=trained_on,
        versions=_versions(),
        files={name: hashlib.sha256(data).hexdigest() for name, data in files.items()},
    ).sealed()
    files[MANIFEST] = _json(manifest)
    try:
        _place(folder, files)
    except OSError as error:
        raise WriteError(
            f"{folder}: can't be written ({error.strerror or error}). Choose another place, or make room."
        ) from error
    return hashlib.sha256(files[MANIFEST]).hexdigest()


def _refuse_other(folder: Path) -> None:
    """Raise ModelError unless the folder is missing, empty, or a model folder and nothing more."""
    if not os.path.lexists(folder):
        return
    problem = f"{folder}: exists and is no model folder. Remove it, or choose another name."
    if folder.is_symlink() or not folder.is_dir():
        raise ModelError(problem)
    names = {path.name for path in folder.iterdir()}
    if not names:
        return
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=AnyManifest)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ModelError(problem) from error
    known = manifest.format.startswith(FORMAT.partition("/")[0])
    if not known or not names <= {*manifest.files, MANIFEST}:
        raise ModelError(problem)


def _place(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write into a hidden folder beside it, then rename; put the old model back if that fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent, temporary(folder))
    fresh = Path(tempfile.mkdtemp(dir=folder.parent, prefix=temporary(folder)))
    try:
        for name, data in files.items():
            (fresh / name).write_bytes(data)
        fresh.chmod(0o755)
        if not folder.exists():
            os.replace(fresh, folder)
            return
        if _exchange(fresh, folder):
            shutil.rmtree(fresh, ignore_errors=True)
            return
        old = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f"{temporary(folder)}old."))
        os.replace(folder, old / "model")
        try:
            os.replace(fresh, folder)
        except BaseException:
            os.replace(old / "model", folder)
            raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def _exchange(one: Path, two: Path) -> bool:
    """Swap two folders in one step, so that a kill leaves either model; False where it can't be."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError, TypeError):
        return False
    here, swap = -100, 2  # AT_FDCWD, RENAME_EXCHANGE of Linux
    return bool(renameat2(here, os.fsencode(one), here, os.fsencode(two), swap) == 0)


def read(folder: Path) -> Stored:
    """Read and check a model folder; ModelError says what is wrong with it."""
    if not folder.is_dir():
        raise ModelError(
            f"{folder}: no such model folder. `dragoman train models/linear.toml` makes "
            "the default one in a clone of the project; name it with -m."
        )
    try:
        raw = (folder / MANIFEST).read_bytes()
        manifest = msgspec.json.decode(raw, type=Manifest)
    except FileNotFoundError as error:
        raise ModelError(f"{folder}: has no {MANIFEST}, so it is no model folder") from error
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ModelError(
            f"{folder / MANIFEST}: damaged, or of another version ({error}). Train the model again."
        ) from error
    if manifest.format != FORMAT:
        raise ModelError(
            f"{folder / MANIFEST}: the format is {manifest.format!r}, this version reads {FORMAT!r}"
        )
    if manifest != manifest.sealed():
        raise ModelError(f"{folder / MANIFEST}: was edited after training. Train the model again.")
    content: dict[str, Any] = {}
    tensors: dict[str, NDArray[Any]] = {}
    for name, expected in manifest.files.items():
        data = _checked(folder, name, expected)
        try:
            if name == TENSORS:
                tensors = safetensors.numpy.load(data)
            else:
                content[name.removesuffix(".json")] = from_json(data)
        except (ValueError, safetensors.SafetensorError) as error:
            raise ModelError(f"{folder / name}: damaged ({error}). Train the model again.") from error
    return Stored(manifest, hashlib.sha256(raw).hexdigest(), content, tensors)


def _checked(folder: Path, name: str, expected: str) -> bytes:
    path = folder / name
    if not name.isprintable() or Path(name).name != name or (name != TENSORS and not name.endswith(".json")):
        raise ModelError(f"{folder / MANIFEST}: names the file {name!r}, which no model folder has")
    try:
        if path.exists() and not path.is_file():
            raise ModelError(f"{path}: is no regular file. Train the model again.")
        if path.stat().st_size > LARGEST_FILE:
            raise ModelError(f"{path}: larger than any model file ({LARGEST_FILE} bytes)")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: can't be read ({error.strerror}). Train the model again.") from error
    if hashlib.sha256(data).hexdigest() != expected:
        raise ModelError(
            f"{path}: not the file that was saved (its SHA-256 differs from the manifest's); "
            "it is truncated or was edited. Train the model again."
        )
    return data


def _json(value: Any) -> bytes:
    content = msgspec.to_builtins(value)
    return (json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode("utf-8")


def _versions() -> dict[str, str]:
    packages = ("numpy", "python-crfsuite", "scikit-learn", "scipy")
    return {
        "dragoman": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }
