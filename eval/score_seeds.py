"""How right is the default extractor on the seeds, which the system must get right?"""

from pathlib import Path

from dragoman import evaluate, extract, report
from dragoman.cli.progress import begin_script

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    begin_script()
    extractor = extract.load(ROOT / "build/models/linear")
    for found in evaluate.seed_runs(extractor, ROOT):
        print(evaluate.headline(found), *map(report.table, found.cards), sep="\n\n")
