"""Outputs that people read, short enough to read here; a change shows in the diff."""

from collections.abc import Callable

import msgspec

from dragoman import facts, report
from dragoman.formats import inline, native
from dragoman.score import score
from tests.builders import SCHEMA, lakeside

Golden = Callable[[str, str], None]


def test_document_file(golden: Golden) -> None:
    golden("document.json", native.dumps(lakeside()))


def test_inline_with_comments(golden: Golden) -> None:
    golden("inline.txt", inline.dumps(lakeside(), comments=True))


def test_facts_for_reading(golden: Golden) -> None:
    golden("facts.txt", "".join(f"{facts.sentence(fact)}\n" for fact in facts.facts(lakeside())))


def test_score_table(golden: Golden) -> None:
    part = msgspec.structs.replace(
        lakeside(), entities=lakeside().entities[:4], relations=lakeside().relations[:2], clusters=()
    )
    golden("table.txt", report.table(score([lakeside()], [part], SCHEMA)) + "\n")
