"""The main job on the real corpus: the same model, the same scores, the same page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman import evaluate, extract
from dragoman.extract import Extractor
from dragoman.report import Run
from tests.builders import ROOT

BASELINES = ROOT / "eval" / "baselines" / "linear.json"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The default extractor, trained twice, in processes that order sets differently."""
    folders = [tmp_path_factory.mktemp("models") / name for name in ("one", "two")]
    for hash_seed, folder in enumerate(folders):
        command = [sys.executable, "-m", "dragoman", "train", "models/linear.toml", "-o", str(folder)]
        environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
    return folders


@pytest.fixture(scope="module")
def extractor(models: list[Path]) -> Extractor:
    return extract.load(models[0])


@pytest.fixture(scope="module")
def runs(extractor: Extractor) -> tuple[Run, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DRAGOMAN_TEXTS", raising=False)
        return evaluate.project_runs(extractor, ROOT)


def test_training_twice_gives_byte_identical_models(models: list[Path]) -> None:
    names = sorted(path.name for path in models[0].iterdir())
    assert len(names) > 5
    for name in names:
        assert (models[0] / name).read_bytes() == (models[1] / name).read_bytes(), name


def test_scores_are_the_recorded_ones(runs: tuple[Run, ...]) -> None:
    # other processors round sums differently, and a few relations are 0.02 on sets this small
    recorded = evaluate.read_record(BASELINES)
    assert {run.name for run in runs} <= recorded.keys()
    assert evaluate.compare(recorded, evaluate.record(runs), tolerance=0.02) == []


def test_the_readme_shows_the_recorded_scores() -> None:
    page = (ROOT / "README.md").read_text("utf-8")
    assert evaluate.fill_readme(page, evaluate.read_record(BASELINES)) == page, "run `make baselines`"


def test_a_baseline_that_moved_is_told(runs: tuple[Run, ...]) -> None:
    found = evaluate.record(runs)
    moved = evaluate.record(runs)
    moved["corpus test"]["nothing"]["entities.strict"]["micro"]["f1"] -= 0.1
    assert len(evaluate.compare(moved, found, tolerance=0.02)) == 1


def test_scores_and_page_are_the_same_twice(
    models: list[Path], runs: tuple[Run, ...], extractor: Extractor, tmp_path: Path
) -> None:
    again = extract.load(models[1])
    second = evaluate.project_runs(again, ROOT)
    assert evaluate.record(second) == evaluate.record(runs)
    evaluate.write_page(runs, extractor, tmp_path / "one.html")
    evaluate.write_page(second, again, tmp_path / "two.html")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_the_original_seed_is_scored_where_its_text_is(
    extractor: Extractor, texts: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DRAGOMAN_TEXTS", ":".join(map(str, texts)))
    found = evaluate.seed_runs(extractor, ROOT)
    assert [run.name for run in found] == ["seeds", "seeds, original text"]
    recorded = evaluate.read_record(BASELINES)
    assert "seeds, original text" in recorded
    assert evaluate.compare(recorded, evaluate.record(found), tolerance=0.02) == []


def test_the_model_learnt_something(runs: tuple[Run, ...]) -> None:
    for run in runs:
        value = run.cards[0].row("entities.strict").f1
        assert value is not None
        assert value > 0.5
