"""Croissant 1.0 metadata of the exported corpus: JSON-LD that data set searches and loaders read.

Source of the vocabulary: Akhtar et al. 2024, Croissant: a metadata format for ML-ready datasets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from dragoman.schema import Schema

CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification prints, which every such file repeats."""

DOCUMENT = {
    "id": "The document's name, unique in the corpus.",
    "title": "The headline.",
    "date": "The day of the article, ISO 8601.",
    "text": "The article; offsets count its Unicode code points.",
    "meta": "Kind, region, form and difficulties of the article, and the public record it rests on; JSON.",
    "sha256": "SHA-256 of the text in UTF-8.",
}
PARTS = {
    "entities": {
        "id": "The mention's name, unique in its document.",
        "label": "Entity type.",
        "start": "First code point of the mention.",
        "end": "Code point behind the mention.",
        "surface": "The mention's text.",
        "value": "Normalised value, of dates in ISO 8601.",
    },
    "relations": {
        "id": "The relation's name, unique in its document.",
        "label": "Relation type.",
        "source": "Id of the mention that the relation starts from.",
        "target": "Id of the mention that it points at.",
    },
    "clusters": {
        "id": "The cluster's name.",
        "members": "Ids of its mentions.",
        "value": "Identifier of its entity, if any.",
    },
}
NUMBERS = ("start", "end")


def metadata(
    folder: Path, data: Mapping[str, str], schema: Schema, *, release: Mapping[str, str]
) -> dict[str, Any]:
    """The content of ``croissant.json`` for the Parquet files of an exported corpus.

    folder: where the files lie. data: their paths inside it by split. release: the corpus's "version",
    "date" (ISO 8601) and "licence" (SPDX identifier), each left out where it is missing.
    """
    version, date = release.get("version"), release.get("date")
    named = " ".join(["dragoman", *([version] if version else [])])
    found: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "dragoman",
        "description": (
            "News about diplomacy with entities, relations, coreference and normalised values. "
            "The articles were written for this corpus from public facts; language-model annotators "
            "annotated them in independent passes, which were adjudicated. Its error rates are in the card."
        ),
        "inLanguage": "en",
        "keywords": ["relation extraction", "coreference resolution", "news", "diplomacy"],
        "isLiveDataset": False,
        "citeAs": f"The dragoman authors{f' ({date[:4]})' if date else ''}. The corpus {named}.",
        "distribution": [_file(folder, split, path) for split, path in data.items()],
        "recordSet": [_splits(data), *(_records(split, schema) for split in data)],
    }
    if version:
        found["version"] = version
    if date:
        found["datePublished"] = date
    if "licence" in release:
        found["license"] = f"https://spdx.org/licenses/{release['licence']}"
    return found


def _file(folder: Path, split: str, path: str) -> dict[str, Any]:
    content = (folder / path).read_bytes()
    return {
        "@type": "cr:FileObject",
        "@id": f"{split}.parquet",
        "name": f"{split}.parquet",
        "description": f"The documents of the split {split}.",
        "contentUrl": path,
        "contentSize": f"{len(content)} B",
        "encodingFormat": "application/x-parquet",
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _splits(splits: Iterable[str]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
        ],
        "data": [{"splits/name": split} for split in splits],
    }


def _records(split: str, schema: Schema) -> dict[str, Any]:
    labels = {"entities": tuple(schema.entities), "relations": tuple(schema.relations)}
    fields = [
        _field(f"{split}/{name}", name, meaning, "sc:Text", _column(split, name))
        for name, meaning in DOCUMENT.items()
    ]
    for part, names in PARTS.items():
        inner = []
        for name, meaning in names.items():
            numbered = f" Numbered: {', '.join(labels[part])}." if name == "label" else ""
            kind = "sc:Integer" if name in (*NUMBERS, "label") else "sc:Text"
            source = {**_column(split, part), "transform": {"jsonPath": name}}
            field = _field(f"{split}/{part}/{name}", name, meaning + numbered, kind, source)
            inner.append({**field, "repeated": True} if name == "members" else field)
        about = {"description": f"The document's {part}.", "repeated": True, "subField": inner}
        fields.append({"@type": "cr:Field", "@id": f"{split}/{part}", "name": part, **about})
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"One record for each document of the split {split}.",
        "key": {"@id": f"{split}/id"},
        "field": fields,
    }


def _field(identifier: str, name: str, meaning: str, kind: str, source: dict[str, Any]) -> dict[str, Any]:
    return {
        "@type": "cr:Field",
        "@id": identifier,
        "name": name,
        "description": meaning,
        "dataType": kind,
        "source": source,
    }


def _column(split: str, name: str) -> dict[str, Any]:
    return {"fileObject": {"@id": f"{split}.parquet"}, "extract": {"column": name}}
