"""The report without a mouse: every control is reached, seen and worked by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
import xarray as xr
from browser import Keyboard, keyboard, needs_browser
from synthetic_dataset import filmed
from unrendered import unrendered

from ganstudy.report import build

ALL = "[...document.querySelectorAll('a[href], button, input, summary, [tabindex]')]"
PRESENT = f"{ALL}.map((one, k) => one.checkVisibility() ? k : -1).filter((k) => k >= 0)"
FOCUS = f"{ALL}.indexOf(document.activeElement)"
RING = "getComputedStyle(document.activeElement).outlineStyle"
SORTED = "[...document.querySelectorAll('#every-trial thead th')].map((one) => one.ariaSort).join()"
STEP = "document.getElementById('film-step').textContent"
OPEN = "document.querySelectorAll('.trial-details').length"


@pytest.fixture(scope="module")
def page(make_study: Callable[..., xr.Dataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    ds = make_study({"divergence": ["minimax", "hinge"], "lr": [1, 2]}, seeds=2, steps=6, samples=9)
    with unrendered():
        return build(filmed(ds), {}, tmp_path_factory.mktemp("run") / "report")


@pytest.mark.slow
@needs_browser
def test_every_control_is_reached_in_order_and_has_a_ring(page: Path) -> None:
    async def walk() -> tuple[list[int], list[int], set[str]]:
        async with keyboard(page) as keys:
            present, seen, rings = await keys.value(PRESENT), [], set()
            for _ in present:
                await keys.press("Tab")
                seen.append(await keys.value(FOCUS))
                rings.add(await keys.value(RING))
            return present, seen, rings

    present, seen, rings = asyncio.run(walk())
    assert len(present) > 50
    assert seen == present
    assert rings == {"solid"}


@pytest.mark.slow
@needs_browser
def test_every_control_is_worked_by_keys(page: Path) -> None:
    async def focus(keys: Keyboard, selector: str) -> None:
        await keys.value(f"document.querySelector({selector!r}).focus()")

    async def work() -> None:
        async with keyboard(page) as keys:
            for key, is_open in (("Enter", True), (" ", False)):
                await focus(keys, "details.call summary")
                await keys.press(key)
                assert await keys.value("document.querySelector('details.call').open") is is_open
            await focus(keys, "#film-frame")
            for key, step in (("Home", "M-step 100"), ("ArrowRight", "M-step 200")):
                await keys.press(key)
                assert await keys.value(STEP) == step
                assert await keys.value("document.activeElement.ariaValueText") == step
            for key, text in ((" ", "Pause"), ("Enter", "Play")):
                await focus(keys, "#film-play")
                await keys.press(key)
                assert await keys.value("document.activeElement.textContent") == text
            await focus(keys, "#every-trial thead th:nth-child(2) button")
            for key, order in (("Enter", "ascending"), (" ", "descending")):
                await keys.press(key)
                assert (await keys.value(SORTED)).strip(",") == order
            await focus(keys, "#every-trial tbody button")
            for key, count in ((" ", 1), ("Enter", 0)):
                await keys.press(key)
                assert await keys.value(OPEN) == count
            await focus(keys, "#filter")
            for key in "hinge":
                await keys.press(key)
            found = await keys.value("document.getElementById('matches').textContent")
            assert found == "4 of 8 trials"

    asyncio.run(work())
