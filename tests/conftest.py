"""Fixtures; tests that need texts or data sets from elsewhere skip without them, and say so."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dragoman import train
from dragoman.extract import Extractor
from tests.builders import ROOT, SCHEMA, lakeside

TINY = """extractor = "linear"
lexicon = "places.tsv"

[entities]
iterations = 30

[relations]
least = 1
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compare a text with the golden file of a name, or write it with --update-golden."""

    def compare(name: str, text: str) -> None:
        path = ROOT / "tests" / "golden" / name
        if request.config.getoption("--update-golden"):
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8"), "look at the change; then pytest --update-golden"

    return compare


def pytest_configure(config: pytest.Config) -> None:
    texts = os.environ.get("DRAGOMAN_TEXTS", "")
    config.stash[TEXTS] = [Path(part).resolve() for part in texts.split(os.pathsep) if part]


def pytest_sessionfinish(session: pytest.Session) -> None:
    """With DRAGOMAN_FORBID_SKIPS set, a skipped test fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("DRAGOMAN_FORBID_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


TEXTS = pytest.StashKey[list[Path]]()


@pytest.fixture(autouse=True)
def no_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test needs it sets itself: folders of whoever runs it must not change its result."""
    monkeypatch.delenv("DRAGOMAN_TEXTS", raising=False)


@pytest.fixture(scope="session")
def texts(request: pytest.FixtureRequest) -> list[Path]:
    """The folders of DRAGOMAN_TEXTS as they were when the run began."""
    found = request.config.stash[TEXTS]
    if not found:
        pytest.skip("DRAGOMAN_TEXTS is not set, so no original text can be attached")
    return found


@pytest.fixture(scope="session")
def tiny_recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project folder with a recipe that trains in a second."""
    root = tmp_path_factory.mktemp("project")
    (root / "annotation").mkdir()
    (root / "models").mkdir()
    (root / "annotation" / "schema.toml").write_bytes((ROOT / "annotation/schema.toml").read_bytes())
    (root / "models" / "places.tsv").write_bytes((ROOT / "models/lexicons/places.tsv").read_bytes())
    recipe = root / "models" / "linear.toml"
    recipe.write_text(TINY, "utf-8")
    return recipe


@pytest.fixture(scope="session")
def tiny(tiny_recipe: Path) -> Extractor:
    """An extractor that knows one article by heart."""
    documents = [lakeside(f"lakeside-{n}") for n in range(3)]
    return train.fit(tiny_recipe, documents, seed=1, schema=SCHEMA)


@pytest.fixture(scope="session")
def tiny_model(tiny: Extractor, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its model folder."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    tiny.save(folder)
    return folder
