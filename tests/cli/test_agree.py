"""``dragoman annotate agree``: folders of annotators in, a table or JSON out."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from dragoman.formats import native
from tests.builders import ROOT, lakeside
from tests.cli.test_commands import dragoman


@pytest.fixture
def rounds(tmp_path: Path) -> Path:
    """Ann did three articles; Bob two of them and left one mention out; Cas did the third."""
    for number in range(3):
        document = lakeside(f"a-{number}")
        native.write(tmp_path / "ann" / f"a-{number}.json", document)
        if number < 2:
            kept = tuple(entity for entity in document.entities if entity.id != "T6")
            links = tuple(link for link in document.relations if "T6" not in (link.source, link.target))
            changed = msgspec.structs.replace(document, entities=kept, relations=links)
            native.write(tmp_path / "bob" / f"a-{number}.json", changed)
        else:
            native.write(tmp_path / "cas" / f"a-{number}.json", document)
    return tmp_path


def test_a_table_names_the_folders(rounds: Path) -> None:
    done = dragoman("annotate", "agree", rounds / "ann", rounds / "bob")
    assert done.returncode == 0
    assert done.stdout.startswith("agreement of ann, bob, 2 articles\n")
    # 8 and 7 mentions in each article, 7 the same: 2 * 7 / 15
    assert "entities.strict" in done.stdout
    assert "93.3" in done.stdout
    assert "1 article left out, annotated by fewer than 2 of the annotators: a-2" in done.stdout
    assert "no interval: fewer than 10 documents" in done.stdout
    assert "task:agreement|unit:tokens|missing:drop|annotators:ann, bob|" in done.stdout


def test_json_has_one_number_a_row(rounds: Path) -> None:
    words = ["annotate", "agree", rounds / "ann", rounds / "bob", "--format", "json", "--unit", "spans"]
    found = json.loads(dragoman(*words, "--seed", "7").stdout)
    assert (found["unit"], found["seed"], found["annotators"]) == ("spans", 7, ["ann", "bob"])
    rows = {(row["metric"], row["unit"], row["label"]): row for row in found["rows"]}
    assert rows["pairwise-f1", "entities.strict", "all"]["value"] == pytest.approx(14 / 15)
    assert rows["pairwise-f1", "entities.strict", "ROLE"]["value"] == 0
    assert rows["krippendorff-alpha", "spans", "all"]["n_units"] == 16
    assert rows["cohen-kappa", "shared-spans", "all"]["value"] == 1


def test_three_rounds_are_compared_pairwise_as_markdown(rounds: Path) -> None:
    folders = [rounds / name for name in ("ann", "bob", "cas")]
    refused = dragoman("annotate", "agree", *folders)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "no article was annotated by all annotators (ann, bob, cas)" in refused.stderr
    done = dragoman("annotate", "agree", *folders, "--missing", "pairwise", "--format", "markdown")
    assert done.returncode == 0
    assert "| fleiss-kappa | shared-spans | all | – |" in done.stdout
    assert "mean over 2 of 3 pairs" in done.stdout


def test_folders_of_one_name_are_called_by_their_paths(rounds: Path) -> None:
    dragoman("convert", rounds / "ann", "-o", rounds / "second" / "ann")
    done = dragoman("annotate", "agree", rounds / "ann", rounds / "second" / "ann", "--format", "json")
    assert json.loads(done.stdout)["annotators"] == [str(rounds / "ann"), str(rounds / "second" / "ann")]


@pytest.mark.parametrize(
    ("folders", "says"),
    [
        (["ann"], "two annotators or more"),
        (["ann", "ann"], "named twice"),
        (["ann", "no-such"], "not-found"),
        ([], "Missing argument"),
    ],
)
def test_wrong_use_is_refused(rounds: Path, folders: list[str], says: str) -> None:
    done = dragoman("annotate", "agree", *(rounds / name for name in folders))
    assert (done.returncode, done.stdout) == (2, "")
    assert says in done.stderr


def test_the_rounds_of_this_corpus_can_be_compared() -> None:
    first = ROOT / "annotation" / "rounds" / "first-40"
    words = ["annotate", "agree", first / "annotator-1", first / "annotator-2", "--format", "json"]
    found = json.loads(dragoman(*words, "--unit", "pairs").stdout)
    assert len(found["documents"]) == 6
    assert all(0.5 < row["value"] <= 1 for row in found["rows"] if row["label"] == "all")
