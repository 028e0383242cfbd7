"""Sphinx builds these pages and the API reference: `make docs`, into build/docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

project = "ganstudy"
author = "the authors of ganstudy"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "alabaster"
html_theme_options = {"description": "Which GAN objective, and why?", "page_width": "1100px"}
html_copy_source = False
default_role = "code"
html_show_copyright = False
# Sphinx has a page of that name of its own; ours is included by searching.md.
exclude_patterns = ["search.md", "decisions/README.md"]
autodoc_type_aliases = {"Panels": "Panels"}
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True}
python_display_short_literal_types = True
# Pages link to files of the repository, which are no pages.
suppress_warnings = ["myst.xref_missing"]

FIELD = re.compile(r"^([\w<>`]+(?: [a-z]+)?) {2,}(\S.*)$")
"""`Maths   a text`, as in all docstrings: a word, two spaces or more, and what it says."""


def as_fields(app: Any, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Turn the labelled lines of a docstring into fields, and its signs into text."""
    lines[:] = list(_converted(lines))


def _converted(lines: list[str]) -> Iterator[str]:
    within = False
    for line in lines:
        field = FIELD.match(line)
        if field:
            yield from () if within else ("",)
            yield f":{field[1]}: {_escaped(field[2])}"
            within = True
        else:
            if within and line and not line.startswith(" "):
                yield ""
                within = False
            yield _escaped(line)


def _escaped(line: str) -> str:
    """What rST would read as markup outside of code; formulas as code."""
    parts = re.split(r"(`[^`]*`|\$[^$]*\$)", line)
    for place, part in enumerate(parts):
        if part.startswith("$"):
            parts[place] = f"`{part[1:-1]}`"
        elif not part.startswith("`"):
            parts[place] = re.sub(r"([*|\\]|_(?!\w))", r"\\\1", part)
    return "".join(parts)


def plain_headings(app: Any, page: str, source: list[str]) -> None:
    """Links in headings as text: Sphinx cannot have them in a table of contents."""
    link = re.compile(r"\[([^\]]+)\]\([^)]*\)")
    lines = source[0].splitlines()
    source[0] = "\n".join(link.sub(r"\1", x) if x.startswith("#") else x for x in lines)


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("source-read", plain_headings)
    app.connect("autodoc-process-docstring", as_fields)
