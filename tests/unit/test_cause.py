"""Causes of failures as text: whole, short, harmless, and with the line that tells most first."""

from __future__ import annotations

import h5py
import pytest
from tiny import trial

from ganstudy.cause import LONGEST, cause_of, cleaned, harmless, of_compiler, one_line, telling
from ganstudy.store import records
from ganstudy.terminal import say
from ganstudy.trial import Record


def _raised(message: str, kind: type[BaseException] = RuntimeError) -> str:
    try:
        raise kind(message)
    except BaseException as error:
        return cause_of(error)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\0b", r"a\x00b"),
        ("\x1b[2J\x1b[Hgone", "gone"),
        ("\x1b]0;title\x07shown", "shown"),
        ("\x1bcreset", "reset"),
        ("over\rwritten", r"over\rwritten"),
        ("\u202egnirts", r"\u202egnirts"),
        ("half \ud800", r"half \ud800"),
        ("\x9b31mred", r"\x9b31mred"),
        ("tab\tline\nnext é 漢", "tab\tline\nnext é 漢"),
    ],
)
def test_nothing_in_a_cause_is_obeyed(text: str, shown: str) -> None:
    assert cleaned(text) == shown
    assert cleaned(cleaned(text)) == shown
    shown.encode()


def test_nothing_in_a_message_or_a_name_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """What a plug-in raises, and what others call their files."""
    text = "\x1b[31mred\x07\nnext \udcfc é"
    assert harmless(text) == "\\x1b[31mred\\x07\nnext \\udcfc é"
    assert one_line(text) == "\\x1b[31mred\\x07\\nnext \\udcfc é"
    say(text)
    assert capsys.readouterr().err == f"{harmless(text)}\n"


def test_a_metric_that_raises_of_p_itself_is_told_once_in_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It was for each trial, in all its lines."""

    def refuse(*_: object) -> None:
        raise ValueError("no such cloud\nsecond")

    monkeypatch.setattr("ganstudy.kinds.adversarial.kind.perfect_sampler", refuse)
    for seed in range(2):
        own = trial(seed, record={"every": 10, "samples": 37, "metrics": ["modes_covered"]})
        assert own.configuration.perfect() == {}
    assert caplog.messages == ["metric modes_covered of p itself: ValueError: no such cloud"]


@pytest.mark.slow
@pytest.mark.parametrize("message", ["x" * 10_000_000, "x\n" * 5_000_000, "\0" * 100_000])
def test_a_long_message_is_cut_in_the_middle(message: str) -> None:
    cause = _raised(message)
    assert len(cause) <= LONGEST
    assert "characters in all" in cause
    assert len(telling(cause)) <= 300


def test_a_record_holds_every_cause(tmp_path: object) -> None:
    """A NUL ended the run in h5py, and again each time."""
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    failed = Record.of_failure(trial(), "eager", "a\0b \ud800 \x1b[2J")
    path = records.write([failed], tmp_path)
    (found,) = records.read(path)
    assert found.cause == r"a\x00b \ud800 "
    with h5py.File(path) as file:
        assert file["cause"].shape == (1,)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("plain", "RuntimeError: plain"),
        ("No compiler found\n\nSet TORCHDYNAMO_VERBOSE=1", "RuntimeError: No compiler found"),
        ("backend='inductor' raised:\nNo g++", "RuntimeError: backend='inductor' raised: No g++"),
    ],
)
def test_the_first_line_tells_most(message: str, line: str) -> None:
    cause = _raised(message)
    assert telling(cause) == line
    assert "Traceback" in cause
    assert "test_cause.py" in cause


def test_an_error_without_a_message_says_where() -> None:
    assert telling(_raised("", AssertionError)).startswith("AssertionError, in _raised (")


def test_causes_of_earlier_versions_are_told_by_their_last_line() -> None:
    old = "Traceback (most recent call last):\n  File ...\nValueError: bad"
    assert telling(old) == "ValueError: bad"
    assert telling(f"tried 3 times; {old}") == "ValueError: bad"
    assert telling("its worker was killed by SIGKILL") == "its worker was killed by SIGKILL"
    assert telling("") == ""


@pytest.mark.parametrize("module", ["torch._inductor.cache", "torch.nn"])
def test_a_cache_that_cannot_be_made_is_the_compilers(module: str) -> None:
    """Importing it makes the folder: an error of files, which no trial is to be blamed for."""
    names = {"__name__": module}
    exec("def make(): raise FileNotFoundError('/proc/x')", names)
    with pytest.raises(FileNotFoundError) as caught:
        names["make"]()  # type: ignore[operator]
    assert of_compiler(caught.value) == (module != "torch.nn")
