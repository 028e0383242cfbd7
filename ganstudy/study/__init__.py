"""Studies: from the YAML of a question to frozen, validated objects."""

from __future__ import annotations

from ganstudy.study.reading import json_schema, load
from ganstudy.study.study import Axis, Study

__all__ = ["Axis", "Study", "json_schema", "load"]
