"""Fit the extractor scored in eval/baselines/linear.json."""

from pathlib import Path

from dragoman import corpus, train
from dragoman.cli.progress import begin_script

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    begin_script()
    extractor = train.fit(ROOT / "models/linear.toml", corpus.load(ROOT / "corpus/train"), seed=11)
    extractor.save(ROOT / "build/models/linear")
