"""The page of a study whose trials check claims: verdicts first, pictures, no gallery."""

from __future__ import annotations

from pathlib import Path

from tiny import write_study

from ganstudy import analysis, open_run
from ganstudy.pipeline import run
from ganstudy.study import load

TEXT = """\
question: Which updates find the equilibrium?
trial: {kind: tabular, points: 4, steps: 10}
search:
  grid:
    algorithm: [alternating, descent, practical]
seeds: 2
"""


def test_claims_come_first(tmp_path: Path) -> None:
    out = tmp_path / "run"
    run(load(write_study(tmp_path, TEXT)), out, workers=1)
    dataset = open_run(out)
    assert dataset.attrs["kind"] == "tabular"
    assert "target_settings" not in dataset
    verdicts = analysis.claim_verdicts(dataset)
    printed = verdicts["printed"].astype(bool)
    assert bool((verdicts["held"] == verdicts["trials"]).where(~printed, True).all())
    assert bool((verdicts["held"] == 0).where(printed, True).all())
    html = (out / "report" / "index.html").read_text()
    assert html.index("claims held") < html.index("ranks first")
    assert "does not hold" in html
    assert 'id="figure-collapse"' in html
    assert 'id="figure-descent"' in html
    assert 'id="gallery"' not in html
    assert 'id="stability"' not in html
