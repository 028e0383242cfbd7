"""Pages in headless Chromium: what a script at their end finds."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

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
