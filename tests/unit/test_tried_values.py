"""Values of its floats that a plug-in's member is tried at: those near the ends of its bounds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tiny import at_its_bounds, variants

from ganstudy import divergences, plugins
from ganstudy.plugins import conformance

MEMBER = '''\
from pydantic import Field, field_validator

from ganstudy.divergences import ClassifierDivergence, kullback_leibler


class Own(ClassifierDivergence):
    """Descends alpha KL(q || p).

    Source  this test.
    """

    alpha: float = {field}

    @field_validator("alpha")
    @classmethod
    def even(cls, alpha):
        if alpha == 3:
            raise ValueError("it is odd")
        return alpha

    def generator_loss(self, fake):
        return -(self.alpha * fake).mean(-1)

    def exact(self, laws):
        return {exact}
'''
RIGHT = "self.alpha * kullback_leibler(laws.q, laws.p)"


@pytest.fixture
def path(tmp_path: Path) -> Iterator[Path]:
    """Where a plug-in is written, which is forgotten after the test."""
    yield tmp_path / "own.py"
    plugins.forget()


def _written(path: Path, field: str, exact: str = RIGHT) -> None:
    path.write_text(MEMBER.format(field=field, exact=exact), encoding="utf-8")


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("Field(1.0, gt=0)", [0.1, 10.0]),
        ("Field(1, gt=0)", [0.1, 10.0]),
        ("Field(0.5, ge=0, lt=1)", [0.0, 0.95]),
        ("Field(0.5, gt=0, le=1)", [0.05, 1.0]),
        ("Field(0.0, ge=0)", [1.0]),
        ("Field(-1.0, lt=0)", [-10.0, -0.1]),
        ("2.0", [0.2, 20.0]),
        ("Field(2.0, gt=1, le=3)", [1.1]),
    ],
)
def test_a_float_is_tried_near_both_ends(path: Path, field: str, values: list[float]) -> None:
    """At a bound if that is admitted, and not at what a check of the class refuses."""
    _written(path, field)
    plugins.load(path)
    own = divergences.family["own"]()
    assert own.settings, "kept from now on, beside its values"
    assert [dict(other)["alpha"] for other in at_its_bounds(own)] == pytest.approx(values)


def test_variants_of_a_plugin_keep_to_its_bounds(path: Path) -> None:
    """Fractions of the default were drawn, and a member that refuses them broke a promise."""
    _written(path, "Field(1.0, ge=0.9, le=1.1)")
    plugins.load(path)
    found = variants(divergences.family["own"], 3)
    assert [dict(own)["alpha"] for own in found] == [0.9, 1.1, 1.0]
    mmd = divergences.family["mmd"]
    assert len({repr(own) for own in variants(mmd, 3)}) == 3
    assert at_its_bounds(mmd()) == []


def test_what_defaults_do_not_make_is_refused_in_words(path: Path) -> None:
    """The suites ended as they were collected, and in two thousand characters of pytest."""
    _written(path, "Field(gt=0)")
    told = r"own.py: the suites make own of its defaults, which is refused: alpha: Field required$"
    with pytest.raises(plugins.PluginError, match=told):
        conformance.check(path)


def test_values_that_were_tried_are_told() -> None:
    tried = {"alpha": [1.0, 0.1, 10.0], "beta": [0.5]}
    checked = conformance.Checked(Path("own.py"), "own", "divergences", 90, 0, [], tried)
    (told,) = checked.sentences()
    assert told.endswith("; with alpha = 1, 0.1 or 10 and beta = 0.5 it keeps 90 of 90 promises")


@pytest.mark.slow
def test_check_tries_more_than_defaults(path: Path) -> None:
    """A loss whose exact value was wrong away from its default kept all promises."""
    _written(path, "Field(1, gt=0, description='alpha')", "kullback_leibler(laws.q, laws.p)")
    checked = conformance.check(path)
    assert checked.tried == {"alpha": [1.0, 0.1, 10.0]}
    (promise,) = {one.promise for one in checked.broken}
    assert promise.startswith("generator descends the exact divergence")
    assert {one.where.rpartition(", of ")[2] for one in checked.broken} == {
        "own(alpha=0.1)",
        "own(alpha=10.0)",
    }
