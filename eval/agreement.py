"""How far do the two annotation passes over dev and test agree? Fills the table of the dataset card."""

from pathlib import Path

from dragoman import evaluate, schema
from dragoman.cli.progress import begin_script
from dragoman.corpus import fill
from dragoman.formats import files

ROOT = Path(__file__).parents[1]
CARD = ROOT / "corpus" / "README.md"

if __name__ == "__main__":
    begin_script()
    block = evaluate.agreement_block(ROOT, schema.read(schema.find(ROOT)))
    files.write(CARD, fill(CARD.read_text("utf-8"), "agreement", block))
    print(block)
