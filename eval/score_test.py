"""How right is the default extractor on articles it never saw?"""

from pathlib import Path

from dragoman import evaluate, extract, report
from dragoman.cli.progress import begin_script

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    begin_script()
    extractor = extract.load(ROOT / "build/models/linear")
    found = evaluate.corpus_run(extractor, ROOT)
    print(evaluate.headline(found), *map(report.table, found.cards), sep="\n\n")
