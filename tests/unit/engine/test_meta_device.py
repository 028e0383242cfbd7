"""Steps on a device that keeps no numbers: what a GPU would refuse or wait for is an error there.

torch's `meta` tensors have shapes alone. Whoever asks one for a number fails, as does an operation
that takes tensors of two devices; and no tensor of the host may take part in a step. This is no
GPU: kernels, their order of sums and graphs are for `make gpu-check`.
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import torch
from nowhere import InAnyOrder, Strangers, as_on_a_gpu, play, round_of
from rounds import CASES
from tiny import trial

from ganstudy.engine.traced import Form
from ganstudy.kinds.adversarial.program import Program, program


@pytest.fixture(autouse=True)
def kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand for those of Triton."""
    as_on_a_gpu(monkeypatch)


def _packs() -> dict[str, list[dict[str, Any]]]:
    """Cases that may meet, by the first: in one pack the members of all of them are computed."""
    found: dict[str, tuple[str, list[dict[str, Any]]]] = {}
    for name, case in CASES.items():
        key = trial(**{"batch": 64, **case}).configuration.pack_key()
        found.setdefault(key, (name, []))[1].append(case)
    return dict(found.values())


PACKS = _packs()


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKS)
def test_a_round_asks_the_host_for_nothing(pack: str) -> None:
    """Nor adds up in an order that another pack, or the next time, would change."""
    play(*PACKS[pack])


@pytest.mark.slow
@pytest.mark.parametrize("pack", PACKS)
def test_its_graph_holds_nothing_of_the_host(pack: str) -> None:
    """What torch's compiler is given for a GPU: no tensor that was made while it was traced."""
    rules, state, batch = round_of(*PACKS[pack])
    forms: list[Form] = []

    def seen(name: str) -> Any:
        written, compiled = (getattr(program(of, "cuda"), name) for of in ("eager", "compiled"))

        def step(*given: Any) -> Any:
            forms.append(compiled.traced(*given))
            return written(*given)

        return step

    rules.updates.play(Program(*(seen(f.name) for f in fields(Program))), rules, state, batch)
    assert forms
    for form in forms:
        assert form.graph is not None
        graph, example = form.graph
        assert not [*graph.buffers(), *graph.parameters()]
        assert "cpu" not in graph.code
        with Strangers() as strangers:
            graph(*example)
        assert not strangers.seen


@pytest.mark.parametrize("fault", ["asks", "mixes", "brings"])
def test_a_fault_is_seen(fault: str) -> None:
    """A D-step that looks at a number; one with a constant of the host; one that copies it."""
    written = program("eager", "cuda")

    def faulty(*given: Any) -> Any:
        state, diagnostics = written.d_step(*given)
        loss = diagnostics["critic_loss"]
        if fault == "asks" and float(loss.sum()) > 0:
            return state, {}
        constant = torch.ones(loss.shape)
        return state, {"critic_loss": loss * (constant if fault == "mixes" else constant.to(loss))}

    rules, state, batch = round_of({"divergence": "minimax"})
    steps = Program(faulty, written.m_step, written.joint)
    with Strangers() as strangers:
        if fault == "brings":
            rules.updates.play(steps, rules, state, batch)
            assert strangers.seen
        else:
            with pytest.raises(RuntimeError, match="meta"):
                rules.updates.play(steps, rules, state, batch)


@pytest.mark.parametrize("summing", ["index_add", "scatter_add"])
def test_rows_are_read_in_one_order_and_their_gradients_added_in_any(summing: str) -> None:
    """Reading itself was taken for a sum."""
    index = torch.zeros(2, dtype=torch.int64)

    def read(x: torch.Tensor) -> torch.Tensor:
        found = x.index_select(0, index) if summing == "index_add" else x.gather(0, index)
        return found.square().sum(0)

    with InAnyOrder() as sums:
        read(torch.ones(3))
        assert not sums.seen
        torch.func.grad(read)(torch.ones(3))
    assert sums.seen == {summing}
