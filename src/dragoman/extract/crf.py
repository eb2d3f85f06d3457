"""A linear-chain CRF: fitted by python-crfsuite, decoded by our own vectorised Viterbi.

The fitted weights are taken out of CRFsuite's file once, at training; models never hold it,
since a damaged one ends the process that opens it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pycrfsuite
from numpy.typing import NDArray
from scipy import sparse

Floats = NDArray[np.float32]
IMPOSSIBLE = -1e4
OUTSIDE = "O"


class Crf(msgspec.Struct, frozen=True):
    """Weights of a fitted CRF.

    tags: BIO tags, sorted. attributes: index of each attribute. state: attributes x tags.
    transitions: tags x tags, from row to column.
    """

    tags: tuple[str, ...]
    attributes: dict[str, int]
    state: Floats
    transitions: Floats

    def emissions(self, items: Sequence[Sequence[str]]) -> Floats:
        """Summed weights of every token's attributes: tokens x tags; unknown ones are 0."""
        known = self.attributes
        columns: list[int] = []
        starts = [0]
        for item in items:
            columns += [known[name] for name in item if name in known]
            starts.append(len(columns))
        ones = np.ones(len(columns), dtype=np.float32)
        chosen = sparse.csr_matrix((ones, columns, starts), shape=(len(items), len(known)))
        found: Floats = chosen @ self.state
        return found

    def constrained(self) -> Floats:
        """The transitions, with those that BIO forbids made impossible."""
        allowed = self.transitions.copy()
        for column, tag in enumerate(self.tags):
            if tag.startswith("I-"):
                for row, before in enumerate(self.tags):
                    if before not in (f"B-{tag[2:]}", tag):
                        allowed[row, column] = IMPOSSIBLE
        return allowed

    def start(self) -> Floats:
        """Weights of beginning with each tag: impossible for those that continue."""
        return np.array([IMPOSSIBLE if tag.startswith("I-") else 0.0 for tag in self.tags], dtype=np.float32)


def fit(
    items: Sequence[Sequence[Sequence[str]]],
    tags: Sequence[Sequence[str]],
    *,
    c1: float,
    c2: float,
    iterations: int,
) -> Crf:
    """Fit by L-BFGS (OWL-QN where c1 > 0); the same input gives the same weights.

    items: attributes of every token of every sequence. tags: their BIO tags.
    c1, c2: weights of the L1 and L2 penalty. Attributes whose weights are all 0 are dropped.
    """
    trainer = pycrfsuite.Trainer(verbose=False)
    for item, tag in zip(items, tags, strict=True):
        trainer.append([list(token) for token in item], list(tag))
    trainer.select("lbfgs")
    trainer.set_params(
        {"c1": c1, "c2": c2, "max_iterations": iterations, "feature.possible_transitions": False}
    )
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crf")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        info = tagger.info()
        tagger.close()
    names = tuple(sorted(info.labels))
    place = {name: index for index, name in enumerate(names)}
    attributes = {name: index for index, name in enumerate(sorted({name for name, _ in info.state_features}))}
    state = np.zeros((len(attributes), len(names)), dtype=np.float32)
    for (attribute, tag_name), weight in info.state_features.items():
        state[attributes[attribute], place[tag_name]] = weight
    transitions = np.zeros((len(names), len(names)), dtype=np.float32)
    for (before, after), weight in info.transitions.items():
        transitions[place[before], place[after]] = weight
    return Crf(names, attributes, state, transitions)


def viterbi(emissions: Floats, transitions: Floats, start: Floats) -> list[int]:
    """The best tag sequence (Viterbi 1967): indices, one per row of ``emissions``.

    emissions: tokens x tags. transitions: tags x tags. start: tags.
    """
    if not len(emissions):
        return []
    score = emissions[0] + start
    back = np.empty((len(emissions), len(start)), dtype=np.intp)
    columns = np.arange(len(start))
    for index in range(1, len(emissions)):
        through = score[:, None] + transitions
        back[index] = through.argmax(axis=0)
        score = through[back[index], columns] + emissions[index]
    best = [int(score.argmax())]
    for index in range(len(emissions) - 1, 0, -1):
        best.append(int(back[index, best[-1]]))
    return best[::-1]


def marginals(emissions: Floats, transitions: Floats, start: Floats) -> Floats:
    """Posterior probability of every tag at every token by forward-backward: tokens x tags."""
    length = len(emissions)
    steps = np.exp(transitions - transitions.max())
    local = np.exp(emissions - emissions.max(axis=1, keepdims=True))
    forward = np.empty_like(local)
    backward = np.empty_like(local)
    forward[0] = local[0] * np.exp(start)
    forward[0] /= forward[0].sum()
    for index in range(1, length):
        forward[index] = (forward[index - 1] @ steps) * local[index]
        forward[index] /= forward[index].sum()
    backward[-1] = 1.0
    for index in range(length - 2, -1, -1):
        backward[index] = steps @ (local[index + 1] * backward[index + 1])
        backward[index] /= backward[index].sum()
    both = forward * backward
    result: Floats = both / both.sum(axis=1, keepdims=True)
    return result


def spans(tags: Sequence[str]) -> list[tuple[int, int, str]]:
    """Chunks of a BIO sequence: (first token, last token + 1, label).

    An I that continues nothing begins a chunk, as in conlleval.

    >>> spans(["B-GPE", "I-GPE", "O", "B-GPE", "B-GPE"])
    [(0, 2, 'GPE'), (3, 4, 'GPE'), (4, 5, 'GPE')]
    """
    found: list[tuple[int, int, str]] = []
    for index, tag in enumerate(tags):
        if tag == OUTSIDE:
            continue
        mark, label = tag[0], tag[2:]
        if mark == "I" and found and found[-1][1] == index and found[-1][2] == label:
            found[-1] = (found[-1][0], index + 1, label)
        else:
            found.append((index, index + 1, label))
    return found
