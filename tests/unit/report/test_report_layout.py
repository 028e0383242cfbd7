"""What is seen of a page: on a narrow screen where there is more, on paper every word."""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from browser import FLAGS, Keyboard, keyboard, needs_browser
from PIL import Image
from unrendered import unrendered

from ganstudy.report import build

WHITE = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 10 3'%3E"
    "%3Crect width='10' height='3' fill='white'/%3E%3C/svg%3E"
)
"""What is drawn in place of each figure, as white as these are."""

WIDER = """JSON.parse(JSON.stringify([...document.querySelectorAll('.scroll, .card')]
    .filter((one) => one.scrollWidth > one.clientWidth + 1)
    .map((one) => [one.getAttribute('aria-label'), one.getBoundingClientRect()])
    .map(([name, box]) => [name, box.right, box.top + 2, box.bottom - 2])))
"""

BROKEN = r"""(() => {
  const broken = [];
  for (const cell of document.querySelectorAll('#every-trial thead th')) {
    const walk = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode())
      for (const word of node.data.matchAll(/[^\s-]+-?/g)) {
        const range = document.createRange();
        range.setStart(node, word.index);
        range.setEnd(node, word.index + word[0].length);
        const lines = new Set([...range.getClientRects()].map((box) => box.top));
        if (cell.checkVisibility() && lines.size > 1) broken.push(word[0]);
      }
  }
  return broken;
})()"""


@pytest.fixture(scope="module")
def page(make_study: Callable[..., xr.Dataset], tmp_path_factory: pytest.TempPathFactory) -> Path:
    axes = {"divergence": ["minimax", "mixture_and_student"], "critic_optimizer": ["a", "b"]}
    ds = make_study(axes, seeds=2, steps=6, samples=9)
    with unrendered():
        built = build(ds, {}, tmp_path_factory.mktemp("run") / "report")
    nothing = "data:image/svg+xml;base64,"
    built.write_text(built.read_text().replace(f'src="{nothing}"', f'src="{WHITE}"'))
    return built


async def wide(keys: Keyboard, pixels: int) -> None:
    """Make the window that wide, and so high that no bar takes from its width."""
    await keys.ask(
        "Emulation.setDeviceMetricsOverride",
        **{"width": pixels, "height": 12000, "deviceScaleFactor": 1, "mobile": False},
    )
    while await keys.value("innerWidth") != pixels:
        await asyncio.sleep(0.05)


async def settled(keys: Keyboard, expression: str) -> Any:
    """What a script finds once it finds the same twice: a page is laid out as its parts arrive."""
    before, now = None, await keys.value(expression)
    while now != before:
        await asyncio.sleep(0.3)
        before, now = now, await keys.value(expression)
    return now


@pytest.mark.slow
@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_goes_on_beyond_a_narrow_screen_has_a_shadow_there(
    page: Path, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where nothing else shows it: pictures are without the bars, as phones are."""
    monkeypatch.setattr("browser.FLAGS", (*FLAGS, "--hide-scrollbars"))

    async def look() -> list[tuple[str, float]]:
        async with keyboard(page) as keys:
            feature = {"name": "prefers-color-scheme", "value": scheme}
            await keys.ask("Emulation.setEmulatedMedia", features=[feature])
            await wide(keys, 390)
            boxes = await settled(keys, WIDER)
            high = await keys.value("document.documentElement.scrollHeight")
            clip = {"x": 0, "y": 0, "width": 390, "height": high, "scale": 1}
            told = await keys.ask(
                "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
            )
            picture = Image.open(io.BytesIO(base64.b64decode(told["data"]))).convert("L")
            seen = np.asarray(picture)
            edges = [
                (name, seen[round(top) : round(bottom), round(right) - 4 : round(right) - 1])
                for name, right, top, bottom in boxes
            ]
            return [(name, float(np.median(edge))) for name, edge in edges]

    found = asyncio.run(look())
    assert len(found) > 5
    # Paper is at 253 or 24 of 255, cards are at 255 or 237.
    light = {"Figure": 225, "Table": 225} if scheme == "light" else {"Figure": 210, "Table": 15}
    assert [name for name, shade in found if shade > light[name.split(":")[0]]] == []


@pytest.mark.slow
@needs_browser
def test_no_heading_of_a_trial_is_broken_within_a_word_on_paper(page: Path) -> None:
    async def look() -> tuple[list[str], int]:
        async with keyboard(page) as keys:
            # A4 without its margins, at 96 pixels to the inch.
            await wide(keys, 688)
            await keys.ask("Emulation.setEmulatedMedia", media="print")
            over = "document.getElementById('every-trial').scrollWidth"
            return await settled(keys, BROKEN), await keys.value(over)

    broken, over = asyncio.run(look())
    assert broken == []
    assert over <= 688


@pytest.mark.slow
@needs_browser
def test_a_table_of_many_columns_reaches_beyond_the_text(page: Path) -> None:
    """On a wide screen, where it would scroll; the page itself never does."""
    wider = "document.querySelector('[aria-label=\"Table: All arms\"] table').style.minWidth"
    scrolls = "[...document.querySelectorAll('[aria-label=\"Table: All arms\"]')].some("
    scrolls += "(one) => one.scrollWidth > one.clientWidth + 1)"

    async def look(pixels: int, table: int) -> tuple[bool, int]:
        async with keyboard(page) as keys:
            await wide(keys, pixels)
            await keys.value(f"{wider} = '{table}px'")
            return await keys.value(scrolls), await keys.value("document.body.scrollWidth")

    assert asyncio.run(look(1200, 1080)) == (False, 1200)
    assert asyncio.run(look(1600, 1280)) == (False, 1600)
