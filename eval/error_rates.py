"""How much of the gold is wrong? Fills the table of the dataset card from the judged samples."""

from pathlib import Path

from dragoman import evaluate
from dragoman.cli.progress import begin_script
from dragoman.corpus import fill
from dragoman.formats import files

ROOT = Path(__file__).parents[1]
CARD = ROOT / "corpus" / "README.md"

if __name__ == "__main__":
    begin_script()
    block = evaluate.error_rates_block(ROOT)
    files.write(CARD, fill(CARD.read_text("utf-8"), "error-rates", block))
    print(block)
