"""How long does reading documents take, against decoding the same bytes and nothing else?"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from dragoman.formats import native

ROOT = Path(__file__).parents[1]
TIMES = 75


def seconds(work: Callable[[], object]) -> float:
    """The best of five runs, in CPU seconds."""
    best = float("inf")
    for _ in range(5):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


if __name__ == "__main__":
    contents = [path.read_bytes() for path in sorted((ROOT / "corpus").rglob("*/*.json"))] * TIMES
    ours = seconds(lambda: [native.parse(content, "benchmark") for content in contents])
    peer = seconds(lambda: [msgspec.json.decode(content) for content in contents])
    row = {"name": "read documents; peer: msgspec to plain objects", "ours": ours, "peer": peer}
    print(json.dumps({**row, "ratio": ours / peer, "unit": "CPU s", "n": len(contents)}))
