"""A folder of documents: reading it, attaching texts to stand-off documents, statistics."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import sys
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from dragoman import schema as schemas
from dragoman.errors import DragomanError, FormatError, SchemaError
from dragoman.formats import files, inline, native
from dragoman.types import Document, Entity, Source, first_line, text_hash

log = logging.getLogger(__name__)

SPLITS = ("train", "dev", "test")


class Loaded(msgspec.Struct, frozen=True):
    """What ``read`` found: documents by path, those without text, and unreadable files."""

    documents: dict[str, Document]
    without_text: tuple[str, ...] = ()
    errors: tuple[FormatError, ...] = ()


DOCUMENTS = (".json", ".jsonl")
ARTICLES = (".txt", *DOCUMENTS)


def paths(places: Iterable[Path], suffixes: Sequence[str] = DOCUMENTS) -> Iterator[Path]:
    """All files of these suffixes in files and folders, in sorted order.

    What is hidden is left out, and in folders pipes and devices too. Raises DragomanError for a
    name that does not exist, a folder that can't be read, or one without such files.
    """
    for place in places:
        if place.is_dir():
            found = sorted(path for path in _below(place) if suffix(path) in suffixes)
            if not found:
                raise DragomanError(
                    f"{place}: [empty-folder] no file ending in {' or '.join(suffixes)} in this folder or "
                    "below. Name a folder that holds some."
                )
            yield from found
        elif os.path.lexists(place):
            yield place
        else:
            raise DragomanError(f"{place}: [not-found] no such file or folder. Check the name.")


def suffix(path: Path) -> str:
    """The end of a file's name by which its format is known, in lower case.

    >>> suffix(Path("TREATY.JSON"))
    '.json'
    """
    return path.suffix.lower()


def _below(place: Path) -> Iterator[Path]:
    """The files below a folder, broken links among them, hidden files and folders not."""

    def refuse(error: OSError) -> None:
        raise DragomanError(
            f"{error.filename}: [unreadable] the folder can't be read ({error.strerror}). "
            "Check its permissions."
        ) from error

    for folder, folders, names in os.walk(place, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(folder, name)
            if not name.startswith(".") and (path.is_file() or not path.exists()):
                yield path


def read(places: Iterable[Path], *, texts: Sequence[Path] | None = None, schema: str | None = None) -> Loaded:
    """Read every document below files and folders, attaching texts where they are found.

    Text files in the inline notation are read where they are named, or stand in a folder without
    document files. texts: folders with the texts of stand-off documents; ``DRAGOMAN_TEXTS`` if
    None. schema: what inline files mean that name none; the nearest one if None. Unreadable files
    are listed in ``errors``; the others are read all the same.
    """
    library = _library(text_folders() if texts is None else tuple(texts))
    documents: dict[str, Document] = {}
    missing: list[str] = []
    errors: list[FormatError] = []
    for path in _document_paths(places):
        for place, document in _documents_of(path, schema):
            if isinstance(document, FormatError):
                errors.append(document)
                continue
            if document.text is None:
                try:
                    document = library.attach(document, place)
                except FormatError as error:
                    errors.append(error)
                if document.text is None:
                    missing.append(place)
            documents[place] = document
    return Loaded(documents, tuple(missing), tuple(errors))


def _document_paths(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        ends = set(map(suffix, _below(place))) if place.is_dir() else set()
        inline_only = ".txt" in ends and ends.isdisjoint(DOCUMENTS)
        yield from paths([place], (".txt",) if inline_only else DOCUMENTS)


def _reference(path: Path) -> str:
    """The schema that an inline file means where it names none: the nearest one."""
    for start in (path, Path.cwd()):
        try:
            return schemas.read(schemas.find(start)).reference
        except SchemaError:
            continue
    raise FormatError(
        str(path),
        "schema-mismatch",
        "no annotation/schema.toml above it. Add a header line `schema: NAME/1`, or say --schema; if this "
        "is no article in the inline notation, say --form.",
    )


def _documents_of(path: Path, schema: str | None = None) -> Iterator[tuple[str, Document | FormatError]]:
    """The documents of a file by their places; what can't be read comes as its error."""
    try:
        if suffix(path) == ".jsonl":
            for line, found in native.read_lines(path):
                yield f"{path}:{line}", found
        elif suffix(path) == ".txt":
            yield str(path), inline.read(path, schema=schema or _reference(path))
        else:
            yield str(path), native.read(path)
    except FormatError as error:
        yield str(path), error


def load(
    *places: Path, texts: Sequence[Path] | None = None, schema: str | None = None
) -> tuple[Document, ...]:
    """The documents below files and folders that have a text, in order of their paths.

    texts, schema: as in ``read``. Raises DragomanError if a file can't be read or nothing is left.
    """
    loaded = read(places, texts=texts, schema=schema)
    if loaded.errors:
        more = f" ({len(loaded.errors) - 1} more files can't be read)" if len(loaded.errors) > 1 else ""
        raise DragomanError(f"{loaded.errors[0]}{more}")
    documents = tuple(document for document in loaded.documents.values() if document.text is not None)
    if not documents:
        raise DragomanError(
            f"{', '.join(map(str, places))}: all {len(loaded.documents)} documents are stand-off and no "
            "text is attached. Set DRAGOMAN_TEXTS to the folders that hold the texts."
        )
    if loaded.without_text:
        log.info(
            "%d stand-off documents left out: DRAGOMAN_TEXTS holds no text for them", len(loaded.without_text)
        )
    return documents


STANDARD_INPUT = Path("-")


def articles(
    places: Iterable[Path], *, schema: str, date: str | None = None
) -> Iterator[tuple[str, Document | DragomanError]]:
    """Articles to extract from, one by one: text files, document files, JSONL, folders of them.

    schema: the reference that documents must name, and that text files get. date: the articles'
    date, for text files. ``-`` is standard input. What can't be read comes as its error, with
    its place. Raises DragomanError for a name that does not exist or an empty folder.
    """
    found = [
        path
        for place in places
        for path in ([place] if place == STANDARD_INPUT else paths([place], ARTICLES))
    ]
    for path in found:
        if suffix(path) in DOCUMENTS:
            yield from _documents(path, schema)
            continue
        standard = path == STANDARD_INPUT
        try:
            data = _standard_input() if standard else files.read_bytes(path)
            yield (
                str(path),
                from_text(data, "stdin" if standard else files.stem(path), schema, date, str(path)),
            )
        except FormatError as error:
            yield str(path), error


def _documents(path: Path, schema: str) -> Iterator[tuple[str, Document | DragomanError]]:
    loaded = read([path])
    for error in loaded.errors:
        yield error.place, error
    for place, document in loaded.documents.items():
        if document.text is not None and not document.text.strip():
            yield place, FormatError(place, "empty-text", "the document holds no text.")
        elif document.text is None:
            message = f"{place}: the document is stand-off and no text is attached"
            yield place, DragomanError(f"{message}. Set DRAGOMAN_TEXTS to the folders that hold the texts.")
        elif document.schema == schema:
            yield place, document
        else:
            message = f"{place}: annotated by {document.schema}, the model predicts {schema}"
            yield place, DragomanError(f"{message}. Use a model of that schema.")


def _standard_input() -> bytes:
    if sys.stdin is None:
        raise FormatError("-", "unreadable", "standard input is closed. Name a file, or pipe a text in.")
    return sys.stdin.buffer.read()


def from_text(data: bytes, identifier: str, schema: str, date: str | None, place: str) -> Document:
    """A text file as a document without annotations; FormatError if it is no text or empty.

    A file in the inline notation gives its text, id, date and metadata; its annotations go.
    """
    text = files.decode(data, place).removeprefix("\ufeff")
    if not text.strip():
        raise FormatError(place, "empty-text", "the file holds no text.")
    try:
        identifier.encode("utf-8")
    except UnicodeEncodeError:
        raise FormatError(
            repr(place), "not-utf8", "the file's name is not UTF-8, so it can't name a document. Rename it."
        ) from None
    if inline.looks_like(text):
        return inline.parse(text, place, schema=schema).bare()
    return Document.new(id=identifier, text=text, schema=schema, title=first_line(text), date=date)


def text_folders() -> tuple[Path, ...]:
    """The folders of ``DRAGOMAN_TEXTS``, separated as in PATH."""
    value = os.environ.get("DRAGOMAN_TEXTS", "")
    return tuple(Path(folder) for folder in value.split(os.pathsep) if folder)


LARGEST_TEXT = 10_000_000


class Texts:
    """Finds the texts of stand-off documents in folders, by path, else by hash.

    By hash are found files of the same suffix below LARGEST_TEXT bytes; a text inside a JSON
    file is found by path alone.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        """folders: looked through in order, and only once a stand-off document is met."""
        self.folders = tuple(folders)
        self._by_hash = cache(self._hashes)

    def check(self) -> None:
        """Raise DragomanError for a folder that does not exist."""
        for folder in self.folders:
            if not folder.is_dir():
                raise DragomanError(
                    f"{folder}: [not-found] DRAGOMAN_TEXTS names this folder, which does not exist. "
                    "Correct the variable or unset it."
                )

    def attach(self, document: Document, place: str) -> Document:
        """The document with its text and surfaces; unchanged if no folder holds the text.

        Raises FormatError [text-hash] if the file named by the source has another text and
        no other file has the right one, [source-rule] for an unknown rule.
        """
        source = document.source
        if source is None or not self.folders:
            return document
        self.check()
        check_rule(source.rule, place)
        named = [path for folder in self.folders for path in _named(folder, source)]
        wrong: Path | None = None
        for path in named:
            text = extract(path, source.rule)
            if text is not None and text_hash(text) == document.sha256:
                return with_text(document, text)
            wrong = path
        ending = Path(source.path).suffix
        alike = {} if source.rule.startswith("json:") else self._by_hash(source.rule, ending)
        for path in alike.get(document.sha256, ()):
            text = extract(path, source.rule)
            if text is not None:
                return with_text(document, text)
        if wrong is not None:
            raise FormatError(
                place,
                "text-hash",
                f"{wrong} does not hold the text that was annotated: its SHA-256 is not "
                f"{document.sha256[:12]}... Attach the original file.",
            )
        return document

    def _hashes(self, rule: str, wanted: str) -> dict[str, list[Path]]:
        found: dict[str, list[Path]] = {}
        for folder in self.folders:
            for path in sorted(folder.rglob("*")):
                if path.suffix == wanted and path.is_file() and path.stat().st_size < LARGEST_TEXT:
                    text = extract(path, rule)
                    if text is not None:
                        found.setdefault(text_hash(text), []).append(path)
        return found


@cache
def _library(folders: tuple[Path, ...]) -> Texts:
    return Texts(folders)


def _named(folder: Path, source: Source) -> Iterator[Path]:
    """The files that the source may mean; never one outside the folder."""
    root = folder.resolve()
    for candidate in (folder / source.path, folder / source.set / source.path):
        try:
            if candidate.resolve().is_relative_to(root) and candidate.is_file():
                yield candidate
        except (OSError, ValueError):
            continue


def check_rule(rule: str, place: str) -> None:
    """Refuse a rule that ``extract`` does not know: FormatError [source-rule]."""
    if rule not in ("whole", "drop-address") and not (rule.startswith("json:") and rule.count(":") >= 2):
        raise FormatError(
            place,
            "source-rule",
            f"the source's rule is {rule!r}, expected whole, drop-address or json:FIELD:ID.",
        )


def extract(path: Path, rule: str) -> str | None:
    """The annotated text of a source file by its rule; None if the file does not have it.

    The bytes are UTF-8, a byte-order mark is dropped, CRLF and CR become LF. ``whole`` is
    all of it, ``drop-address`` all but the first line and the empty lines after it,
    ``json:FIELD:ID`` that field of the JSON line whose ``_id`` is ID.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if rule == "whole":
        return text
    if rule == "drop-address":
        return text.partition("\n")[2].lstrip("\n")
    _, field, identifier = rule.split(":", 2)
    for line in text.split("\n"):
        if identifier in line:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(record, dict) and record.get("_id") == identifier:
                value = record.get(field)
                return value if isinstance(value, str) else None
    return None


def with_text(document: Document, text: str) -> Document:
    """The stand-off document completed: text, title and every surface."""

    def surfaced(entity: Entity) -> Entity:
        inside = entity.end <= len(text)
        return msgspec.structs.replace(entity, surface=entity.cut(text) if inside else None)

    return msgspec.structs.replace(
        document, text=text, title=first_line(text), entities=tuple(map(surfaced, document.entities))
    )


def attach(places: Iterable[Path], out: Path, *, texts: Sequence[Path] | None = None) -> tuple[int, int]:
    """Write stand-off documents with their texts below ``out``; (attached, left out).

    Raises DragomanError if ``out`` lies inside one of the places, or a document can't be read.
    """
    places = tuple(places)
    loaded = read(places, texts=texts)
    if loaded.errors:
        raise DragomanError(str(loaded.errors[0]))
    attached = [
        document
        for document in loaded.documents.values()
        if document.source is not None and document.text is not None
    ]
    for place in map(Path.resolve, places):
        if place.is_dir() and out.resolve().is_relative_to(place):
            raise DragomanError(f"{out}: texts are never written among the documents. Choose another folder.")
    targets = [files.path_for(out, document.id, ".json") for document in attached]
    if len(set(targets)) < len(targets):
        raise DragomanError(
            f"{out}: two of the documents share an id. Attach them into folders of their own."
        )
    for target, document in zip(targets, attached, strict=True):
        native.write(target, document)
    return len(attached), len(loaded.without_text)


def splits(root: Path) -> Mapping[str, Path]:
    """The split folders that exist below a corpus folder, in order train, dev, test."""
    return {name: root / name for name in SPLITS if (root / name).is_dir()}


def digest(documents: Iterable[Document]) -> str:
    """SHA-256 over the documents in order of id: names a gold version in a signature."""
    lines = sorted(native.dump_line(document) for document in documents)
    return text_hash("".join(lines))


def statistics(documents: Iterable[Document]) -> dict[str, dict[str, int]]:
    """Counts of a set of documents: documents, words, and annotations by label.

    Words are what white space separates. Keys: ``total``, ``entities``, ``relations``.
    """
    total: Counter[str] = Counter()
    entities: Counter[str] = Counter()
    relations: Counter[str] = Counter()
    for document in documents:
        total["documents"] += 1
        total["words"] += len((document.text or "").split())
        total["entities"] += len(document.entities)
        total["relations"] += len(document.relations)
        total["clusters"] += sum(len(cluster.members) > 1 for cluster in document.clusters)
        entities.update(entity.label for entity in document.entities)
        relations.update(relation.label for relation in document.relations)
    return {
        "total": dict(total),
        "entities": dict(sorted(entities.items())),
        "relations": dict(sorted(relations.items())),
    }


def statistics_table(parts: Mapping[str, dict[str, dict[str, int]]]) -> str:
    """The counts of several parts and their sum as a Markdown table."""
    names = list(parts)
    lines = ["| | " + " | ".join([*names, "all"]) + " |", "|---" * (len(names) + 2) + "|"]
    for section in ("total", "entities", "relations"):
        keys = list(dict.fromkeys(key for part in parts.values() for key in part[section]))
        for key in keys if section == "total" else sorted(keys):
            counts = [part[section].get(key, 0) for part in parts.values()]
            label = key if section == "total" else f"`{key}`"
            lines.append(f"| {label} | " + " | ".join(f"{n:,}" for n in [*counts, sum(counts)]) + " |")
    return "\n".join(lines)


def manifest(root: Path, *, version: str, licence: str, date: str) -> str:
    """The content of ``corpus.toml``: counts and a digest per split, a checksum per file.

    root: the corpus folder. date: of the release, ISO 8601. Checksums are SHA-256 of the files' bytes.
    """
    if not root.is_dir():
        raise DragomanError(f"{root}: [not-found] no such folder. Name the folder of the corpus.")
    stray = outside(root)
    if stray:
        raise DragomanError(f"{stray[0]}: stands in no split. Move it below {', '.join(SPLITS)}.")
    lines = [f"version = {_toml(version)}", f"date = {_toml(date)}", f"licence = {_toml(licence)}"]
    for name, folder in splits(root).items():
        documents = load(folder)
        total = statistics(documents)["total"]
        lines += ["", f"[splits.{name}]"]
        lines += [f"{key} = {total[key]}" for key in ("documents", "words", "entities", "relations")]
        lines.append(f'sha256 = "{digest(documents)}"')
    lines += ["", "[files]"]
    lines += [f"{_toml(name)} = {_toml(checksum)}" for name, checksum in checksums(root).items()]
    return "\n".join(lines) + "\n"


def outside(root: Path) -> tuple[Path, ...]:
    """The document files of a corpus folder with splits that stand in none of them."""
    inside = tuple(splits(root).values())
    if not inside:
        return ()
    return tuple(path for path in paths([root]) if not any(path.is_relative_to(folder) for folder in inside))


def _toml(value: str) -> str:
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def checksums(root: Path) -> dict[str, str]:
    """SHA-256 of the bytes of every document file below a folder, by its path within it."""
    return {
        path.relative_to(root).as_posix(): hashlib.sha256(files.read_bytes(path)).hexdigest()
        for path in paths([root])
        if path.is_file()
    }


def sealed_files(root: Path) -> dict[str, str] | None:
    """The checksums that ``corpus.toml`` of a folder states; None if it has none."""
    if not (root / "corpus.toml").is_file():
        return None
    found = _sealed(root / "corpus.toml").get("files", {})
    if not isinstance(found, dict):
        raise DragomanError(f"{root / 'corpus.toml'}: files is no table. `dragoman corpus seal` writes it.")
    return {str(name): str(checksum) for name, checksum in found.items()}


def _sealed(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(files.decode(files.read_bytes(path), str(path)))
    except (ValueError, RecursionError) as error:
        raise DragomanError(f"{path}: not TOML ({error}). `dragoman corpus seal` writes it.") from error


def release(root: Path) -> dict[str, str]:
    """What ``corpus.toml`` of a folder states of version, date and licence; empty without the file."""
    if not (root / "corpus.toml").is_file():
        return {}
    found = _sealed(root / "corpus.toml")
    return {key: found[key] for key in ("version", "date", "licence") if isinstance(found.get(key), str)}


def version(place: Path) -> str | None:
    """The version that the nearest ``corpus.toml`` at or above a place states; None without one."""
    here = place.resolve()
    for folder in (here, *here.parents):
        sealed = folder / "corpus.toml"
        if sealed.is_file():
            found = _sealed(sealed).get("version")
            return found if isinstance(found, str) else None
    return None


def fill_card(card: str, root: Path) -> str:
    """The dataset card with its table of counts, between ``<!-- stats -->`` marks, written anew."""
    parts = {name: statistics(load(folder)) for name, folder in splits(root).items()}
    return fill(card, "stats", statistics_table(parts))


def fill(page: str, mark: str, block: str) -> str:
    """A Markdown page with the lines between ``<!-- mark -->`` and ``<!-- /mark -->`` replaced.

    Raises DragomanError if a mark is missing.
    """
    before, start, rest = page.partition(f"<!-- {mark} -->\n")
    _, end, after = rest.partition(f"<!-- /{mark} -->")
    if not start or not end:
        raise DragomanError(f"the page has no line <!-- {mark} --> followed by <!-- /{mark} -->")
    return f"{before}{start}{block}\n{end}{after}"
