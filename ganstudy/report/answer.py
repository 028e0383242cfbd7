"""The answer to the study's question: a verdict, what matters beside it, and all the rest."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from ganstudy.analysis import along_studies
from ganstudy.report import across, prose, remarks, theory, verdicts
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
    if along_studies(findings.gathered):
        return _of_several(findings)
    verdict = verdicts.verdict(findings)
    said = remarks.remarks(findings)
    first: list[Sentence] = []
    if findings.answer == "claims" and theory.known(findings):
        call = theory.call(findings)
        first += [Sentence(text, call) for text in theory.sentences(findings)]
    first += added
    if findings.answer in ("claims", "effects"):
        ranking = verdicts.ranking(findings)
        if ranking != verdict:
            first.append(Sentence(ranking.text, ranking.call))
    names = [name for name in _FIRST[findings.answer] if name in said]
    names = names[: max(MOST_KEY - len(first), 0)]
    key = [*first[:MOST_KEY], *(said.pop(name) for name in names)]
    further = {"Beside the verdict": first[MOST_KEY:]}
    for heading, own in _HEADINGS.items():
        further[heading] = [said[name] for name in own if name in said]
    return Answer(
        verdict, _capital(key), {name: _capital(own) for name, own in further.items() if own}
    )


def _of_several(findings: Findings) -> Answer:
    """The answer of studies of several targets: a heading for each question."""
    name = "ds" if findings.searched is None else "searched"
    lead, grade = across.verdict(findings.gathered, name)
    asked = across.sentences(findings.gathered, name)
    said = {heading: _capital(own) for heading, own in asked.items() if own}
    key = [own[0] for heading, own in said.items() if heading in across.KEY]
    return Answer(Verdict(lead.text, lead.call, grade), key, said)


def picture(findings: Findings) -> Drawing | None:
    """The one picture beside the verdict; None where the study has none to show."""
    if along_studies(findings.gathered):
        return None
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
    "Trials": ("all_ran", "left_out", "causes"),
}
