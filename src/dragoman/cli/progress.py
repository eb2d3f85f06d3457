"""Progress on stderr, for commands and scripts alike."""

import logging
import sys


def log_progress(*, quiet: bool = False) -> None:
    """Send the library's progress messages to stderr; with ``quiet`` only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger = logging.getLogger("dragoman")
    logger.handlers = [handler]
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    logger.propagate = False
