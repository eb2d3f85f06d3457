"""Gamma: agreement on where mentions are and what they are at once, by the package pygamma-agreement.

Source: Mathet, Widlöcher and Métivier 2015, The unified and holistic method gamma for
inter-annotator agreement measure and alignment. The package is the extra ``gamma``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from dragoman import __version__
from dragoman.errors import DragomanError, ScoreError
from dragoman.schema import Schema
from dragoman.score.agreement import ALL, Agreement, AgreementRow
from dragoman.score.rounds import check, gather, left_out_note, sign
from dragoman.types import Document

UNIT = "mentions"
SAMPLES = 30


def gamma(
    rounds: Mapping[str, Iterable[Document]],
    schema: Schema,
    *,
    samples: int = SAMPLES,
    seed: int = 0,
) -> Agreement:
    """Gamma and gamma-cat over the mentions of the articles that all annotators did.

    rounds: the documents of each annotator by name. samples: how many random annotations stand
    for chance. seed: of these.
    Articles follow one another on one line in order of id; a mention is its whole stretch from
    start to end, fragments or not. Dissimilarity: positions and labels, weighted alike
    (alpha = beta = 1), as in the paper. gamma-cat looks at the labels of what was aligned.
    No interval: a bootstrap would align every resample anew.

    Raises DragomanError if pygamma-agreement is not installed, and ScoreError as ``agreement``.
    """
    try:
        from pyannote.core import Segment
        from pygamma_agreement import CombinedCategoricalDissimilarity, Continuum
    except ImportError as error:
        raise DragomanError(
            f"gamma needs the package pygamma-agreement ({error}). "
            "Install the extra: pip install 'dragoman[gamma]'"
        ) from error
    if samples < 1:
        raise ScoreError(f"{samples} samples; take 1 or more")
    given, left_out = gather(rounds, least=len(rounds))
    names = tuple(rounds)
    check(given, schema, text=False)
    articles = {
        identifier: versions
        for identifier, versions in given.items()
        if all(version is not None and "entities" in version.layers for version in versions)
    }
    left_out = tuple(sorted({*left_out, *given.keys() - articles.keys()}))
    continuum = Continuum()
    marked: dict[str, set[tuple[int, int, str]]] = {name: set() for name in names}
    number = start = 0
    for versions in articles.values():
        present = [version for version in versions if version is not None]
        for name, version in zip(names, present, strict=True):
            number += len(version.entities)
            marked[name].update((start + e.start, start + e.end, e.label) for e in version.entities)
        start += max([len(present[0].text or ""), *(e.end for v in present for e in v.entities)]) + 1
    kept = sum(map(len, marked.values()))
    notes = [] if kept == number else [f"{number - kept} mentions stand twice and count once"]
    values: tuple[float | None, float | None] = (None, None)
    if all(marked.values()):
        for name, mentions in marked.items():
            for first, last, label in sorted(mentions):
                continuum.add(name, Segment(first, last), label)
        state = np.random.get_state()  # the package draws from NumPy's global generator
        np.random.seed(seed)
        try:
            found = continuum.compute_gamma(
                CombinedCategoricalDissimilarity(alpha=1, beta=1), n_samples=samples
            )
            values = float(found.gamma), float(found.gamma_cat)
        finally:
            np.random.set_state(state)
    else:
        notes.append("undefined: an annotator marked nothing")
    rows = tuple(
        AgreementRow(
            metric=metric,
            unit=UNIT,
            annotators=names,
            label=ALL,
            value=None if value is None or np.isnan(value) else value,
            low=None,
            high=None,
            n_units=kept,
            documents=len(articles),
            note="; ".join(notes) or None,
        )
        for metric, value in zip(("gamma", "gamma-cat"), values, strict=True)
    )
    return Agreement(
        unit=UNIT,
        missing="drop",
        annotators=names,
        documents=tuple(articles),
        left_out=left_out,
        schema=schema.reference,
        version=__version__,
        seed=seed,
        signature=sign(
            articles,
            names,
            schema,
            left_out,
            f"unit:{UNIT}",
            "missing:drop",
            f"chance:{samples} samples, seed {seed}",
            bootstrap="none",
        ),
        note=left_out_note(left_out, len(names)),
        rows=rows,
    )
