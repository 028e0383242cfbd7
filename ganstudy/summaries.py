"""What verbs print once: checks, plans, and how far a run has got."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from ganstudy.plural import plural
from ganstudy.terminal import answer, duration, status_line, unmeasured

if TYPE_CHECKING:
    from ganstudy.analysis import Power
    from ganstudy.outlook import Outlook
    from ganstudy.schedule.where import Where
    from ganstudy.study import Study
    from ganstudy.verification import Verification

__all__ = [
    "GUESS",
    "planned",
    "print_checked",
    "print_plan",
    "print_planned",
    "print_status",
    "print_studies",
    "print_verification",
]


GUESS = " (a guess: no such run has been measured on this machine)"
"""What is said of a time that rests on another machine's pace."""


def print_checked(path: Path, study: Study) -> None:
    """Say that a study has no mistakes, how many trials it has, and what was read of the data."""
    from ganstudy.search import search_of
    from ganstudy.targets import Target

    trials = search_of(study).counts().total()
    click.echo(f"{path}: {plural(trials, 'trial')}, no mistakes found")
    targets = [getattr(point, "target", None) for point in study.points.values()]
    for target in dict.fromkeys(own for own in targets if isinstance(own, Target)):
        for line in target.account():
            click.echo(line)
    if study.keys.remark:
        click.echo(study.keys.remark)
    if (power := _power(study)) is not None:
        click.echo(str(power))


def print_studies(
    studies: Mapping[str, Study], folders: Iterable[str], workers: int, as_json: bool
) -> None:
    """Say of each study what it asks, and about how long it trains here; name the folders."""
    from ganstudy.engine import pace
    from ganstudy.outlook import Outlook
    from ganstudy.schedule.where import Where

    shown, rows = pace.known(), dict[str, dict[str, Any]]()
    for name, study in studies.items():
        own = Outlook.of(study, Where(workers))
        rows[name] = {
            "question": study.file.question,
            "trials": own.trials,
            "seconds": round(own.seconds(shown)),
            "open_ended": own.search.open_ended,
            "measured": own.measured(shown),
        }
    if as_json:
        answer(rows)
        return
    width = max(map(len, rows))
    for name, row in rows.items():
        most = "at most " * row["open_ended"]
        trials, time = plural(row["trials"], "trial"), duration(row["seconds"])
        guess = "" if row["measured"] else ", a guess"
        said = f"{most}{trials}, {most or 'about '}{time}{guess}"
        click.echo(f"{name:{width}}  {row['question']} ({said})")
    for name in folders:
        click.echo(f"{name:{width}}  a folder of studies that are run as one job")
    click.echo("\nganstudy new my.yaml --from NAME")


class Plan(NamedTuple):
    """What a run would train: as it is foreseen, and as plain values."""

    outlook: Outlook
    summary: dict[str, Any]


def planned(study: Study, directory: Path, where: Where, fresh: bool = False) -> Plan:
    """What a run would train, and about how long on a CPU.

    fresh  whether what is there now would be set aside

    Errors  those of the run, which would be refused.
    """
    from ganstudy.engine import pace
    from ganstudy.outlook import Outlook
    from ganstudy.store import RunDirectory
    from ganstudy.store.place import check_room, check_writable

    check_room(directory)
    check_writable(directory)
    own = Outlook.of(study, where, None if fresh else RunDirectory(directory))
    counts, shown = own.search.counts(), pace.known()
    summary: dict[str, Any] = {
        "study": study.name,
        "axes": {axis.name: list(axis.labels) for axis in study.axes},
        "seeds": list(study.seeds),
        "trials": own.trials,
        "recorded": counts.total() - counts["missing"],
        "packs": [len(pack) for pack in own.parts],
        "trial_steps": sum(trial.configuration.steps for pack in own.parts for trial in pack),
        "program": own.program,
        "seconds": round(own.seconds(shown)),
        "measured": own.measured(shown),
    }
    power = _power(study)
    if power is not None:
        # JSON has no infinity.
        effect = power.effect if math.isfinite(power.effect) else None
        summary["power"] = {**asdict(power), "effect": effect}
    if study.space:
        summary["space"] = {parameter.name: parameter.attributes for parameter in study.space}
    return Plan(own, summary)


def print_plan(
    study: Study, directory: Path, where: Where, as_json: bool, fresh: bool = False
) -> None:
    """Say what a run would train, and about how long."""
    plan = planned(study, directory, where, fresh)
    if as_json:
        answer(plan.summary)
    else:
        print_planned(plan)


def print_planned(plan: Plan) -> None:
    """The same in words."""
    own, summary = plan
    search, sizes = own.search, summary["packs"]
    study = search.study
    click.echo(study.file.question)
    for name, labels in summary["axes"].items():
        click.echo(f"  {name}: {', '.join(map(str, labels))}")
    for parameter in study.space:
        click.echo(f"  {parameter.name}: {parameter}")
    click.echo(f"  seeds: {search.seeds_in_words()}")
    trials, recorded = summary["trials"], summary["recorded"]
    most = "at most " * search.open_ended
    click.echo(
        f"{most}{plural(trials, 'trial')}, {recorded:,} recorded, {trials - recorded:,} to train"
    )
    if sizes:
        source = "" if summary["measured"] else GUESS
        small, large = min(sizes), max(sizes)
        each = plural(large, "trial") if small == large else f"{small} to {plural(large, 'trial')}"
        click.echo(
            f"{plural(len(sizes), 'pack')} of {each}; "
            f"{most or 'about '}{duration(summary['seconds'])} with "
            f"{plural(own.where.workers, 'worker')}{source}; "
            f"{own.program}: {own.reason}"
        )
    if study.keys.remark:
        click.echo(study.keys.remark)
    if (power := _power(study)) is not None:
        click.echo(str(power))


def _power(study: Study) -> Power | None:
    """What its seeds or searches can show; None where no fixed number of them compares arms."""
    from ganstudy.analysis import Power
    from ganstudy.score import worst

    drawn = study.keys.draws(study.seeds)
    if study.answer == "claims" or drawn is None or not study.axes:
        return None
    if all(point.deterministic for point in study.points.values()):
        return None
    arm = study.arm_axis
    arms = {point[arm] for point in study.points}
    settings = [point[:arm] + point[arm + 1 :] for point in study.points]
    shared = sum(settings.count(own) == len(arms) for own in set(settings))
    if len(arms) < 2:
        return None
    ends = [worst(point.readings[study.score]) for point in study.points.values()]
    return Power.of(len(arms), shared, *drawn, has_worst=not any(map(math.isnan, ends)))


def print_status(found: Mapping[str, Any], as_json: bool) -> None:
    """Say how far a run has got: counts, rate, time left, failures, the slowest."""
    from ganstudy.cause import telling

    if as_json:
        answer(found)
        return
    click.echo(status_line(found["status"]))
    for sentence in found["search"]:
        click.echo(sentence)
    if len(found["arithmetic"]) > 1:
        for text, count in found["arithmetic"].items():
            click.echo(f"{count} computed on {text}")
    _print_running(found["running"])
    if found["slowest"]:
        seconds = found["slowest"]["seconds"]
        click.echo(f"slowest trial: {found['slowest']['trial']}, {seconds:.1f} s")
    for failure in found["failures"]:
        why = telling(failure["cause"])
        click.echo(f"failed {failure['trial']} (seed {failure['seed']}): {why}")
    for line in unmeasured(Path(found["run"]), found["unmeasured"]):
        click.echo(line)


def print_verification(verification: Verification, as_json: bool) -> None:
    """Say whether trials that were trained again have the same bits."""
    if as_json:
        answer(verification.receipt())
        return
    for sentence in verification.sentences():
        click.echo(sentence)


def _print_running(now: Mapping[str, Any] | None) -> None:
    if now is None:
        click.echo("not running")
        return
    rate, left = now["trial_steps"] / now["seconds"], now["seconds_left"]
    pace = f", {rate:,.0f} trial-steps/s" if now["trial_steps"] else ""
    if now["doing"] != "training":
        pace += f", {now['doing']}"
    elif left is not None:
        pace += f", {'at most ' * now.get('open_ended', False)}{duration(left)} of training left"
    click.echo(f"running for {duration(now['seconds'])}{pace}")
    for pack in now["packs"]:
        step = f"step {round(pack['share'] * pack['steps']):,} of {pack['steps']:,}"
        far = f", {step}" if pack["share"] else ""
        click.echo(f"  {plural(pack['trials'], 'trial')} for {duration(pack['seconds'])}{far}")
