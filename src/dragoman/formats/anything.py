"""One front for every format that documents are read from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Literal, get_args

from dragoman.errors import FormatError
from dragoman.formats import brat, conll, docbin, files, inline, labelstudio, native, tags
from dragoman.formats.conversion import Conversion, Note, duplicates, joined
from dragoman.types import Document

Form = Literal["native", "jsonl", "inline", "labelstudio", "brat", "conll", "docbin"]
FORMS: tuple[Form, ...] = get_args(Form)

CONLL = (".conll", ".iob", ".bio", ".tsv")
SUFFIXES: dict[Form, tuple[str, ...]] = {
    "native": (".json",),
    "jsonl": (".jsonl",),
    "inline": (".txt",),
    "labelstudio": (".json",),
    "brat": (".ann",),
    "conll": CONLL,
    "docbin": (".spacy",),
}
"""The files that a folder is searched for when the form is named."""

BY_SUFFIX: dict[str, Form] = {
    ".jsonl": "jsonl",
    ".ann": "brat",
    ".spacy": "docbin",
    **dict.fromkeys(CONLL, "conll"),
}
UNNAMED = (".json", *BY_SUFFIX)
"""The files that a folder is searched for when no form is named."""


def read(
    path: Path,
    *,
    schema: str,
    form: str | None = None,
    dialect: str | None = None,
    mode: str | None = None,
    name: str | None = None,
    predictions: bool = False,
) -> Conversion:
    """Read a file, or all files of a folder and below it, in whatever format they are.

    schema: the schema reference for documents whose file names none.
    form: one of FORMS; None goes by what the file is called: ``.jsonl``, ``.ann``, ``.spacy``,
    ``.conll``, ``.iob``, ``.bio``, ``.tsv``; a ``.json`` is an export of Label Studio if it holds
    a list of tasks, else a document file. A folder with an ``.ann`` is brat's.
    dialect, mode: how the tags of CoNLL are read, see ``tags.decode``; needed for CoNLL only.
    name: what the ids of a CoNLL file's or DocBin's documents begin with; else the file's name.
    predictions: as for ``labelstudio.read``.

    Entities and relations that stand twice are told (``duplicate``) and kept.

    Raises FormatError [unknown-form] for a form or a file that is none of these,
    [conll-dialect] if CoNLL comes without dialect or mode, [id-duplicate] if two documents
    have one id, and what the format's reader raises.
    """
    known = _named(form, path)
    if path.is_dir():
        found = _folder(path, schema, known, dialect, mode, predictions)
    else:
        found = _file(path, schema, known or _recognised(path), dialect, mode, name, predictions)
    repeated = [name for name, count in Counter(d.id for d in found.documents).items() if count > 1]
    if repeated:
        raise FormatError(
            str(path), "id-duplicate", f"two documents have the id {repeated[0]!r}. Remove or rename one."
        )
    twice = [note for document in found.documents for note in duplicates(document, f"{path}: {document.id}")]
    return Conversion(found.documents, (*found.notes, *twice))


def is_foreign(path: Path) -> bool:
    """Whether a file, or any file of a folder, is in a format other than our own by its name."""
    if path.is_dir():
        return any(map(is_foreign, files.below(path, UNNAMED)))
    suffix = path.suffix.lower()
    if suffix == ".json" and path.is_file():
        return _recognised(path) == "labelstudio"
    return BY_SUFFIX.get(suffix, "jsonl") != "jsonl"


def _named(form: str | None, path: Path) -> Form | None:
    for known in FORMS:
        if form == known:
            return known
    if form is None:
        return None
    raise FormatError(
        str(path), "unknown-form", f"{form!r} is no format; expected one of {', '.join(FORMS)}."
    )


def _folder(
    path: Path, schema: str, form: Form | None, dialect: str | None, mode: str | None, predictions: bool
) -> Conversion:
    suffixes = UNNAMED if form is None else SUFFIXES[form]
    found = files.below(path, suffixes)
    if not found:
        raise FormatError(
            str(path),
            "unknown-form",
            f"no file ending in {', '.join(suffixes)} in this folder or below. Name another, or the format.",
        )
    left = [file for file in files.below(path, (".txt",)) if form is None and not _has_standoff(file)]
    if form == "brat" or (form is None and any(file.suffix.lower() == ".ann" for file in found)):
        read = brat.read(path, schema=schema)
        left += [file for file in found if file.suffix.lower() != ".ann"]
        return Conversion(read.documents, (*read.notes, *map(_unread, left)))
    notes = tuple(map(_unread, left))
    read = joined(
        _file(file, schema, form or _recognised(file), dialect, mode, None, predictions) for file in found
    )
    return Conversion(read.documents, (*read.notes, *notes))


def _has_standoff(text: Path) -> bool:
    return text.with_suffix(".ann").exists()


def _unread(file: Path) -> Note:
    return Note(
        str(file), "skipped", "is not read beside files of another format; name its format to read it"
    )


def _file(
    path: Path,
    schema: str,
    form: Form,
    dialect: str | None,
    mode: str | None,
    name: str | None,
    predictions: bool,
) -> Conversion:
    if form == "conll":
        known = _dialect(path, dialect, mode)
        return conll.read(path, schema=schema, dialect=known, mode=_mode(path, mode), name=name)
    readers: dict[str, Callable[[], Conversion]] = {
        "native": lambda: Conversion((native.read(path),)),
        "jsonl": lambda: Conversion(_lines(path)),
        "inline": lambda: Conversion((inline.read(path, schema=schema),)),
        "labelstudio": lambda: labelstudio.read(path, schema=schema, predictions=predictions),
        "brat": lambda: brat.read(path, schema=schema),
        "docbin": lambda: docbin.read(path, schema=schema, name=name),
    }
    return readers[form]()


def _recognised(path: Path) -> Form:
    """The format of a file by its name, and for ``.json`` by what it holds."""
    suffix = path.suffix.lower()
    if suffix in BY_SUFFIX:
        return BY_SUFFIX[suffix]
    data = files.read_bytes(path)
    if suffix == ".json":
        return "labelstudio" if data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"[" else "native"
    raise FormatError(
        str(path),
        "unknown-form",
        f"{'the suffix ' + suffix if suffix else 'a name without suffix'} doesn't say which format this is. "
        f"Name it: one of {', '.join(FORMS)}.",
    )


def _lines(path: Path) -> tuple[Document, ...]:
    documents: list[Document] = []
    for _, found in native.read_lines(path):
        if isinstance(found, FormatError):
            raise found
        documents.append(found)
    return tuple(documents)


def _dialect(path: Path, dialect: str | None, mode: str | None) -> tags.Dialect:
    if dialect is None or mode is None:
        fitting = conll.guess(path)
        if fitting:
            found = f"all its tags are well formed in {' and in '.join(fitting)}"
        else:
            found = f"its tags are well formed in none of {', '.join(tags.PREFIXES)}"
        missing = [name for name, value in (("dialect", dialect), ("mode", mode)) if value is None]
        raise FormatError(
            str(path),
            "conll-dialect",
            f"a CoNLL file doesn't say how its tags are meant ({found}). "
            f"Give the {' and the '.join(missing)}; modes are {' and '.join(tags.MODES)}.",
        )
    try:
        return tags.named(dialect)
    except ValueError as error:
        raise FormatError(str(path), "conll-dialect", f"{error}.") from error


def _mode(path: Path, mode: str | None) -> tags.Mode:
    try:
        return tags.moded(mode or "")
    except ValueError as error:
        raise FormatError(str(path), "conll-dialect", f"{error}.") from error
