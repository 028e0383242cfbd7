"""The answer to the study's question: a verdict, what matters beside it, and all the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ganstudy.report import prose, remarks, theory, verdicts
from ganstudy.report.drawing import Drawing
from ganstudy.report.findings import Findings
from ganstudy.report.prose import Sentence
from ganstudy.report.verdicts import Verdict

MOST_KEY = 3
"""Sentences on the first screen beside the verdict: more are not read."""


@dataclass(frozen=True)
class Answer:
    """What the first screen says, and what follows further down.

    key      at most three sentences that matter for this study
    further  all others by heading, in reading order
    """

    verdict: Verdict
    key: list[Sentence]
    further: dict[str, list[Sentence]]

    @property
    def lead(self) -> Markup:
        """The verdict in a sentence."""
        return self.verdict.text

    @property
    def call(self) -> str:
        """The expression that the verdict's numbers come from."""
        return self.verdict.call

    @property
    def sentences(self) -> list[Sentence]:
        """All sentences but the verdict."""
        return [*self.key, *(own for part in self.further.values() for own in part)]


def answer(findings: Findings, added: Sequence[Sentence] = ()) -> Answer:
    """State what the data say, how sure that is, and what was left out.

    added  what sections add, such as how arms were searched: it comes first
    """
    verdict = verdicts.verdict(findings)
    said = remarks.remarks(findings)
    if findings.answer == "claims":
        call = theory.call(findings) if theory.known(findings) else ""
        told = [Sentence(text, call) for text in theory.sentences(findings)]
        order = [*told, *added]
    else:
        order = list(added)
    if findings.answer in ("claims", "effects"):
        ranking = verdicts.ranking(findings)
        order.append(Sentence(ranking.text, ranking.call))
    order += [said[name] for name in _FIRST[findings.answer] if name in said]
    key, left = order[:MOST_KEY], order[MOST_KEY:]
    shown = {id(own) for own in order}
    further: dict[str, list[Sentence]] = {}
    if left:
        further["Beside the verdict"] = _capital(left)
    for heading, names in _HEADINGS.items():
        own = [said[name] for name in names if name in said and id(said[name]) not in shown]
        if own:
            further[heading] = _capital(own)
    return Answer(verdict, _capital(key), further)


def picture(findings: Findings) -> Drawing | None:
    """The one picture beside the verdict; None where the study has none to show."""
    return verdicts.picture(findings)


def _capital(sentences: Iterable[Sentence]) -> list[Sentence]:
    return [Sentence(Markup(prose.capital(text)), call) for text, call in sentences]


_FIRST = {
    "ranking": ("behind", "diverged", "collapsed", "effects", "best_settings"),
    "effects": ("interactions", "best_settings"),
    "claims": (),
    "budget": ("behind", "diverged"),
}
"""What comes first, by what kind of answer is wanted, where it has something to say."""

_HEADINGS = {
    "Differences": ("behind",),
    "Settings": ("effects", "interactions", "best_settings", "excluded"),
    "Scale": ("scale",),
    "Stability": ("collapsed", "drops", "diverged"),
    "Trials": ("all_ran", "left_out"),
}
