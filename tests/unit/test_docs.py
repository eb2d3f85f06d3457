"""Tables in the docs that come from runs are those of a run now."""

import importlib.util
import warnings

import pytest

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
