"""The page of a study whose trials check claims: verdicts first, pictures, no gallery."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from synthetic_dataset import synthetic_dataset

from ganstudy import analysis, open_run
from ganstudy.report import prose, style
from ganstudy.report.findings import Findings
from ganstudy.report.theory import ratio


def test_claims_come_first(theory_run: Path) -> None:
    dataset = open_run(theory_run)
    assert dataset.attrs["kind"] == "tabular"
    assert "target_settings" not in dataset
    verdicts = analysis.claim_verdicts(dataset)
    printed = verdicts["printed"].astype(bool)
    assert bool((verdicts["held"] == verdicts["trials"]).where(~printed, True).all())
    assert bool((verdicts["held"] == 0).where(printed, True).all())
    html = (theory_run / "report" / "index.html").read_text()
    assert html.index("claims held") < html.index("ranks first")
    assert "does not hold" in html
    assert 'id="figure-collapse"' in html
    assert 'id="figure-descent"' in html
    assert 'id="gallery"' not in html
    assert 'id="stability"' not in html


def test_subscripts_are_set_low(theory_run: Path) -> None:
    """In the headline, which names claims, as in the table; names with underscores are left."""
    html = (theory_run / "report" / "index.html").read_text()
    assert "KL(p<sub>R</sub> ‖ p<sub>r</sub>)" in html
    shown = re.sub(r"<script.*?</script>|<[^>]*>", "", html, flags=re.DOTALL)
    assert not re.findall(r".{0,20}p_[Rr]\b.{0,20}", shown)
    assert prose.formula("∇_R g <b> of high_quality, E_p") == (
        "∇<sub>R</sub> g &lt;b&gt; of high_quality, E<sub>p</sub>"
    )


@pytest.mark.parametrize("laws", [["normal", "mixture_and_student"], ["normal"]])
def test_settings_below_the_errors_of_ratios_do_not_overlap(laws: list[str]) -> None:
    """The last axis is told at each point, the others once, and no line joins two of these."""
    axes = {"estimator": ["a", "b"], "laws": laws, "dimension": [1, 2, 5, 10, 20]}
    ds = synthetic_dataset(axes, seeds=1, steps=2, samples=1)
    dims = ds["modes_covered"].dims
    ds = ds.assign({name: (dims, np.ones(ds["modes_covered"].shape)) for name in ratio.PANELS})
    with style.figure_style():
        (drawing,) = ratio.draw(Findings.of(ds))
    figure = drawing.figure
    figure.draw_without_rendering()
    below = figure.axes[3]
    labels = below.get_xticklabels()
    assert [own.get_text() for own in labels] == ["1", "2", "5", "10", "20"] * len(laws)
    boxes = [own.get_window_extent() for own in (*labels, *below.texts, below.xaxis.label)]
    texts = [own for own in boxes if own.width]
    assert not any(a.overlaps(b) for k, a in enumerate(texts) for b in texts[:k])
    lines = [own for own in below.lines if len(own.get_xdata()) > 2]
    assert len(lines) == 2 * len(laws)
