"""Disjoint supports: the signal as the critic improves, and the distances beside each other."""

from __future__ import annotations

import json

import numpy as np
from markupsafe import Markup
from matplotlib.figure import Figure

from ganstudy.report import prose, style
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.layout import thinned
from ganstudy.report.theory._grid import arrays, diverged, over_seeds, recorded

MOST_SETTINGS = 4
"""Panels of the signal; of more settings an even choice is shown."""
OF_THEIR_OWN = {
    "least_squares": "least squares ends at the slope of its best critic",
    "wasserstein": "the 1-Lipschitz critic keeps it at 1",
}
"""What becomes of the signal under divergences whose critic does not grow for ever."""
OTHERS = (
    "losses that saturate where the critic rejects samples lose it, those that stay steep there "
    "blow it up with the critic's slope"
)


def draw(findings: Findings) -> list[Drawing]:
    """Gradient against critic, JS and W1 by distance, and the two critics of two Gaussians."""
    return [_signal(findings), _distances(findings)]


def call(_: Findings) -> str:
    """What the sentences rest on."""
    return "ds[['generator_gradient', 'status']].isel(step=-1)"


def sentences(findings: Findings) -> list[Markup]:
    """The signal that is left at the end, by arm, and how many of its trials diverged."""
    length, lost = recorded(findings, "generator_gradient")[..., -1], diverged(findings)
    parts = []
    for arm, name in enumerate(findings.arms):
        known = length[arm][~np.isnan(length[arm]) & ~lost[arm]]
        ends = (
            [" to ".join(map(prose.scientific, (known.min(), known.max())))] if known.size else []
        )
        if count := int(lost[arm].sum()):
            ends.append(f"{count} of {prose.plural(known.size + count, 'trial')} diverged")
        if ends:
            parts.append(f"{prose.quoted(name)} {', '.join(ends)}")
    return [
        Markup(
            "Length of the generator's gradient after the last critic step, least to most over "
            "distances and seeds: {}."
        ).format("; ".join(parts))
    ]


def _signal(findings: Findings) -> Drawing:
    length = recorded(findings, "generator_gradient")
    steps = findings.ds["step"].values
    means = over_seeds(length)
    shown = thinned(len(findings.settings), MOST_SETTINGS)
    figure = Figure(figsize=(10.4, 3.2), layout="constrained")
    panels = figure.subplots(1, len(shown), squeeze=False, sharey=True)[0]
    for axes, setting in zip(panels, shown, strict=True):
        for arm, look in enumerate(findings.lines):
            values = means[arm, setting]
            kept = (values > 0) & (steps > 0)
            axes.plot(steps[kept], values[kept], **look)
        style.log_scale(axes, "xy")
        axes.grid(axis="y")
        axes.set_xlabel("critic steps")
        title = findings.setting_label(findings.settings[setting])
        axes.set_title(title, fontsize=8, color=style.INK)
    panels[0].set_ylabel("length of the generator's gradient")
    style.arm_legend(figure, findings.arms)
    lost = int(diverged(findings).sum())
    caption = Markup(
        "The generator's gradient while the critic is trained towards perfection, mean over seeds. "
        "{}. {}{}"
    ).format(
        prose.capital("; ".join(_fates(findings))),
        f"{prose.plural(lost, 'trial')} that diverged count up to there. " if lost else "",
        findings.left_out(len(findings.arms), len(shown)),
    )
    ends = length[..., -1][:, shown]
    alt = (
        "Length of the generator's gradient by critic steps. After the last: "
        f"{prose.spans(findings.arms, ends)}."
    )
    return Drawing("signal", figure, alt, caption)


def _fates(findings: Findings) -> list[str]:
    """What becomes of the signal under the divergences that the study has."""
    known = findings.ds.get("divergence_settings")
    texts = [] if known is None else map(str, np.ravel(known.values))
    names = {json.loads(text)["name"] for text in texts if text}
    others = [OTHERS] if names - OF_THEIR_OWN.keys() or not names else []
    return [*others, *(fate for name, fate in OF_THEIR_OWN.items() if name in names)]


def _distances(findings: Findings) -> Drawing:
    js, w1 = (recorded(findings, name)[0, :, 0, -1] for name in ("js", "w1"))
    x, p, q, classifier, potential = arrays(findings)[0, -1, 0].T
    figure = Figure(figsize=(10.4, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2)
    order = np.argsort(w1)
    of_arm = dict(zip(findings.arms, findings.colours, strict=True))
    colours = of_arm.get("wasserstein", style.INK), of_arm.get("minimax", style.MUTED)
    left.plot(w1[order], w1[order], color=style.RULE, linewidth=1, zorder=0)
    left.plot(w1[order], w1[order], linestyle="none", marker="o", color=colours[0], label="W₁")
    left.plot(w1[order], js[order], marker="s", color=colours[1], label="JS")
    left.axhline(np.log(2), color=style.MUTED, linewidth=1, linestyle=":")
    left.set_xlabel("distance θ of the manifolds")
    left.set_ylabel("divergence of q from p")
    left.set_title("JS stays at log 2, W₁ is the distance")
    left.legend()
    scale = float(np.nanmax(p))
    right.fill_between(x, p / scale, color="#e5e7eb", linewidth=0)
    right.fill_between(x, q / scale, color="#eef2f7", linewidth=0)
    right.plot(x, classifier, color=colours[1], label="best classifier D*")
    right.plot(x, potential, color=colours[0], label="best critic of W₁")
    right.set_xlabel("x; p on the left, q on the right")
    right.set_title("two Gaussians: D* is flat where q is, the critic of W₁ is not")
    right.legend()
    caption = Markup(
        "Left: exact divergences on the samples. Right: two normals eight standard deviations "
        "apart, after a figure of Arjovsky, Chintala & Bottou 2017 (figure 3 in Bouman's slides)."
    )
    alt = (
        f"Left, over distances: {prose.spans(('JS', 'W1'), (js, w1))}. Right, over x: "
        f"{prose.spans(('the best classifier', 'the best critic of W1'), (classifier, potential))}."
    )
    return Drawing("distances", figure, alt, caption)
