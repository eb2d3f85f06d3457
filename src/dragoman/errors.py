"""What the library raises: every error says where, what was found, and what to do."""

import re


class DragomanError(Exception):
    """Base of all errors that a user can mend; ``str()`` is the whole message."""


class FormatError(DragomanError):
    """A file is not what its format demands."""

    def __init__(self, place: str, check: str, message: str) -> None:
        """place: file and, where known, line; check: the id of the violated rule."""
        super().__init__(f"{place}: [{check}] {message}")
        self.place = place
        self.check = check
        self.message = message


class WriteError(DragomanError):
    """A file or folder can't be written."""


class SchemaError(DragomanError):
    """A schema file is malformed, or a label is asked for that it does not have."""


class ModelError(DragomanError):
    """A model folder is missing, damaged, or made for another schema."""


class RecipeError(DragomanError):
    """A recipe asks for something that no extractor knows."""


class ScoreError(DragomanError):
    """Gold and predictions cannot be compared."""


def visible(text: str) -> str:
    """The text for a terminal: control characters, which could hide words, as ``\\x1b``."""
    return re.sub(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", lambda found: f"\\x{ord(found[0]):02x}", text)
