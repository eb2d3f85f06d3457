"""Annotated news about diplomacy: documents, extractors and scores one can reproduce.

The library's modules are imported one by one (``from dragoman import corpus, train``);
importing the package itself loads none of the heavy packages.
"""

__version__ = "0.1.0"
