"""Blocks of the cards that come from runs, and the curves behind them."""

from pathlib import Path

import pytest

from dragoman import evaluate
from dragoman.errors import DragomanError
from dragoman.formats import native
from tests.builders import ROOT, SCHEMA, lakeside


def project(root: Path, names: tuple[str, ...] = ("annotator-1", "annotator-10")) -> Path:
    for number in range(2):
        document = lakeside(f"a-{number}")
        native.write(root / "corpus" / "dev" / f"{document.id}.json", document)
        native.write(root / "corpus" / "test" / f"b-{number}.json", lakeside(f"b-{number}"))
        for name in names:
            for one in (document, lakeside(f"b-{number}")):
                native.write(root / "annotation" / "rounds" / "first" / name / f"{one.id}.json", one)
    return root


def test_passes_are_paired_by_article(tmp_path: Path) -> None:
    first, second = evaluate.passes(project(tmp_path))
    assert [d.id for d in first] == [d.id for d in second] == ["a-0", "a-1", "b-0", "b-1"]
    block = evaluate.agreement_block(tmp_path, SCHEMA)
    assert "| entities, strict F1 | 100.0 | – | 32 |" in block
    assert "Over 4 articles" in block


def test_an_article_without_two_passes_is_told(tmp_path: Path) -> None:
    with pytest.raises(DragomanError, match="a-0: 1 passes"):
        evaluate.passes(project(tmp_path, ("annotator-1",)))


def test_the_card_states_the_agreement_of_the_rounds() -> None:
    block = evaluate.agreement_block(ROOT, SCHEMA)
    card = (ROOT / "corpus" / "README.md").read_text("utf-8")
    assert f"<!-- agreement -->\n{block}\n<!-- /agreement -->" in card


def test_a_learning_curve_has_a_point_for_every_size_there_is(tiny_recipe: Path) -> None:
    training = [lakeside(f"a-{n}") for n in range(4)]
    curve = evaluate.learning_curve(tiny_recipe, training, [lakeside("b")], SCHEMA, sizes=(2, 4, 9), seed=1)
    assert [size for size, _ in curve] == [2, 4]
    table = evaluate.curve_table(curve).splitlines()
    assert len(table) == 4
    assert table[2].startswith("| 2 | ")
