"""Numbers and lists that pages state are those of the code, sentence by sentence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ganstudy import analysis, cause, film
from ganstudy.analysis import grades
from ganstudy.analysis.importances import PERMUTATIONS
from ganstudy.engine import checkpoints
from ganstudy.kinds.adversarial import Adversarial
from ganstudy.kinds.game import claims
from ganstudy.metrics import family as metrics
from ganstudy.schedule import loop
from ganstudy.schedule.executors import slurm
from ganstudy.search.bayes import keys, seeds
from ganstudy.store import digests
from ganstudy.study.file import EngineFile
from ganstudy.targets import from_config

DOCS = Path(__file__).parents[2] / "docs"
MINUTES = {30.0: "half a minute", 600.0: "ten minutes"}
"""Seconds, in words."""
NUMBERS = {4: "four", 10: "ten"}
BAYES = {name: field.default for name, field in keys.BayesKeys.model_fields.items()}
GENERATOR = Adversarial().generator
MEMORY_LIMIT = EngineFile.model_fields["memory_limit"].description
FEW = f"{NUMBERS[grades.SETTINGS]} settings"

STATED = [
    ("faults", f"keeps its state every {checkpoints.EVERY:g} seconds"),
    ("faults", f"A pack that has not stopped after {loop.DRAIN_SECONDS:g} seconds is killed"),
    ("faults", f"| its worker dies | {loop.TRIES} without getting further |"),
    ("faults", f"1 in a fresh worker, or {loop.TRIES} if its worker dies of it"),
    ("faults", f"the first step (which may take {MINUTES[loop.COMPILE_SECONDS]} more)"),
    ("faults", f"have at most {cause.LONGEST:,} characters"),
    ("faults", f"Up to {digests.CHECKED_ON_OPEN / 2**30:g} GiB, all of it is checked"),
    ("faults", f"memory_limit: 4.0 # {MEMORY_LIMIT}"),
    ("decisions/0018-what-a-time-limit-counts", f"may take {MINUTES[loop.COMPILE_SECONDS]} more"),
    ("notation", f"the first {film.PICTURES} of `samples`, or as many as have {film.PIXELS:,} n"),
    ("clusters", f"asked about the jobs every {MINUTES[slurm.ASK_SECONDS]}"),
    ("search", f"those plus {seeds.BLOCK:,} in the second"),
    ("search", f"fresh seeds begin at {seeds.FIRST_FRESH:,} of each block"),
    ("search", f"at random {PERMUTATIONS} times"),
    ("search", f"points at random, {BAYES['startup']} by default"),
    ("search", f"in training at a time, {BAYES['together']} by default"),
    ("search", f"| `seed` | of the sampler, {BAYES['seed']} by default"),
    ("search", f"with repeats {keys.FRESH_BY_DEFAULT} by default"),
    ("networks", f"Activations are `{GENERATOR.activation.name}` (the default)"),
    ("networks", f"initialisations `{GENERATOR.initialisation.name}` (the default"),
    ("theory", "the log losses of `{}`, `{}` and `{}` they are".format(*claims.LOG_LOSSES)),
    ("statistics", f"| **clear** | adjusted p < {grades.CLEAR:g}, and still so with any one seed"),
    ("statistics", f"at least {NUMBERS[grades.OF_FEW]} seeds where fewer than {FEW} are averaged"),
    ("statistics", f"| **leaning** | adjusted p < {grades.LEANING:g} |"),
]


def _text(page: str) -> str:
    return " ".join((DOCS / f"{page}.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize(("page", "sentence"), STATED)
def test_a_page_states_the_numbers_of_the_code(page: str, sentence: str) -> None:
    assert sentence in _text(page)


def test_the_page_of_searches_has_each_key_of_one() -> None:
    """As code, or as a key of an example."""
    named = re.findall(r"`(\w+)[`:]|(\w+): ", _text("search"))
    assert BAYES.keys() - {name for pair in named for name in pair} == set()


def test_the_page_names_each_metric_that_compares_clouds_and_takes_no_features() -> None:
    """Those are measured where a target has neither modes nor labels that say where samples go."""
    without = [own for own in metrics if "features" not in own.model_fields]
    told = re.search(r"take `features:` \(all but (.*?)\)", _text("metrics"))
    assert told is not None
    plain = from_config("checkerboard")
    clouds = {own.name for own in without if not own().problem(plain)}
    assert set(re.findall(r"`(\w+)`", told[1])) == clouds


def test_the_page_states_how_many_seeds_make_a_difference_clear() -> None:
    """Of two, four and nine arms."""
    two, four, nine = (grades.seeds_for(1.0, pairs) for pairs in (1, 6, 36))
    fewest = [grades.fewest_seeds(pairs) for pairs in (1, 6, 36)]
    wins = [grades.fewest_seeds(pairs, wins=True) for pairs in (1, 6, 36)]
    few = {grades.fewest_seeds(pairs, 3) for pairs in (1, 6, 36)}
    few.add(min(grades.fewest_seeds(pairs, 3, wins=True) for pairs in (1, 6, 36)))
    assert (
        f"being clear with {two}, {four} and {nine} seeds for two, four and nine arms; with fewer"
        f" than {fewest[0]}, {fewest[1]} and {fewest[2]} seeds nothing is clear (by wins with fewer"
        f" than {wins[0]}, {wins[1]} and {wins[2]}; with fewer than {FEW} never with fewer than"
        f" {few.pop()})"
    ) in _text("statistics")
    assert not few


def test_what_repeats_can_show_is_what_check_says_of_them() -> None:
    """Of one pair among those of four arms, where the page has one arm that is ahead of all."""
    clear = r"With 10 / 20 repeats it is clear as often where it is (.*?) / (.*?);"
    (told,) = re.finditer(clear, _text("search"))
    for repeats, effect in zip((10, 20), map(float, told.groups()), strict=True):
        assert analysis.Power.of(4, 1, repeats, "search").effect == pytest.approx(effect, rel=0.05)
