"""A corpus as a Hugging Face dataset: Parquet files with typed features, and back."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from dragoman import corpus, croissant
from dragoman.errors import DragomanError
from dragoman.formats import files
from dragoman.schema import Schema
from dragoman.types import FORMAT, Cluster, Document, Entity, Producer, Relation, Source


def write(root: Path, out: Path, schema: Schema) -> dict[str, int]:
    """Write the splits of a corpus folder as Parquet, with its card and Croissant metadata.

    The files are ``data/SPLIT.parquet``, ``README.md`` and ``croissant.json`` in ``out``. The card is the
    corpus's ``README.md``; its front matter names the files, so that plain ``datasets.load_dataset(out)``
    finds the splits. Stand-off documents without their text are written without it. Returns the number of
    documents by split.

    Raises DragomanError if the corpus has no split or no card, or the extra ``hub`` is not installed.
    """
    datasets = _datasets()
    splits = corpus.splits(root)
    card = root / "README.md"
    if not splits or not card.is_file():
        raise DragomanError(f"{root}: expected the folders train, dev and test, and README.md, the card")
    written = {}
    for name, folder in splits.items():
        loaded = corpus.read([folder])
        if loaded.errors:
            raise loaded.errors[0]
        rows = [to_row(document) for document in loaded.documents.values()]
        table = datasets.Dataset.from_list(rows, features=_features(datasets, schema))
        target = out / "data" / f"{name}.parquet"
        target.parent.mkdir(parents=True, exist_ok=True)
        table.to_parquet(str(target))
        written[name] = len(rows)
    files.write(out / "README.md", files.read_bytes(card))
    data = {name: f"data/{name}.parquet" for name in written}
    metadata = croissant.metadata(out, data, schema, release=corpus.release(root))
    files.write(out / "croissant.json", json.dumps(metadata, ensure_ascii=False, indent=2) + "\n")
    return written


def to_row(document: Document) -> dict[str, Any]:
    """A document as a flat record of plain values; ``meta`` as JSON, since its keys are free."""
    row = msgspec.to_builtins(document)
    row["meta"] = json.dumps(row["meta"], ensure_ascii=False)
    row["entities"] = [
        {
            **{name: getattr(entity, name) for name in Entity.__struct_fields__},
            "fragments": [list(fragment) for fragment in entity.fragments],
        }
        for entity in document.entities
    ]
    row["relations"] = [_fields(relation) for relation in document.relations]
    row["clusters"] = [
        {**_fields(cluster), "members": list(cluster.members)} for cluster in document.clusters
    ]
    row["producer"] = None if document.producer is None else _fields(document.producer)
    row["source"] = None if document.source is None else _fields(document.source)
    del row["format"]
    return {str(name): value for name, value in row.items()}


def from_row(row: Mapping[str, Any], schema: Schema) -> Document:
    """A record of a loaded dataset as the document that it was written from.

    Labels may be names or the indices of a ClassLabel.
    """
    entities, relations = tuple(schema.entities), tuple(schema.relations)
    return Document(
        format=FORMAT,
        schema=row["schema"],
        id=row["id"],
        title=row["title"],
        date=row["date"],
        meta=json.loads(row["meta"]),
        producer=Producer(**row["producer"]) if row["producer"] else None,
        source=Source(**row["source"]) if row["source"] else None,
        text=row["text"],
        sha256=row["sha256"],
        layers=tuple(row["layers"]),
        entities=tuple(
            Entity(
                **{
                    **entity,
                    "label": _name(entity["label"], entities),
                    "fragments": tuple((start, end) for start, end in entity["fragments"]),
                }
            )
            for entity in row["entities"]
        ),
        relations=tuple(
            Relation(**{**relation, "label": _name(relation["label"], relations)})
            for relation in row["relations"]
        ),
        clusters=tuple(
            Cluster(**{**cluster, "members": tuple(cluster["members"])}) for cluster in row["clusters"]
        ),
    )


def _name(label: str | int, names: tuple[str, ...]) -> str:
    return names[label] if isinstance(label, int) else label


def _fields(item: Any) -> dict[str, Any]:
    return {name: getattr(item, name) for name in item.__struct_fields__}


def _features(datasets: Any, schema: Schema) -> Any:
    word, number, rate = datasets.Value("string"), datasets.Value("int32"), datasets.Value("float64")
    words = datasets.Sequence(word)
    pieces = datasets.Sequence(datasets.Sequence(number))
    entity = {"id": word, "start": number, "end": number, "fragments": pieces, "surface": word}
    entity |= {"label": datasets.ClassLabel(names=list(schema.entities)), "value": word, "score": rate}
    link = {"id": word, "label": datasets.ClassLabel(names=list(schema.relations))}
    link |= {"source": word, "target": word, "score": rate}
    text = dict.fromkeys(("schema", "id", "title", "date", "meta", "text", "sha256"), word)
    return datasets.Features(
        {
            **text,
            "layers": words,
            "producer": {"model": word, "sha256": word},
            "source": {"set": word, "path": word, "rule": word},
            "entities": [entity],
            "relations": [link],
            "clusters": [{"id": word, "members": words, "value": word}],
        }
    )


def _datasets() -> Any:
    try:
        return importlib.import_module("datasets")
    except ImportError as error:
        raise DragomanError(
            "the package datasets is not installed. Install the extra: pip install 'dragoman[hub]'"
        ) from error


def documents(rows: Iterable[Mapping[str, Any]], schema: Schema) -> tuple[Document, ...]:
    """All documents of a loaded split."""
    return tuple(from_row(row, schema) for row in rows)
