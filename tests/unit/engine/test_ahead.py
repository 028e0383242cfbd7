"""Steps compiled ahead of time: once for a machine, whole or not at all, for one form each."""

from __future__ import annotations

import hashlib
import multiprocessing
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ganstudy import machine_cache
from ganstudy.engine import ahead
from ganstudy.engine.ahead import AheadOfTime, make
from ganstudy.engine.packing import why_no_compiler
from ganstudy.engine.traced import Form, NotCompiled
from ganstudy.engine.vectors import compiler_vectors

compiles = pytest.mark.skipif(why_no_compiler() != "", reason="no C++ compiler")


@dataclass(frozen=True)
class Rules:
    """A number for each trial, and a plain one."""

    rate: Tensor
    power: int


def step(rules: Rules, x: Tensor, pair: tuple[Tensor, Tensor | None]) -> dict[str, Tensor]:
    """Something with a product, a sum, a solver, which has no kernel of its own and is called by
    name, and an argument that may be missing.
    """
    first, second = pair
    y = x.bmm(first) ** rules.power
    if second is not None:
        y = y + second
    solved = torch.linalg.solve(first + 9 * torch.eye(5), x.mT)
    moved = x - rules.rate[:, None] * y.sum(-1, keepdim=True)
    return {"moved": moved, "same": first, "solved": solved}


def _arguments(pack: int = 4) -> tuple[Rules, Tensor, tuple[Tensor, None]]:
    generator = torch.Generator().manual_seed(0)
    x, w = (torch.randn(pack, n, 5, generator=generator) for n in (7, 5))
    return Rules(torch.full((pack, 1), 0.1), 2), x, (w, None)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(folder))
    return folder


@compiles
@pytest.mark.parametrize("processor", ["this one", "an Intel with matrix tiles"])
def test_vectors_that_are_not_tried_are_those_that_torch_finds_by_trying(
    cache: Path, processor: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three trials of a compiler took the first second of a machine's first run."""
    from torch._inductor import config, cpu_vec_isa

    if processor != "this one":
        has = ["_is_avx512_supported", "_is_vnni_supported", "_is_avx512_bf16_supported"]
        for name in (*has, "_is_amx_tile_supported", "_init_amx"):
            monkeypatch.setattr(torch.cpu, name, lambda: True)
        monkeypatch.setattr(torch.cpu, "_is_amx_fp16_supported", lambda: False)
        anew = [type(isa)() for isa in cpu_vec_isa.supported_vec_isa_list[:4]]
        monkeypatch.setattr(cpu_vec_isa, "supported_vec_isa_list", anew)

    def forget() -> None:
        cpu_vec_isa.valid_vec_isa_list.cache_clear()
        for isa in cpu_vec_isa.supported_vec_isa_list:
            getattr(type(isa).__bool__, "cache_clear", lambda: None)()

    tried = []
    trial = cpu_vec_isa.VecISA.check_build

    def noted(isa: cpu_vec_isa.VecISA, code: str) -> bool:
        tried.append(isa)
        return trial(isa, code)

    forget()
    try:
        with monkeypatch.context() as patched:
            patched.setattr(cpu_vec_isa.VecISA, "check_build", noted)
            found = compiler_vectors()
        assert all(isinstance(isa, cpu_vec_isa.VecAMX) for isa in tried)
        if processor != "this one":
            assert tried
            assert found.endswith(" amx_tile")
        forget()
        with config.patch({"cpp.vec_isa_ok": True}):
            assert str(cpu_vec_isa.pick_vec_isa()) == found
    finally:
        forget()


def test_a_form_is_named_by_all_that_decides_its_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another shape, constant, presence or setting of the compiler is another library."""
    traced = AheadOfTime(step).traced
    rules, x, (w, _) = _arguments()
    first = traced(rules, x, (w, None)).name
    assert traced(Rules(rules.rate + 1, 2), x + 1, (w, None)).name == first
    others = {
        traced(Rules(rules.rate, 3), x, (w, None)).name,
        traced(rules, x, (w, w.new_ones(4, 7, 5))).name,
        traced(*_arguments(8)).name,
        AheadOfTime(lambda *given: step(*given)["same"]).traced(rules, x, (w, None)).name,
    }
    monkeypatch.setenv("TORCHINDUCTOR_FREEZING", "1")
    others.add(AheadOfTime(step).traced(rules, x, (w, None)).name)
    assert len({first, *others}) == 6


def test_rules_that_are_alike_are_traced_once() -> None:
    """Packs of one architecture differ in numbers alone, which are arguments of the library."""
    calls = []

    def counted(*given: object) -> object:
        calls.append(given)
        return step(*given)  # type: ignore[arg-type]

    compiled = AheadOfTime(counted)
    rules, x, (w, _) = _arguments()
    first = compiled.traced(rules, x, (w, None))
    assert compiled.traced(Rules(rules.rate + 1, 2), x, (w, None)) is first
    assert len(calls) == 1
    assert compiled.traced(Rules(rules.rate, 3), x, (w, None)) is not first
    assert compiled.traced(rules, x, (w, w.new_ones(4, 7, 5))) is not first
    assert len(calls) == 3


def test_what_depends_on_values_cannot_be_traced() -> None:
    """A form holds for all values: control flow by numbers is refused, not frozen."""

    def branching(rules: Rules, x: Tensor) -> Tensor:
        return x if bool(x.sum() > 0) else rules.rate * x

    with pytest.raises(NotCompiled, match="cannot be traced"):
        AheadOfTime(branching).traced(Rules(torch.ones(4, 1), 1), torch.ones(4, 1))


@compiles
@pytest.mark.slow
def test_compiled_once_and_loaded_again(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The function's numbers; a second process loads them; a damaged library is made anew, and what
    is remembered of the processor's vectors asked anew. What it calls by name lies beside it.
    """
    compiled, arguments = AheadOfTime(step), _arguments()
    found, expected = compiled(*arguments), step(*arguments)
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value)
    libraries = list((cache / "ganstudy").glob("*.so"))
    assert len(libraries) == 1
    assert libraries[0].with_suffix(".json").is_file()
    with monkeypatch.context() as patch:
        patch.setattr(ahead, "make_library", None)
        again = AheadOfTime(step)(*arguments)
        assert all(torch.equal(again[name], found[name]) for name in found)
    # Another file of that name: this process has mapped the first.
    cut = libraries[0].read_bytes()[:1000]
    libraries[0].unlink()
    libraries[0].write_bytes(cut)
    (vectors,) = cache.glob("ganstudy_vectors_*")
    vectors.write_bytes(vectors.read_bytes()[:5])
    again = AheadOfTime(step)(*arguments)
    assert all(torch.equal(again[name], found[name]) for name in found)
    assert "is damaged" in caplog.text
    (anew,) = (cache / "ganstudy").glob("*.so")
    assert anew.name.partition("-")[0] == libraries[0].name.partition("-")[0]


def _make_both(order: int, log: Path) -> None:
    """Make two forms, slowly, as a worker would; each one is noted."""
    rules, x, (w, _) = _arguments()
    forms = [
        AheadOfTime(step).traced(rules, x, pair) for pair in ((w, None), (w, w.new_ones(4, 7, 5)))
    ]

    def noted(form: Form) -> None:
        import time

        with log.open("a") as file:
            file.write(f"{form.name}\n")
        time.sleep(0.5)
        digest = hashlib.sha256(b"made").hexdigest()[:16]
        (machine_cache.folder() / "ganstudy" / f"{form.name}-{digest}.so").write_bytes(b"made")

    ahead.make_library = noted
    make(forms[::order])


@pytest.mark.slow
def test_two_processes_share_the_work(cache: Path, tmp_path: Path) -> None:
    """Each library is made by one of them, and both find all of them when they are done."""
    log = tmp_path / "log"
    spawn = multiprocessing.get_context("spawn")
    processes = [
        spawn.Process(target=_make_both, args=(order, log), daemon=True) for order in (1, -1)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(600)
        assert process.exitcode == 0
    assert len(log.read_text().split()) == len(set(log.read_text().split())) == 2
