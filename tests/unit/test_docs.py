"""Tables in the docs that come from runs are those of a run now."""

import importlib.util
import warnings
from pathlib import Path

import pytest

from dragoman import schema
from tests.builders import ROOT


def test_the_table_of_five_tools_is_what_they_answer() -> None:
    for package in ("nervaluate", "seqeval", "spacy", "sklearn"):
        pytest.importorskip(package, reason=f"{package} is not installed")
    path = ROOT / "benchmarks" / "five_tools.py"
    spec = importlib.util.spec_from_file_location("five_tools", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = module.table()
    assert f"<!-- five-tools -->\n{found}\n<!-- /five-tools -->" in (ROOT / "docs/scoring.md").read_text(
        "utf-8"
    )


def test_the_schema_in_the_guide_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs/scoring.md").read_text("utf-8")
    path = tmp_path / "schema.toml"
    path.write_text(page.split("```toml\n")[1].split("```")[0], "utf-8")
    found = schema.read(path)
    assert (list(found.entities), list(found.relations)) == (["FIRM"], ["owns"])
