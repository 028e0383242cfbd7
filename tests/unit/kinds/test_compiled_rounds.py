"""What compiled rounds ask of steps: forms that a process has traced serve all of its packs."""

from __future__ import annotations

from typing import Any

import pytest
from tiny import train, trial

from ganstudy.engine import ahead
from ganstudy.engine.traced import Form
from ganstudy.kinds.adversarial import program


@pytest.mark.slow
def test_packs_of_one_size_are_traced_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A full pack, one with a copy that fills it up, and a second full one: D-step and M-step."""
    traced = list[str]()
    of = Form.of

    def counted(function: Any, *arguments: Any) -> Form:
        traced.append(function.__name__)
        return of(function, *arguments)

    def interpreted(form: Form) -> None:
        assert form.graph is not None
        module, _ = form.graph
        form.run = lambda numbers: module(*numbers)

    monkeypatch.setattr(Form, "of", counted)
    monkeypatch.setattr(ahead, "load_library", interpreted)
    for module in (ahead, program):
        monkeypatch.setattr(module, "make", lambda forms: None)
    program.program.cache_clear()
    try:
        for seeds in (range(8), range(7), range(8, 16)):
            train([trial(seed) for seed in seeds], program="compiled")
    finally:
        program.program.cache_clear()
    assert sorted(traced) == ["d_step", "m_step"]


@pytest.mark.parametrize(
    ("updates", "apart"), [("alternating", False), ("symplectic_gradient_adjustment", True)]
)
def test_what_a_compiler_would_order_sums_by_is_the_same_in_a_pack(
    updates: str, apart: bool
) -> None:
    """Compiled, the gradients of gradients of a trial had other last bits beside another optimizer,
    or beside one whose critic is clipped.
    """
    others: list[dict[str, Any]] = [
        {"critic": {"optimizer": "rmsprop"}},
        {"generator": {"optimizer": "sgd"}},
        {"constraint": "clip"},
    ]
    key = trial(updates=updates).configuration.pack_key()
    for own in others:
        assert (trial(updates=updates, **own).configuration.pack_key() != key) == apart
    alike = trial(updates=updates, critic={"lr": 1e-4, "optimizer": {"name": "adam", "eps": 1e-7}})
    assert alike.configuration.pack_key() == key
