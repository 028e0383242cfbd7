"""Studies: from the YAML of a question to frozen, validated objects."""

from __future__ import annotations

from ganstudy.study.study import Axis, Study, json_schema, load

__all__ = ["Axis", "Study", "json_schema", "load"]
