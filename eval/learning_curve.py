"""How much do more articles help the default extractor? F1 on dev by number of training articles."""

from pathlib import Path

from dragoman import corpus, evaluate, schema
from dragoman.cli.progress import begin_script
from dragoman.formats import files

ROOT = Path(__file__).parents[1]
SIZES = (25, 50, 100, 140)
PAGE = ROOT / "eval" / "README.md"

if __name__ == "__main__":
    begin_script()
    curve = evaluate.learning_curve(
        ROOT / "models/linear.toml",
        corpus.load(ROOT / "corpus/train"),
        corpus.load(ROOT / "corpus/dev"),
        schema.read(schema.find(ROOT)),
        sizes=SIZES,
        seed=11,
    )
    table = evaluate.curve_table(curve)
    files.write(PAGE, corpus.fill(PAGE.read_text("utf-8"), "learning-curve", table))
    print(table)
