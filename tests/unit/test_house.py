"""The laws of the house that a program can check: sizes, names, and what tests may import."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from ganstudy import plugins
from ganstudy.cli import main

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "ganstudy").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

MOST_LINES = {"file": 300, "class": 200, "function": 50}

LARGER: dict[str, str] = {}
"""What is larger than the law allows, and why; nothing is added without a reason."""


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _docstring(node: ast.AST) -> int:
    """Lines of the docstring of a definition, which is its contract and not its code."""
    body = getattr(node, "body", [])
    first = body[0] if body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
        return (first.end_lineno or 0) - first.lineno + 1
    return 0


def _too_large(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8")
    if len(text.splitlines()) > MOST_LINES["file"]:
        yield _name(path)
    for node in ast.walk(ast.parse(text)):
        kind = {ast.ClassDef: "class", ast.FunctionDef: "function"}.get(type(node))
        if kind is None:
            continue
        assert isinstance(node, ast.ClassDef | ast.FunctionDef)
        lines = (node.end_lineno or 0) - node.lineno + 1 - _docstring(node)
        if lines > MOST_LINES[kind]:
            yield f"{_name(path)}:{node.name}"


def test_every_module_can_be_imported() -> None:
    """But for kernels in Triton's language, which is not there without a GPU."""
    modules = [path.relative_to(ROOT).with_suffix("").parts for path in FILES]
    kernels = ("ganstudy", "engine", "gpu_kernels")
    assert kernels in modules
    for parts in modules:
        if parts != kernels:
            import_module(".".join(parts).removesuffix(".__init__"))


def test_every_public_name_is_there() -> None:
    """One that had moved stayed in a list that is unpacked, which no lint sees through."""
    modules = (path.relative_to(ROOT).with_suffix("").parts for path in FILES)
    names = {".".join(own).removesuffix(".__init__") for own in modules}
    found = [import_module(name) for name in names - {"ganstudy.engine.gpu_kernels"}]
    gone = [
        f"{module.__name__}.{name}"
        for module in found
        for name in getattr(module, "__all__", ())
        if not hasattr(module, name)
    ]
    assert gone == []


def _messages(tree: ast.AST) -> Iterator[str]:
    """Texts that are no docstrings, whole, with what is put into them in braces."""
    documented = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    parts = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in ast.walk(tree):
        if id(node) in documented | parts:
            continue
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else _in_braces(part)
                for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _in_braces(part: ast.expr) -> str:
    assert isinstance(part, ast.FormattedValue)
    return f"{{{ast.unparse(part.value)}}}"


def test_commands_in_messages_can_be_pasted() -> None:
    """Whatever a folder is called, with spaces or quotes; and a verb has its run or its study."""
    told = [
        (_name(path), command)
        for path in FILES
        for message in _messages(ast.parse(path.read_text(encoding="utf-8")))
        for command in re.findall(r"`ganstudy ([^`]*)", message)
    ]
    assert len(told) > 15
    values = [(name, own) for name, command in told for own in re.findall(r"{(.*?)}", command)]
    assert [own for own in values if not own[1].startswith(("quote(", "own"))] == []
    alone = sorted(main.commands.keys() - {"list", "schema", "studies"})
    assert [own for own in told if own[1] in alone or "%" in own[1]] == []


def test_no_file_class_or_function_is_larger_than_the_law_allows() -> None:
    """And what is excepted is larger, or it would not have to be."""
    found = {name for path in FILES for name in _too_large(path)}
    assert found - LARGER.keys() == set()
    assert LARGER.keys() - found == set(), "no longer too large: take it off the list"


def test_a_public_name_means_one_class() -> None:
    """But for members, which are named after their files within their family."""
    packages = (import_module(plugins.family(name).package) for name in plugins.FAMILIES)
    folders = {Path(str(package.__file__)).parent for package in packages}
    places: dict[str, list[str]] = defaultdict(list)
    for path in FILES:
        if path.parent in folders and not path.stem.startswith("_"):
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(_name(path))
    twice = {name: own for name, own in places.items() if len(own) > 1}
    assert twice == {}


NAMED_TUPLES = {"_replace", "_asdict", "_fields"}
"""Public in spite of their underscore: Python's own names for what a named tuple does."""


def _is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def _private(tree: ast.AST) -> Iterator[str]:
    """What a test imports, asks of another object or patches that is not for others to see."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Constant) and re.fullmatch(r"ganstudy(\.\w+)+", str(node.value)):
            names = [str(node.value)]
        elif isinstance(node, ast.Attribute) and _is_private(node.attr):
            of_itself = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            names = [] if of_itself or node.attr in NAMED_TUPLES | own else [ast.unparse(node)]
        else:
            continue
        ours = [name for name in names if isinstance(node, ast.Attribute) or name[:8] == "ganstudy"]
        yield from (name for name in ours if any(map(_is_private, name.split("."))))


def test_tests_know_no_private_names() -> None:
    """What begins with an underscore may change without a test having to."""
    known = {_name(path): set(_private(ast.parse(path.read_text("utf-8")))) for path in TESTS}
    assert len(known) > 100
    told = {name: own for name, own in known.items() if own}
    assert told == {}, "test it by what it is for, or make it public"


@pytest.mark.parametrize(
    "text",
    [
        "from ganstudy.metrics._clouds import reference",
        "from ganstudy.store.dataset import _perfect",
        "import ganstudy.metrics._clouds",
        "from ganstudy.metrics import _clouds",
        "metrics.family._plugins.clear()",
        "patch.setattr('ganstudy.schedule.executors.local._STARTS', 2)",
    ],
)
def test_a_private_name_is_found_wherever_it_stands(text: str) -> None:
    assert set(_private(ast.parse(text)))


def test_unit_tests_mirror_the_package() -> None:
    """A folder of theirs is a package of ours, and no test is taken for a library by another."""
    folders = {path.name for path in (ROOT / "tests" / "unit").iterdir() if path.is_dir()}
    packages = {path.parent.name for path in (ROOT / "ganstudy").glob("*/__init__.py")}
    assert folders - {"__pycache__"} <= packages
    # Pytest takes two files of one name for one module.
    twice = {own for own, count in Counter(path.name for path in TESTS).items() if count > 1}
    assert twice <= {"conftest.py"}
    borrowed = re.compile(r"^(from|import) test_", re.MULTILINE)
    assert [_name(path) for path in TESTS if borrowed.search(path.read_text("utf-8"))] == []


def test_what_is_checked_before_a_commit_is_the_lint_of_the_makefile() -> None:
    hooks = YAML(typ="safe").load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    entries = [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    recipe = makefile.partition("\nlint:")[2].partition("\n\n")[0].splitlines()[1:]
    assert entries == [line.strip().replace("$(VENV)", ".venv") for line in recipe]


def test_the_page_for_contributors_has_every_family() -> None:
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = {line.split("|")[1].strip(): line for line in page.splitlines() if line.startswith("|")}
    assert set(plugins.FAMILIES) - rows.keys() == set()


def test_lists_that_the_page_for_contributors_names_are_there() -> None:
    """Those to which a new member is added, each in the file to which its name leads."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    listed = r"`([A-Z]{2,}|_[a-z][a-z_]*)`"
    named = re.findall(listed, page)
    assert len({*named}) > 10
    linked = re.findall(rf"\[{listed}\]\(([^)]+)\)", page)
    assert sorted(name for name, _ in linked) == sorted(named)
    for name, path in linked:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(?:def )?{name}\b(?=[(:]| =)", text, re.MULTILINE), (name, path)


@pytest.mark.parametrize(
    ("family", "page"),
    [
        ("divergences", "objectives"),
        ("constraints", "objectives"),
        ("optimizers", "objectives"),
        ("updates", "objectives"),
        ("targets", "targets"),
        ("metrics", "metrics"),
        ("features", "metrics"),
        ("networks", "networks"),
        ("activations", "networks"),
        ("initialisations", "networks"),
        ("estimators", "objectives"),
        ("search", "search"),
        ("export", "export"),
        ("executors", "clusters"),
        ("kinds", "theory"),
    ],
)
def test_each_member_is_in_the_documentation_of_its_family(family: str, page: str) -> None:
    """As code: any word of a sentence counted, and an executor `here` was documented."""
    text = (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`\n]+)`", text))))
    missing = set(plugins.family(family).names) - named
    assert missing == set(), f"write of them in docs/{page}.md"


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_links_to_files_lead_somewhere() -> None:
    links = [
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    ]
    assert len(links) > 100
    gone = [(_name(page), link) for page, link in links if not (page.parent / link).exists()]
    assert gone == []


NAMED = re.compile(
    r"(?<![\w./-])((?:tests|ganstudy|docs|studies|schedule|engine|store|report|kinds|search)"
    r"/[\w/]+\.(?:py|md|yaml|json|ipynb|j2))\b"
)
"""The path of a file of ours in a text."""


def test_files_that_texts_name_are_there() -> None:
    """Of pages, studies, docstrings and comments; from the root, the package or beside the text."""
    texts = [*PAGES, *(ROOT / "studies").rglob("*.md"), *(ROOT / "studies").rglob("*.yaml")]
    gone = []
    for path in (*texts, *FILES, *TESTS):
        for name in NAMED.findall(path.read_text(encoding="utf-8")):
            if not any((place / name).exists() for place in (ROOT, ROOT / "ganstudy", path.parent)):
                gone.append(f"{_name(path)}: {name}")
    assert gone == []


WORDS = {
    *("arm", "axis", "claim", "configuration", "family", "held out", "interval", "law", "member"),
    *("pack", "parameter", "player", "plug-in", "point", "record", "run", "score", "session"),
    *("setting", "study", "clear", "trial", "worker"),
}
"""Words of the house beside the names of what families hold."""


def test_the_glossary_is_complete() -> None:
    """Each word of the house, and what each family is of, is defined once."""
    page = (ROOT / "docs" / "notation.md").read_text(encoding="utf-8")
    table = page.partition("## Words")[2].partition("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")][1:]
    defined = {word.strip() for row in rows for word in row.split(",")}
    bases = {own.base.__name__.lower() for own in plugins.families().values()}
    assert (WORDS | bases) - defined == set()
    assert len(defined) == sum(len(row.split(",")) for row in rows), "a word has two rows"


def test_version_and_date_are_the_same_wherever_they_stand() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    cited = YAML(typ="safe").load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+) – (\S+)$", changes, re.MULTILINE)
    assert newest is not None
    assert newest[1] == project["version"] == cited["version"]
    assert newest[2] == str(cited["date-released"])


def test_each_entry_of_the_changelog_says_whether_results_change() -> None:
    """By the heading that it stands below; the first version changed none."""
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for version in re.split(r"^## ", changes, flags=re.MULTILINE)[1:]:
        if not version.startswith("0.1.0"):
            before, *groups = re.split(r"^### ", version, flags=re.MULTILINE)
            assert "\n- " not in before
            assert all("change" in group.splitlines()[0] for group in groups)
