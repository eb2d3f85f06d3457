"""Agreement as plain text for terminals and as Markdown for a README."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dragoman.report.words import DASH, count, percent, sentence, shown
from dragoman.score.agreement import ALL, Agreement, AgreementRow
from dragoman.score.resample import TOO_FEW

HEAD = ("value", "interval", "units", "articles", "note")
RIGHT = frozenset({"value", "interval", "units", "articles"})
Lines = list[tuple[str, ...]]


def agreement_table(found: Agreement) -> str:
    """Agreement as aligned plain text, values times 100, without a final line break.

    First every metric over all labels, then each metric by label. An undefined value is an
    en dash. Notes that concern all rows and the signature stand at the end.
    """
    blocks = [_aligned(lines) for lines in _blocks(found)]
    return "\n\n".join([_title(found), *blocks, *_notes(found), shown(found.signature)])


def agreement_markdown(found: Agreement) -> str:
    """The same as Markdown tables."""
    blocks = [_piped(lines) for lines in _blocks(found)]
    notes = [sentence(note) for note in _notes(found)]
    return "\n\n".join([f"{_title(found)}:", *blocks, *notes, f"`{shown(found.signature)}`"])


def _title(found: Agreement) -> str:
    return f"agreement of {shown(', '.join(found.annotators))}, {count(len(found.documents), 'article')}"


def _notes(found: Agreement) -> list[str]:
    notes = [shown(found.note)] if found.note else []
    return [*notes, TOO_FEW] if _too_few(found) else notes


def _too_few(found: Agreement) -> bool:
    """Whether no row has an interval, for want of articles: then this is said once."""
    defined = [row for row in found.rows if row.value is not None]
    return bool(defined) and all(TOO_FEW in (row.note or "").split("; ") for row in defined)


def _blocks(found: Agreement) -> Iterator[Lines]:
    hidden = {TOO_FEW} if _too_few(found) else set()
    several = len(found.annotators) > 2
    first: Lines = [("metric", "unit", *(("annotators",) if several else ()), *HEAD)]
    labels: dict[tuple[str, str], Lines] = {}
    for row in found.rows:
        if row.label == ALL:
            who = "all" if row.annotators == found.annotators else ", ".join(row.annotators)
            first.append((row.metric, row.unit, *((shown(who),) if several else ()), *_cells(row, hidden)))
        else:
            key = row.metric, row.unit
            block = labels.setdefault(key, [(" of ".join(key), *HEAD)])
            block.append((shown(row.label), *_cells(row, hidden)))
    yield _trimmed(first)
    yield from map(_trimmed, labels.values())


def _cells(row: AgreementRow, hidden: set[str]) -> tuple[str, ...]:
    bounded = row.low is not None and row.high is not None
    spread = f"{percent(row.low)}{DASH}{percent(row.high)}" if bounded else DASH
    notes = [note for note in (row.note or "").split("; ") if note not in hidden]
    return percent(row.value), spread, f"{row.n_units:,}", str(row.documents), "; ".join(notes)


def _trimmed(lines: Lines) -> Lines:
    """The lines without the columns of intervals and notes where no line has one."""
    kept = [
        index
        for index, name in enumerate(lines[0])
        if name not in ("interval", "note") or any(line[index] not in ("", DASH) for line in lines[1:])
    ]
    return [tuple(line[index] for index in kept) for line in lines]


def _aligned(lines: Lines) -> str:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if name in RIGHT else cell.ljust(width)
            for name, cell, width in zip(lines[0], line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def _piped(lines: Sequence[tuple[str, ...]]) -> str:
    rule = tuple("--:" if name in RIGHT else "---" for name in lines[0])
    body = [tuple(cell.replace("|", "\\|") for cell in line) for line in lines]
    return "\n".join("| " + " | ".join(line) + " |" for line in (body[0], rule, *body[1:]))
