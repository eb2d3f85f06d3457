"""Progress on stderr and errors in one line, for commands and scripts alike."""

from __future__ import annotations

import logging
import sys
from types import TracebackType

from dragoman.errors import DragomanError


def log_progress(*, quiet: bool = False) -> None:
    """Send the library's progress messages to stderr; with ``quiet`` only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("dragoman")
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False


def begin_script() -> None:
    """Give a script what commands have: progress on stderr, and no traceback for users' errors."""
    log_progress()
    sys.excepthook = _show


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if isinstance(error, DragomanError):
        sys.stderr.write(f"dragoman: {error}\n")
    elif isinstance(error, KeyboardInterrupt):
        sys.stderr.write("Aborted!\n")
    else:
        sys.__excepthook__(kind, error, trace)
