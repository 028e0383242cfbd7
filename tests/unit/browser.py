"""Pages in headless Chromium: what a script at their end finds, and what keys do."""

from __future__ import annotations

import asyncio
import html
import json
import re
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import WebSocketClientConnection, websocket_connect

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-quic")

GUARD = (
    "<script>window.onerror = (m) => { document.title = 'ERROR ' + m; };"
    "console.error = (...m) => { document.title = 'ERROR ' + m; };</script>"
)


def with_script(page: Path, script: str, name: str = "acted") -> Path:
    """A copy beside a page, at whose end a script runs; an error becomes the title."""
    source = page.read_text().replace("<style>", GUARD + "<style>", 1)
    copy = page.with_name(f"{name}.html")
    copy.write_text(source.replace("</body>", f"<script>{script}</script></body>"))
    return copy


def opened(page: Path, *flags: str) -> str:
    """The document as it is once its scripts have run; no error has been seen in it."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        shown = subprocess.run(
            [
                *(str(CHROMIUM), *FLAGS, *flags),
                *(f"--user-data-dir={profile}", "--dump-dom", page.as_uri()),
            ],
            capture_output=True,
            text=True,
            check=True,
            timeout=240,
        )
    assert "<title>ERROR" not in shown.stdout
    return shown.stdout


def title(document: str) -> str:
    """The title of a document, where scripts leave what they find."""
    found = re.search(r"<title>(.*?)</title>", document, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


KEYS = {"Tab": 9, "Enter": 13, " ": 32, "Home": 36, "ArrowRight": 39}
"""Keys that are no letters, and their codes."""


class Keyboard:
    """A page and its keys, which arrive as if they were pressed."""

    def __init__(self, socket: WebSocketClientConnection) -> None:
        self.socket = socket
        self.asked = 0

    async def ask(self, method: str, **settings: Any) -> Any:
        """The answer to a command of the DevTools protocol."""
        self.asked += 1
        command = {"id": self.asked, "method": method, "params": settings}
        await self.socket.write_message(json.dumps(command))
        while True:
            told = json.loads(await self.socket.read_message() or "null")
            if told.get("id") == self.asked:
                return told["result"]

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        settings = {"key": key, "code": key.strip() or "Space"}
        codes = {"windowsVirtualKeyCode": KEYS[key]} if key in KEYS else {}
        text = {"Enter": "\r", "Tab": ""}.get(key, key if len(key) == 1 else "")
        down = settings | codes | ({"text": text} if text else {})
        await self.ask("Input.dispatchKeyEvent", type="keyDown", **down)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", **settings, **codes)

    async def value(self, expression: str) -> Any:
        """What a script finds."""
        told = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")


@asynccontextmanager
async def keyboard(page: Path) -> AsyncIterator[Keyboard]:
    """The page in a browser of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        flags = ("--remote-debugging-port=0", f"--user-data-dir={profile}")
        shown = subprocess.Popen(
            [str(CHROMIUM), *FLAGS, *flags, page.as_uri()], stderr=subprocess.DEVNULL
        )
        try:
            where = Path(profile) / "DevToolsActivePort"
            while not where.exists() or not where.read_text():
                assert shown.poll() is None, "the browser has ended"
                await asyncio.sleep(0.1)
            port = where.read_text().split()[0]
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/json") as told:
                (tab,) = (one for one in json.load(told) if one["type"] == "page")
            keys = Keyboard(await websocket_connect(tab["webSocketDebuggerUrl"]))
            try:
                # A tab begins with an empty page, which is complete.
                loaded = f"complete {page.as_uri()}"
                while await keys.value("`${document.readyState} ${location.href}`") != loaded:
                    await asyncio.sleep(0.1)
                yield keys
            finally:
                keys.socket.close()
                while await keys.socket.read_message() is not None:
                    pass
        finally:
            shown.terminate()
            shown.wait()
