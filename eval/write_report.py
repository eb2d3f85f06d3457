"""Score the default extractor on the test split and the seeds, and write the report."""

from pathlib import Path

from dragoman import evaluate, extract, report
from dragoman.cli.progress import begin_script

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    begin_script()
    extractor = extract.load(ROOT / "build/models/linear")
    runs = evaluate.project_runs(extractor, ROOT)
    evaluate.write_page(runs, extractor, ROOT / "build/report/index.html")
    for found in runs:
        print(report.table(found.cards[0], evaluate.HEADLINES))
    print(*map(evaluate.headline, runs), evaluate.DONE, sep="\n")
