"""One function, two doors: scripts and commands do the same, here on a tiny project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dragoman.formats import native
from tests.builders import ROOT, lakeside
from tests.conftest import TINY


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with a corpus of invented articles and our own scripts."""
    root = tmp_path_factory.mktemp("Ünïcode project") / "dragoman home"
    for folder in ("annotation", "models", "eval"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("rounds", "baselines"))
    (root / "models" / "linear.toml").write_text(TINY.replace("places.tsv", "lexicons/places.tsv"), "utf-8")
    names = {"corpus/train": range(6), "corpus/test": range(6, 8), "seeds": range(8, 9)}
    for folder, numbers in names.items():
        for number in numbers:
            native.write(root / folder / f"a-{number}.json", lakeside(f"a-{number}"))
    return root


def run(project: Path, *words: object) -> str:
    command = [sys.executable, *map(str, words)]
    environment = {**os.environ, "DRAGOMAN_TEXTS": ""}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_training_by_script_and_by_command_gives_the_same_model(project: Path) -> None:
    run(project, "models/train_linear.py")
    run(project, "-m", "dragoman", "train", "models/linear.toml", "-o", "build/models/other")
    for path in (project / "build/models/linear").iterdir():
        assert path.read_bytes() == (project / "build/models/other" / path.name).read_bytes()


def test_the_report_by_script_and_by_command_is_the_same(project: Path) -> None:
    if not (project / "build/models/linear").exists():
        run(project, "models/train_linear.py")
    shown = run(project, "eval/write_report.py")
    page = (project / "build/report/index.html").read_bytes()
    told = run(project, "-m", "dragoman", "report", "-o", "build/other.html")
    assert (project / "build/other.html").read_bytes() == page
    assert told.splitlines()[0] in shown
    assert "corpus test (2 articles)" in told


def test_every_scoring_script_runs(project: Path) -> None:
    if not (project / "build/models/linear").exists():
        run(project, "models/train_linear.py")
    assert "gold mentions and clusters given" in run(project, "eval/score_test.py")
    assert "seeds (1 article)" in run(project, "eval/score_seeds.py")
    assert "6 documents" in run(project, "eval/cross_validation.py")


def test_a_missing_model_is_one_line_not_a_traceback(project: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(project, bare, ignore=shutil.ignore_patterns("build"))
    done = subprocess.run(
        [sys.executable, "eval/score_test.py"], cwd=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    assert "Traceback" not in done.stderr
    assert "dragoman train" in done.stderr
