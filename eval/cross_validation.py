"""How right is the recipe of the default extractor, by 5-fold cross-validation over train?"""

from pathlib import Path

from dragoman import corpus, evaluate, report, schema
from dragoman.cli.progress import begin_script

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    begin_script()
    documents = corpus.load(ROOT / "corpus/train")
    labels = schema.read(ROOT / "annotation/schema.toml")
    cards = evaluate.cross_validate(ROOT / "models/linear.toml", documents, labels, folds=5, seed=11)
    print(*map(report.table, cards), sep="\n\n")
