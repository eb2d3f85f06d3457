"""Colours from the schema, made readable on light and on dark paper."""

from __future__ import annotations

import re

LIGHT_PAPER = (255, 255, 255)
DARK_PAPER = (27, 31, 38)
PLAIN = "#666666"
LEAST_CONTRAST = 4.6
STEPS = 40

Colour = tuple[int, int, int]


def hue(text: str) -> str:
    """A colour as #rrggbb; anything that is not one becomes grey.

    >>> hue("#abc"), hue("red; } body { display: none")
    ('#aabbcc', '#666666')
    """
    found = re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", text)
    if not found:
        return PLAIN
    digits = found.group(1).lower()
    return "#" + (digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def ink(colour: str, paper: Colour) -> str:
    """The colour, darkened or lightened until it is readable (WCAG AA) on the paper.

    colour: #rrggbb.

    >>> ink("#ffff00", LIGHT_PAPER)
    '#797900'
    """
    start = _numbers(colour)
    goal = 0 if _luminance(paper) > 0.5 else 255
    for step in range(STEPS + 1):
        mixed = tuple(round(part + (goal - part) * step / STEPS) for part in start)
        found: Colour = (mixed[0], mixed[1], mixed[2])
        if contrast(found, paper) >= LEAST_CONTRAST:
            break
    return "#{:02x}{:02x}{:02x}".format(*found)


def contrast(one: Colour, two: Colour) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2)."""
    high, low = sorted((_luminance(one), _luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _numbers(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: Colour) -> float:
    parts = [part / 255 for part in colour]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
