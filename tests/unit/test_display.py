"""What moves on a terminal while packs train, and what is said where there is none."""

from __future__ import annotations

import io
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from tiny import trial

from ganstudy import display
from ganstudy.engine import checkpoints
from ganstudy.engine.session import ALONE
from ganstudy.forecast import Forecast
from ganstudy.kinds.adversarial.training import train
from ganstudy.progress import Progress
from ganstudy.schedule.clock import Begun, Clock
from ganstudy.schedule.loop import Running

PACKS = [tuple(trial(seed, steps=1000) for seed in range(4 * n, 4 * n + 4)) for n in range(4)]


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clocks that stand still, so that what is said does not depend on how long it takes."""
    monkeypatch.setattr(time, "monotonic", lambda: 5000.0)
    monkeypatch.setattr(time, "perf_counter", lambda: 5000.0)


def under_way(share: float, seconds: float = 10.0) -> tuple[Running, ...]:
    """Two packs: one has taken a share of its steps in some seconds, the other prepares."""
    now = time.monotonic()
    since = now - seconds
    stepping = Clock(True, since, share, now, 0.0, since, marks=((since, 0.0),))
    first = Running(PACKS[0], 1, 0, started=1.0, clock=stepping)
    return first, Running(PACKS[1], 1, 0, started=2.0, clock=Clock(False, now))


def progress(running: Sequence[Running]) -> Progress:
    """A run of sixteen trials, of which nothing has ended."""
    found = Progress(16, "eager", "as the study asks", workers=2, forecast=Forecast("eager", PACKS))
    found.forecast.watch(running)
    return found


def drawn(found: Progress, width: int = 160) -> list[str]:
    """The lines of a terminal, without colours."""
    shown = io.StringIO()
    console = Console(file=shown, width=width, force_terminal=True, color_system=None)
    console.print(display.bars(found, width))
    return [line.rstrip() for line in shown.getvalue().splitlines()]


@pytest.mark.usefixtures("stopped")
def test_bars_move_while_a_pack_trains() -> None:
    """A bar of the study, and a line of each worker, before any pack has ended."""
    found = progress(under_way(0.25))
    head, study, first, second = drawn(found)
    assert head.startswith("0/16 trials (6% of their steps), eager steps (as the study asks), ")
    assert "100 trial-steps/s" in drawn(replace_seconds(found, 10.0))[0]
    assert study.startswith("study")
    assert study.endswith(" 6%")
    assert "4 trials, step 250 of 1,000, 30 s left" in first
    assert second.startswith("worker 2")
    assert "4 trials, preparing for" in second
    found.forecast.watch(under_way(0.5, 20.0))
    _, study, first, _ = drawn(found)
    assert study.endswith(" 12%")
    assert "step 500 of 1,000, 20 s left" in first


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("width", [40, 60])
def test_bars_give_way_to_words(width: int) -> None:
    """On a narrow terminal a line is still a worker's, and nothing is broken."""
    study, first, second = drawn(progress(under_way(0.25)), width)[-3:]
    assert study.startswith("study ")
    assert study.endswith(" 6%")
    assert first.startswith("worker 1 ")
    assert "4 trials, step 250 of 1,000, " in first
    assert second.startswith("worker 2 ")
    assert ("\N{BOX DRAWINGS HEAVY HORIZONTAL}" in first) == (width == 60)


def replace_seconds(found: Progress, seconds: float) -> Progress:
    """The same, begun so long ago."""
    return replace(found, started=time.perf_counter() - seconds)


def test_a_worker_keeps_its_line() -> None:
    """The pack of the first ends and another begins: the second's line stays where it is."""
    found = progress(under_way(0.25))
    _, second = under_way(0.25)
    third = Running(PACKS[2], 1, 0, started=3.0, clock=Clock(False, 3.0))
    found.forecast.watch([second, third])
    assert [pack.worker for pack in found.packs] == [1, 2]
    assert [lane.running for lane in found.forecast.lanes] == [third, second]


def test_a_pack_that_has_ended_counts_once() -> None:
    """It had taken all its steps: until its worker is looked at again, it is not under way too."""
    found = progress(under_way(1.0))
    found.done["complete"] = 4
    found.forecast.ended(PACKS[0], 10.0)
    assert found.share == 4 / 16
    assert [pack.worker for pack in found.packs] == [2]


class Counted:
    """A search of sixteen trials by what has become of them."""

    open_ended = False

    def __init__(self, **done: int) -> None:
        self.done = Counter(done)

    def counts(self) -> Counter[str]:
        """What there is of them, and what is missing."""
        return self.done + Counter(missing=16 - self.done.total())


def counted(**done: int) -> Any:
    """Such a search, for whoever asks no more of one."""
    return Counted(**done)


def ended(pack: Sequence[Any], failed: int = -1) -> dict[str, str]:
    """What has become of the trials of a pack, all of which are complete but for one."""
    return {t.id: "failed" if n == failed else "complete" for n, t in enumerate(pack)}


@pytest.mark.usefixtures("stopped")
def test_a_session_counts_its_own_steps() -> None:
    """Of a pack that continues from a checkpoint, as it trains and once it has landed; what failed
    counts for none.
    """
    found = progress(())
    clock = Clock.started(Begun(True, 60.0, 0.75))
    found.forecast.watch([Running(PACKS[0], 1, 0, started=1.0, clock=clock)])
    clock = Clock.started(Begun(True, 60.0, 1.0), clock)
    found.forecast.watch([Running(PACKS[0], 1, 0, started=1.0, clock=clock)])
    assert [pack.trial_steps for pack in found.packs] == [4 * 250]
    found.add(counted(complete=4), PACKS[0], 80.0, ended(PACKS[0]))
    assert found.trial_steps == 4 * 250
    assert found.packs == []
    # It was first heard of late, and is new all the same.
    clock = Clock.started(Begun(True, 0.0, 0.25))
    found.forecast.watch([Running(PACKS[1], 1, 0, started=1.0, clock=clock)])
    found.add(counted(complete=7, failed=1), PACKS[1], 10.0, ended(PACKS[1], failed=2))
    assert found.trial_steps == 4 * 250 + 3 * 1000


@pytest.mark.usefixtures("stopped")
def test_what_a_worker_did_before_its_death_was_done_in_this_session() -> None:
    """The pack continues from a checkpoint of this session, or of an earlier one."""
    for before in (0.0, 0.5):
        found = progress(())
        clock = Clock.started(Begun(True, 30.0 * before, before))
        found.forecast.watch([Running(PACKS[0], 1, 0, started=1.0, clock=clock)])
        found.forecast.watch([])
        again = Running(PACKS[0], 2, 0, started=2.0, clock=None)
        found.forecast.watch([again])
        assert [pack.trial_steps for pack in found.packs] == [0]
        clock = Clock.started(Begun(True, 60.0, 0.75))
        found.forecast.watch([replace(again, clock=clock)])
        assert [pack.trial_steps for pack in found.packs] == [4 * (750 - 1000 * before)]
        assert found.forecast.foreseen
        found.add(counted(complete=4), PACKS[0], 80.0, ended(PACKS[0]))
        assert found.trial_steps == 4 * (1000 - 1000 * before)


@pytest.mark.usefixtures("stopped")
def test_of_a_retry_nothing_is_foreseen_that_it_does_not_train() -> None:
    """A worker's death, and what is trained after all, made it ask for what is missing."""
    found = Progress.of(
        counted(complete=12, failed=4), PACKS[:1], 1, "eager", "as before", once_more=True
    )
    found.forecast.watch([Running(PACKS[1], 1, 0, started=1.0)])
    assert not found.forecast.foreseen
    found.add(counted(complete=15, failed=1), PACKS[1], 40.0, ended(PACKS[1], failed=0))


@pytest.mark.usefixtures("stopped")
def test_what_is_trained_once_more_is_what_is_planned() -> None:
    """Four of sixteen trials have failed and are trained again: nothing is done at the start."""
    found = Progress.of(
        counted(complete=12, failed=4), PACKS[:1], 1, "eager", "as before", once_more=True
    )
    found = replace_seconds(found, 10.0)
    found.forecast.watch(under_way(0.25)[:1])
    assert found.share == 0.25
    head, study, _ = drawn(found)
    assert head.startswith("0/4 trials (25% of their steps), eager steps (as before), ")
    assert head.endswith(" 30 s of training left")
    assert study.endswith(" 25%")
    found.add(counted(complete=15, failed=1), PACKS[0], 40.0, ended(PACKS[0], failed=0))
    assert drawn(found)[0].startswith("4/4 trials, ")
    assert found.share == 1.0
    assert found.done == {"complete": 15, "failed": 1}


def test_plain_lines_come_when_a_pack_has_ended_and_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Five calls in a second are not five lines."""
    now = [100.0]
    monkeypatch.setattr(display.time, "monotonic", lambda: now[0])
    found = progress(())
    with display.display(quiet=False) as observe:
        for now[0] in (100.0, 100.2, 129.9):
            observe(found)
        assert len(capsys.readouterr().err.splitlines()) == 1
        now[0] = 130.0
        observe(found)
        assert len(capsys.readouterr().err.splitlines()) == 1
        found.trained = 4
        observe(found)
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_pack_says_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounds of two M-steps, each told: the shares are those of its steps."""
    said: list[Any] = []
    monkeypatch.setattr("ganstudy.engine.flight.TELL_EVERY", 0.0)
    monkeypatch.setattr(checkpoints, "STEPPING", [])
    monkeypatch.setattr("ganstudy.engine.flight.STEPPING", checkpoints.STEPPING)
    checkpoints.when_stepping(lambda earlier, share: said.append((earlier, share)))
    train([trial(steps=8, generator={"steps": 2})], ALONE)
    assert said == [(0.0, 0.25), (0.0, 0.5), (0.0, 0.75), (0.0, 1.0)]


def test_a_clock_keeps_what_it_heard_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pace is that of the steps, without the preparation before the first."""
    now = [50.0]
    monkeypatch.setattr("ganstudy.schedule.clock.time.monotonic", lambda: now[0])
    clock = Clock.started(Begun(False))
    for now[0], share in ((90.0, 0.1), (91.0, 0.15)):
        clock = Clock.started(Begun(True, 0.0, share), clock)
        assert clock.rate is None
    now[0] = 94.0
    clock = Clock.started(Begun(True, 0.0, 0.3), clock)
    assert clock.rate == pytest.approx(0.05)
    assert clock.since == 90.0
