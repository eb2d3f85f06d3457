"""Relations by logistic regression over the pairs that the schema allows.

A pair is described by its labels, the words between its ends, and, where the ends stand in
different sentences, by the stand-in ("both sides", "they") that may link them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from dragoman.schema import Schema
from dragoman.text import Token, align, tokenized_sentences
from dragoman.types import Document, Entity, title_end

NONE = ""
FUNCTION_WORDS = ENGLISH_STOP_WORDS
SINGULAR = frozenset("he she his her him it its who which himself herself itself".split())
PLURAL = frozenset("they their them both themselves".split())
GROUPING = frozenset("both all two three four five six these those its their his her the".split())
COUNTING = frozenset("both two three four five six".split())
JOINERS = frozenset([",", "and", "or", "&", ";"])
LONGEST_PATH = 14
MOST_BETWEEN = 100
FARTHEST = 100


class Mention(msgspec.Struct, frozen=True):
    """An entity placed in its document's tokens.

    sentence: index; first, last: tokens of that sentence, half-open. group: index of its
    coordination, equal for items of one list; group_first, group_last: tokens of the list.
    """

    entity: Entity
    sentence: int
    first: int
    last: int
    group: int
    group_first: int
    group_last: int


class StandIn(msgspec.Struct, frozen=True):
    """A pronoun or phrase that may stand for entities: its token and what kind it is."""

    token: int
    word: str
    plural: bool


class Layout(msgspec.Struct, frozen=True):
    """A document as candidate pairs need it.

    sentences: tokens of each. words: the same in lower case. mentions: by entity order.
    skeletons: for each sentence the words with every mention replaced by its label.
    """

    sentences: tuple[tuple[Token, ...], ...]
    words: tuple[tuple[str, ...], ...]
    mentions: tuple[Mention, ...]
    inside: tuple[tuple[int, ...], ...]
    stand_ins: tuple[tuple[StandIn, ...], ...]
    title_end: int

    @classmethod
    def of(cls, document: Document, nouns: frozenset[str]) -> Layout:
        """Place a document's entities; those that touch no token are left out.

        nouns: see ``group_nouns``.
        """
        text = document.text or ""
        sentences = tokenized_sentences(text)
        return cls.build(sentences, document.entities, title_end(text), nouns)

    @classmethod
    def build(
        cls,
        sentences: Sequence[tuple[Token, ...]],
        entities: Sequence[Entity],
        title_end: int,
        nouns: frozenset[str],
    ) -> Layout:
        """sentences: tokens of each. entities: with offsets into the same text."""
        words = tuple(tuple(token.text.lower() for token in sentence) for sentence in sentences)
        placed = _place(sentences, entities)
        inside: list[list[int]] = [[-1] * len(sentence) for sentence in sentences]
        for number, (_, sentence, first, last) in enumerate(placed):
            for token in range(first, last):
                inside[sentence][token] = number
        mentions: list[Mention] = []
        start = 0
        for number in range(len(placed)):
            if number + 1 < len(placed) and _joined(words, placed[number], placed[number + 1]):
                continue
            group = placed[start : number + 1]
            mentions += [
                Mention(entity, sentence, first, last, start, group[0][2], group[-1][3])
                for entity, sentence, first, last in group
            ]
            start = number + 1
        return cls(
            tuple(sentences),
            words,
            tuple(mentions),
            tuple(tuple(row) for row in inside),
            tuple(_stand_ins(sentence, row, nouns) for sentence, row in zip(words, inside, strict=True)),
            title_end,
        )


Placed = tuple[Entity, int, int, int]


def _place(sentences: Sequence[Sequence[Token]], entities: Sequence[Entity]) -> list[Placed]:
    placed: list[Placed] = []
    index = 0
    for entity in sorted(entities, key=lambda e: (e.start, e.end, e.label, e.id)):
        while index < len(sentences) - 1 and sentences[index][-1].end <= entity.start:
            index += 1
        if not sentences:
            break
        found = align(sentences[index], entity.start, entity.end)
        if found is not None:
            placed.append((entity, index, found.first, found.last))
    return placed


def _joined(words: Sequence[Sequence[str]], one: Placed, two: Placed) -> bool:
    """Whether two neighbouring mentions are items of one list."""
    if one[1] != two[1] or one[0].label != two[0].label or two[2] < one[3]:
        return False
    between = words[one[1]][one[3] : two[2]]
    return (
        0 < len(between) <= 3
        and any(word in JOINERS for word in between)
        and all(
            word in JOINERS or word in ("the", "with", "as", "well", "on", "in", "a", "an")
            for word in between
        )
    )


def group_nouns(documents: Iterable[Document], least: int = 2) -> frozenset[str]:
    """Nouns that stand for several entities: unmarked words that documents count.

    A word counts that stands behind "both", "two", "three" ... within two words, ends in s and
    does so in ``least`` documents or more.
    """
    seen: Counter[str] = Counter()
    for document in documents:
        layout = Layout.of(document, frozenset())
        found: set[str] = set()
        for words, inside in zip(layout.words, layout.inside, strict=True):
            for index, word in enumerate(words):
                near = COUNTING.intersection(words[max(0, index - 2) : index])
                if near and inside[index] < 0 and word.endswith("s") and len(word) > 3:
                    found.add(word)
        seen.update(found)
    return frozenset(word for word, count in seen.items() if count >= least and word not in FUNCTION_WORDS)


def _stand_ins(words: Sequence[str], inside: Sequence[int], nouns: frozenset[str]) -> tuple[StandIn, ...]:
    found: list[StandIn] = []
    for index, word in enumerate(words):
        if inside[index] >= 0:
            continue
        if word in nouns:
            if GROUPING.intersection(words[max(0, index - 3) : index]):
                found.append(StandIn(index, word, True))
        elif word in SINGULAR or word in PLURAL:
            found.append(StandIn(index, word, word in PLURAL))
    return tuple(found)


class Pair(msgspec.Struct, frozen=True):
    """A candidate: indices of source and target mention."""

    source: int
    target: int


Legal = dict[tuple[str, str], tuple[str, ...]]


def legal_pairs(schema: Schema) -> Legal:
    """For every pair of entity labels that some relation may link: these relations, sorted."""
    return {
        (source, target): tuple(sorted(schema.between(source, target)))
        for source in schema.entities
        for target in schema.entities
        if schema.between(source, target)
    }


def candidates(layout: Layout, legal: Legal, *, before: int, after: int) -> Iterator[Pair]:
    """Every pair whose labels may be linked and whose ends are near enough.

    before: how many sentences the source may stand before the target; after: how many after.
    Ends with MOST_BETWEEN mentions or more between them are never near, nor are those of one
    sentence with FARTHEST tokens or more between them.
    """
    mentions = layout.mentions
    for s, source in enumerate(mentions):
        for t in range(max(0, s - MOST_BETWEEN), min(len(mentions), s + MOST_BETWEEN + 1)):
            target = mentions[t]
            if s == t or not -after <= target.sentence - source.sentence <= before:
                continue
            if source.sentence == target.sentence and abs(target.first - source.first) > FARTHEST:
                continue
            if (source.entity.label, target.entity.label) in legal:
                yield Pair(s, t)


def describe(layout: Layout, pair: Pair, kinds: Sequence[str], legal: Legal) -> list[str]:
    """The attributes of a candidate pair.

    Each is given twice: under the labels of the ends, and under the relations that the
    schema allows between them, so that actors of different labels share what they learn.

    kinds: for each mention what its surface is to the lexicon (name, adjective, ...), or "".
    """
    source, target = layout.mentions[pair.source], layout.mentions[pair.target]
    labels = f"{source.entity.label}>{target.entity.label}"
    found = ["", *_ends(layout, source, "S", kinds[pair.source])]
    found += _ends(layout, target, "T", kinds[pair.target])
    if source.sentence == target.sentence:
        found += _within(layout, pair)
    else:
        found += _across(layout, pair)
    shared = "/".join(legal[source.entity.label, target.entity.label])
    return [f"{key}:{name}" for name in found for key in (labels, shared)]


def _ends(layout: Layout, mention: Mention, name: str, kind: str) -> list[str]:
    words = layout.words[mention.sentence]
    head = words[mention.last - 1]
    before = words[mention.group_first - 1] if mention.group_first else "<"
    after = words[mention.group_last] if mention.group_last < len(words) else ">"
    found = [
        f"{name}head={head}",
        f"{name}before={before}",
        f"{name}after={after}",
        f"{name}kind={kind}",
        f"{name}first={mention.first == 0}",
    ]
    if layout.sentences[mention.sentence][0].start < layout.title_end:
        found.append(f"{name}title")
    return found


def _within(layout: Layout, pair: Pair) -> list[str]:
    source, target = layout.mentions[pair.source], layout.mentions[pair.target]
    words = layout.words[source.sentence]
    forward = source.first < target.first
    one, two = (source, target) if forward else (target, source)
    low, high = sorted((pair.source, pair.target))
    way = f"{'>' if forward else '<'}"
    if one.group == two.group:
        start, end = one.last, two.first
        way += "list:"
    else:
        start, end = one.group_last, two.group_first
    path = _path(layout, one.sentence, start, end)
    between = [m for m in layout.mentions[low + 1 : high] if m.group not in (one.group, two.group)]
    alike_source = len({m.group for m in between if m.entity.label == source.entity.label})
    alike_target = len({m.group for m in between if m.entity.label == target.entity.label})
    found = [
        way,
        f"{way}gap={_bucket(end - start)}",
        f"{way}likeS={min(alike_source, 3)}",
        f"{way}likeT={min(alike_target, 3)}",
        f"{way}likeST={min(alike_source, 2)},{min(alike_target, 2)}",
        f"{way}entities={min(len({m.group for m in between}), 4)}",
        f"{way}place={'own' if one.first == one.group_first else 'list'}",
    ]
    if len(path) <= 5:
        found.append(f"{way}path={' '.join(path)}")
    if len(path) <= LONGEST_PATH:
        plain = [word for word in path if word not in JOINERS]
        found += [f"{way}in={word}" for word in set(plain)]
        found += [f"in={stem(word)}:{'>' if forward else '<'}" for word in set(plain)]
        found += [f"{way}in2={a} {b}" for a, b in pairwise(path)]
        if plain:
            found += [f"{way}near1={stem(plain[0])}", f"{way}near2={stem(plain[-1])}"]
    else:
        found.append(f"{way}far")
        found += [f"{way}start={word}" for word in path[:4]]
        found += [f"{way}finish={word}" for word in path[-4:]]
    ahead = words[max(0, one.group_first - 3) : one.group_first]
    found += [f"{way}ahead={word}" for word in ahead]
    found += [f"{way}behind={word}" for word in words[two.group_last : two.group_last + 3]]
    found += [
        f"{way}clause={sum(word in (',', ';', 'which', 'who', 'that', 'while', 'but') for word in path)}"
    ]
    linking = [s for s in layout.stand_ins[one.sentence] if start <= s.token < end]
    if linking:
        found.append(f"{way}standin={linking[-1].word}")
    found.append(f"{way}trigger={_trigger(layout, one, two)}")
    return found


def _across(layout: Layout, pair: Pair) -> list[str]:
    source, target = layout.mentions[pair.source], layout.mentions[pair.target]
    gap = target.sentence - source.sentence
    way = f"x{gap}:"
    rank = _rank(layout, pair)
    found = [way, f"{way}rank={rank}", f"x:rank={rank}"]
    alone = source.group_first == source.first and source.group_last == source.last
    inner = layout.stand_ins[target.sentence]
    before = [s for s in inner if s.token < target.group_first]
    local = 0
    for other in reversed(layout.mentions[max(0, pair.target - MOST_BETWEEN) : pair.target]):
        if other.sentence != target.sentence or local == 2:
            break
        local += other.entity.label == source.entity.label and other.last <= target.first
    found.append(f"x:local={local}")
    if before:
        link = before[-1]
        path = _path(layout, target.sentence, link.token + 1, target.group_first)
        fits = link.plural != alone
        found += [
            f"x:standin={link.word}",
            f"x:standin={'plural' if link.plural else 'singular'}:{rank}",
            f"x:fits={fits}:{rank}",
            f"{way}fits={fits}:{rank}",
        ]
        found += [f"x:in={word}" for word in set(path[:LONGEST_PATH])]
        found += [f"in={stem(word)}:>" for word in set(path[:LONGEST_PATH])]
        if len(path) <= 4:
            found.append(f"x:path={' '.join(path)}")
        if path:
            found.append(f"x:near2={stem(path[-1])}")
    else:
        words = layout.words[target.sentence]
        start = words[: target.group_first]
        found.append(f"x:no standin:{rank}")
        found += [f"x:open={word}" for word in start[-4:]]
    found.append(f"x:subject={source.group_first <= 1}")
    return found


def _rank(layout: Layout, pair: Pair) -> int:
    """How many lists of the source's label stand between the source and the target: 0 to 4."""
    source, target = layout.mentions[pair.source], layout.mentions[pair.target]
    low, high = sorted((pair.source, pair.target))
    groups = {
        mention.group
        for mention in layout.mentions[low + 1 : high]
        if mention.entity.label == source.entity.label and mention.group not in (source.group, target.group)
    }
    return min(len(groups), 4)


def _path(layout: Layout, sentence: int, start: int, end: int) -> list[str]:
    """The words from token ``start`` to ``end``, each mention as its label, lists as one."""
    out: list[str] = []
    token = start
    words, inside = layout.words[sentence], layout.inside[sentence]
    while token < end:
        number = inside[token]
        if number < 0:
            out.append(words[token])
            token += 1
            continue
        mention = layout.mentions[number]
        out.append(mention.entity.label)
        token = max(token + 1, min(mention.group_last, end))
    return out


def _trigger(layout: Layout, one: Mention, two: Mention) -> str:
    """The last word between two mentions that is neither short nor part of a mention."""
    words, inside = layout.words[one.sentence], layout.inside[one.sentence]
    for token in range(two.group_first - 1, one.last - 1, -1):
        if inside[token] < 0 and len(words[token]) > 3 and words[token] not in FUNCTION_WORDS:
            return stem(words[token])
    return "-"


def stem(word: str) -> str:
    """The first five letters: enough to join the forms of a verb."""
    return word[:5]


def _bucket(number: int) -> str:
    return str(number) if number < 4 else "4-7" if number < 8 else "8-15" if number < 16 else "16+"


class Weights(msgspec.Struct, frozen=True):
    """A fitted multinomial logistic regression.

    labels: classes, NONE first. vocabulary: index of each attribute. coefficients: classes x
    attributes. intercepts: classes.
    """

    labels: tuple[str, ...]
    vocabulary: dict[str, int]
    coefficients: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    def probabilities(self, described: Sequence[Sequence[str]]) -> NDArray[np.float32]:
        """pairs x classes; every row adds up to 1."""
        scores = matrix(described, self.vocabulary) @ self.coefficients.T + self.intercepts
        scores -= scores.max(axis=1, keepdims=True)
        exponents = np.exp(scores)
        result: NDArray[np.float32] = exponents / exponents.sum(axis=1, keepdims=True)
        return result


def matrix(described: Sequence[Sequence[str]], vocabulary: dict[str, int]) -> sparse.csr_matrix:
    """The attributes as a sparse 0/1 matrix, pairs x vocabulary; unknown ones are dropped."""
    columns: list[int] = []
    starts = [0]
    for names in described:
        columns += {vocabulary[name] for name in names if name in vocabulary}
        starts.append(len(columns))
    data = np.ones(len(columns), dtype=np.float32)
    return sparse.csr_matrix(
        (data, np.array(columns, dtype=np.int32), np.array(starts, dtype=np.int32)),
        shape=(len(described), len(vocabulary)),
    )
