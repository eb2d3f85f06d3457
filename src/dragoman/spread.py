"""What a corpus covers: actors, kinds of event, phenomena, and how its vocabulary grows."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import msgspec

from dragoman.schema import Schema
from dragoman.text import tokenize
from dragoman.types import Document

# The regional groups of the United Nations by ISO 3166 alpha-2 code; the United States attends the
# Western one as an observer and is counted with it, as are states that are no members where they lie.
REGIONS: Mapping[str, str] = {
    "Africa": (
        "AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW "
        "MZ NA NE NG RW SC SD SL SN SO SS ST SZ TD TG TN TZ UG ZA ZM ZW EH"
    ),
    "Asia and the Pacific": (
        "AE AF BD BH BN BT CN CY FJ FM ID IN IQ IR JO JP KG KH KI KP KR KW KZ LA LB LK MH MM MN MV MY NP NR "
        "OM PG PH PK PW QA SA SB SG SY TH TJ TL TM TO TV UZ VN VU WS YE PS TW HK MO CK NU"
    ),
    "Eastern Europe": "AL AM AZ BA BG BY CZ EE GE HR HU LT LV MD ME MK PL RO RS RU SI SK UA",
    "Latin America and the Caribbean": (
        "AG AR BB BO BR BS BZ CL CO CR CU DM DO EC GD GT GY HN HT JM KN LC MX NI PA PE PY SR SV TT UY VC VE "
        "PR"
    ),
    "Western Europe and others": (
        "AD AT AU BE CA CH DE DK ES FI FR GB GR IE IL IS IT LI LU MC MT NL NO NZ PT SE SM TR US GL FO GI VA"
    ),
}
REGION_OF = {code: region for region, codes in REGIONS.items() for code in codes.split()}
FEW_RELATIONS = 12
SIZES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000)


class Spread(msgspec.Struct, frozen=True, kw_only=True):
    """What documents cover.

    states: articles by code of the states and territories that they name. regions: the share
    of articles (0 to 1) whose commonest region it is. organisations: distinct names, whatever their
    case. kinds, styles, phenomena: articles by these keys of ``meta``. few_relations: articles with at
    most FEW_RELATIONS relations.
    """

    articles: int
    states: dict[str, int]
    regions: dict[str, float]
    organisations: int
    kinds: dict[str, int]
    styles: dict[str, int]
    phenomena: dict[str, int]
    few_relations: int


def spread(documents: Iterable[Document], schema: Schema) -> Spread:
    """Count what documents cover; see ``Spread``.

    An article's region is the one that most of its mentions of states belong to; ties go to the
    region named first.
    """
    organisations = schema.labels_of("organisation")
    states: Counter[str] = Counter()
    regions: Counter[str] = Counter()
    names: set[str] = set()
    meta: dict[str, Counter[str]] = {key: Counter() for key in ("kind", "style", "phenomena")}
    few = articles = 0
    for document in documents:
        articles += 1
        few += len(document.relations) <= FEW_RELATIONS
        coded = [cluster for cluster in document.clusters if cluster.value in REGION_OF]
        states.update({str(cluster.value) for cluster in coded})
        places: Counter[str] = Counter()
        for cluster in coded:
            places[REGION_OF[str(cluster.value)]] += len(cluster.members)
        if places:
            regions[places.most_common(1)[0][0]] += 1
        names |= {(e.surface or "").lower() for e in document.entities if e.label in organisations}
        for key, counts in meta.items():
            value = document.meta.get(key, [])
            counts.update([value] if isinstance(value, str) else [v for v in value if isinstance(v, str)])
    return Spread(
        articles=articles,
        states=dict(sorted(states.items())),
        regions={region: regions[region] / articles if articles else 0.0 for region in REGIONS},
        organisations=len(names),
        kinds=dict(sorted(meta["kind"].items())),
        styles=dict(sorted(meta["style"].items())),
        phenomena=dict(sorted(meta["phenomena"].items())),
        few_relations=few,
    )


def vocabulary(texts: Iterable[str], sizes: Sequence[int] = SIZES) -> dict[int, int]:
    """How many different words the first 1,000, 2,000, ... words hold: a type-token curve.

    Words are the tokens with a letter, in lower case. Sizes beyond the texts are left out.

    >>> vocabulary(["To be, or not to be."], sizes=[2, 6, 7])
    {2: 2, 6: 4}
    """
    seen: set[str] = set()
    found: dict[int, int] = {}
    wanted = iter(sorted(sizes))
    following = next(wanted, None)
    words = chain.from_iterable((token.text.lower() for token in tokenize(text)) for text in texts)
    count = 0
    for word in words:
        if following is None:
            break
        if not re.search(r"[^\W\d_]", word):
            continue
        count += 1
        seen.add(word)
        if count == following:
            found[count] = len(seen)
            following = next(wanted, None)
    return found


def table(found: Spread, curves: Mapping[str, Mapping[int, int]]) -> str:
    """A spread and some type-token curves (by name) as Markdown."""
    lines = ["| | |", "|---|---|", f"| states and territories named | {len(found.states)} |"]
    lines.append(f"| organisations named | {found.organisations} |")
    lines.append(f"| articles with {FEW_RELATIONS} relations or fewer | {found.few_relations} |")
    lines += [f"| articles mostly about {region} | {share:.0%} |" for region, share in found.regions.items()]
    lines += [f"| kind: {name} | {count} |" for name, count in found.kinds.items()]
    lines += [f"| style: {name} | {count} |" for name, count in found.styles.items()]
    lines += [f"| phenomenon: {name} | {count} |" for name, count in found.phenomena.items()]
    sizes = sorted({size for curve in curves.values() for size in curve})
    lines += ["", "| words read | " + " | ".join(f"different words, {name}" for name in curves) + " |"]
    lines.append("|---" * (len(curves) + 1) + "|")
    for size in sizes:
        cells = (f"{curve[size]:,}" if size in curve else "–" for curve in curves.values())
        lines.append(f"| {size:,} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
