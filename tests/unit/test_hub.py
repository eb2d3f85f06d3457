"""The corpus as a Hugging Face dataset loses nothing."""

import json
from pathlib import Path

import pytest
from hypothesis import given

from dragoman import corpus, hub
from dragoman.errors import DragomanError
from dragoman.types import Document
from tests.builders import ROOT, SCHEMA
from tests.properties.strategies import documents


@given(documents())
def test_rows_become_the_documents_they_came_from(document: Document) -> None:
    row = json.loads(json.dumps(hub.to_row(document)))
    assert hub.from_row(row, SCHEMA) == document


def test_plain_load_dataset_gives_typed_features_and_three_splits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    datasets = pytest.importorskip("datasets", reason="the extra hub is not installed")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    counts = hub.write(ROOT / "corpus", tmp_path / "hub", SCHEMA)
    loaded = datasets.load_dataset(str(tmp_path / "hub"), cache_dir=str(tmp_path / "cache"))
    assert {name: len(split) for name, split in loaded.items()} == counts
    assert list(counts) == ["train", "dev", "test"]
    label = loaded["test"].features["entities"]
    label = getattr(label, "feature", label[0] if isinstance(label, list) else None)
    assert label["label"].names == list(SCHEMA.entities)
    for name, split in loaded.items():
        own = {document.id: document for document in corpus.load(ROOT / "corpus" / name)}
        assert {document.id: document for document in hub.documents(split, SCHEMA)} == own


def test_the_metadata_is_valid_croissant_and_reads_every_record(tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="the extra hub is not installed")
    mlcroissant = pytest.importorskip("mlcroissant", reason="mlcroissant is not installed")
    counts = hub.write(ROOT / "corpus", tmp_path, SCHEMA)
    dataset = mlcroissant.Dataset(jsonld=str(tmp_path / "croissant.json"))
    assert (list(dataset.metadata.ctx.issues.errors), list(dataset.metadata.ctx.issues.warnings)) == ([], [])
    for name, count in counts.items():
        records = list(dataset.records(name))
        assert len(records) == count
        own = {document.id: document for document in corpus.load(ROOT / "corpus" / name)}
        for record in records:
            document = own[record[f"{name}/id"].decode()]
            assert record[f"{name}/text"].decode() == document.text
            assert [
                (found[f"{name}/entities/start"], found[f"{name}/entities/surface"].decode())
                for found in record[f"{name}/entities"]
            ] == [(entity.start, entity.surface) for entity in document.entities]
            members = [found[f"{name}/clusters/members"] for found in record[f"{name}/clusters"]]
            assert [[end.decode() for end in found] for found in members] == [
                list(cluster.members) for cluster in document.clusters
            ]


def test_a_folder_without_splits_or_card_is_told(tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="the extra hub is not installed")
    with pytest.raises(DragomanError, match="expected the folders"):
        hub.write(tmp_path, tmp_path / "out", SCHEMA)
