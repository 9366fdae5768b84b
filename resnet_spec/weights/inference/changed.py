"""A spec that ships with other fields, as other classes or channels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from resnet_spec.compiler import Compiled, load
from resnet_spec.problems import SpecError, dotted


def changed(spec: str, fields: Mapping[str, Any]) -> tuple[dict[str, Any], Compiled]:
    """The fields, with a null for each that nothing reads any more, and what comes of them.

    So `head.classes: none` also takes away the dropout before the classifier; and a pool of a
    fixed size, of which it was the classifier that needed the size. Raises SpecError.
    """
    asked = dict(fields)
    while True:
        try:
            return asked, load(spec, asked)
        except SpecError as error:
            mended: dict[str, Any] = {
                dotted(p.path): None for p in error.problems if p.about_key
            }
            if any(p.path == ("head", "pool") for p in error.problems):
                mended["head.pool"] = "global"
            if not mended or mended.keys() & asked.keys():
                raise
            asked |= mended
