"""Record the default extractor's scores, for tests and readers to compare with."""

from pathlib import Path

from dragoman import evaluate
from dragoman.cli.progress import log_progress

ROOT = Path(__file__).parents[1]

if __name__ == "__main__":
    log_progress()
    extractor = evaluate.load_model(ROOT / "build/models/linear")
    evaluate.write_record(ROOT / "eval/baselines/linear.json", evaluate.project_runs(extractor, ROOT))
