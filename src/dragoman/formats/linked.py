"""Groups of what is linked, as other tools say coreference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def components(links: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """The groups of names that links join, directly or through others, in order of appearance.

    links: two or more names each; a name linked to itself only is a group of one.

    >>> components([("a", "b"), ("x", "y"), ("c", "b")])
    [('a', 'b', 'c'), ('x', 'y')]
    """
    group: dict[str, list[str]] = {}
    for names in links:
        for name in names:
            group.setdefault(name, [name])
        for name in names[1:]:
            large, small = group[names[0]], group[name]
            if large is not small:
                if len(large) < len(small):
                    large, small = small, large
                large += small
                for moved in small:
                    group[moved] = large
    order = {name: number for number, name in enumerate(group)}
    unique = {id(names): names for names in group.values()}
    return sorted(
        (tuple(sorted(names, key=order.__getitem__)) for names in unique.values()),
        key=lambda names: order[names[0]],
    )
