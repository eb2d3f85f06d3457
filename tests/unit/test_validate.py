"""Every check has one broken file that yields it and nothing else."""

from pathlib import Path

import pytest

from dragoman import schema, validate
from dragoman.formats import native

ROOT = Path(__file__).parents[2]
INVALID = ROOT / "tests" / "cases" / "invalid"
SCHEMA = schema.read(ROOT / "annotation" / "schema.toml")
CASES = sorted(path for path in INVALID.iterdir() if not path.name.startswith("."))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_each_invalid_case_yields_its_own_finding(case: Path) -> None:
    report = validate.validate([case], SCHEMA, texts=())
    assert [finding.check for finding in report.findings] == [case.stem]


def test_every_check_has_its_broken_file() -> None:
    assert {case.stem for case in CASES} == set(validate.CHECKS)


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_every_finding_says_where_and_what_to_do(case: Path) -> None:
    finding = validate.validate([case], SCHEMA, texts=()).findings[0]
    shown = str(finding)
    assert shown.startswith(str(case.parent if case.is_file() else case))
    assert f"[{case.stem}]" in shown
    assert len(finding.message) > 30
    assert finding.level == validate.CHECKS[finding.check][0]


def test_lines_of_findings_point_at_the_annotation() -> None:
    report = validate.validate([INVALID / "relation-unknown-argument.json"], SCHEMA, texts=())
    line = int(report.findings[0].place.rpartition(":")[2])
    assert '"R5"' in (INVALID / "relation-unknown-argument.json").read_text("utf-8").splitlines()[line - 1]


def test_values_of_equal_form_are_read_as_dates() -> None:
    good = ["1987-05-04", "1987-05", "1987", "1987-W18", "1987-05-03/1987-05-05", "2020-W53"]
    bad = [
        "1987-13",
        "87-05-04",
        "1987-5-4",
        "1987-W54",
        "1987/",
        "/1987",
        "1987-05-04T10:00",
        "2021-W53",
        "",
    ]
    assert [value for value in good if not validate.is_date_value(value)] == []
    assert [value for value in bad if validate.is_date_value(value)] == []


def test_line_of_survives_any_layout() -> None:
    data = '{"text": "\\"entities\\": [",\n "entities":\n [ {"id": "a"},\n\n {"id": "b"} ]}'
    lines = native.Lines(data)
    assert [lines.of("entities", index) for index in (None, 0, 1, 2)] == [3, 3, 5, None]
    assert lines.of("missing") is None
