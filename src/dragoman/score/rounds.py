"""The same articles from several annotators, side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from dragoman import __version__
from dragoman.corpus import digest
from dragoman.errors import ScoreError
from dragoman.schema import Schema
from dragoman.score import resample
from dragoman.types import Document

Versions = tuple[Document | None, ...]
"""One article as each annotator left it; None for one who did not annotate it."""


def gather(
    rounds: Mapping[str, Iterable[Document]], *, least: int
) -> tuple[dict[str, Versions], tuple[str, ...]]:
    """The articles that at least so many annotators did, in order of id, and the ids of the others.

    Raises ScoreError for fewer than two annotators, an empty round, an article twice in one
    round, no shared article, or different texts or schemas of one.
    """
    if len(rounds) < 2:
        raise ScoreError(f"agreement needs two annotators or more, found {len(rounds)}")
    by_round: list[dict[str, Document]] = []
    for name, documents in rounds.items():
        by_id: dict[str, Document] = {}
        for document in documents:
            if document.id in by_id:
                raise ScoreError(f"{name}: two documents have the id {document.id}. Remove one.")
            by_id[document.id] = document
        if not by_id:
            raise ScoreError(f"{name}: the annotator has no document")
        by_round.append(by_id)
    every = sorted({identifier for by_id in by_round for identifier in by_id})
    kept: dict[str, Versions] = {}
    for identifier in every:
        versions = tuple(by_id.get(identifier) for by_id in by_round)
        if sum(version is not None for version in versions) >= least:
            kept[identifier] = versions
    if not kept:
        who = "all annotators" if least == len(rounds) else "two of the annotators"
        more = " Compare fewer of them, or keep what two did (missing: pairwise)." if least > 2 else ""
        raise ScoreError(f"no article was annotated by {who} ({', '.join(rounds)}).{more}")
    for identifier, versions in kept.items():
        present = [(name, one) for name, one in zip(rounds, versions, strict=True) if one is not None]
        first, one = present[0]
        for second, two in present[1:]:
            if one.sha256 != two.sha256:
                raise ScoreError(f"{identifier}: {first} and {second} annotated different texts.")
            if one.schema != two.schema:
                raise ScoreError(
                    f"{identifier}: {first} used the schema {one.schema}, {second} {two.schema}."
                )
    return kept, tuple(identifier for identifier in every if identifier not in kept)


def check(articles: Mapping[str, Versions], schema: Schema, *, text: bool) -> None:
    """Refuse (ScoreError) documents of another schema and, if ``text``, those without a text."""
    for identifier, versions in articles.items():
        one = next(version for version in versions if version is not None)
        if one.schema != schema.reference:
            raise ScoreError(
                f"{identifier}: annotated by {one.schema}, but the schema given is {schema.reference}."
            )
        if text and all(version is None or version.text is None for version in versions):
            raise ScoreError(
                f"{identifier}: its text is not attached, so it has no tokens. Set DRAGOMAN_TEXTS to the "
                "folders that hold the texts, or take spans as units."
            )


def left_out_note(left_out: Sequence[str], least: int) -> str | None:
    """Which articles fewer than ``least`` annotators did, in words; None if there are none."""
    if not left_out:
        return None
    shown = ", ".join(left_out[:3]) + (", ..." if len(left_out) > 3 else "")
    number = f"{len(left_out)} article{'' if len(left_out) == 1 else 's'}"
    return f"{number} left out, annotated by fewer than {least} of the annotators: {shown}"


def sign(
    articles: Mapping[str, Versions],
    names: Sequence[str],
    schema: Schema,
    left_out: Sequence[str],
    *chosen: str,
    bootstrap: str,
) -> str:
    """One line that says what reproduces the numbers."""
    kept = sorted(
        digest([document for document in column if document is not None])
        for column in zip(*articles.values(), strict=True)
    )
    enough = len(articles) >= resample.LEAST_DOCUMENTS
    return "|".join(
        (
            "task:agreement",
            *chosen,
            f"annotators:{', '.join(names)}",
            f"schema:{schema.reference}",
            f"annotations:{'+'.join(sha256[:12] for sha256 in kept)}",
            f"documents:{len(articles)}",
            f"left out:{len(left_out)}",
            f"bootstrap:{bootstrap if enough else 'none'}",
            f"dragoman:{__version__}",
        )
    )
