"""The page of a study whose trials check claims: verdicts first, pictures, no gallery."""

from __future__ import annotations

import re
from pathlib import Path

from ganstudy import analysis, open_run
from ganstudy.report import prose


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
