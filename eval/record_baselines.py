"""Record the default extractor's scores, here and in the README, for tests and readers."""

from pathlib import Path

from dragoman import evaluate, extract
from dragoman.cli.progress import begin_script
from dragoman.formats import files

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    begin_script()
    extractor = extract.load(ROOT / "build/models/linear")
    runs = evaluate.project_runs(extractor, ROOT)
    recorded = evaluate.write_record(ROOT / "eval/baselines/linear.json", runs)
    page = ROOT / "README.md"
    files.write(page, evaluate.fill_readme(page.read_text("utf-8"), recorded))
