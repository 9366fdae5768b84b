"""Spec -> the form that all specs of the same network have in common, and its digest."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from resnet_spec.rows import PER_STAGE, rows
from resnet_spec.spec import Spec


def canonical(spec: Spec) -> dict[str, Any]:
    """What the network is built from: two specs that say the same have the same.

    Defaults are filled in, per-stage fields have one entry per stage, claims are left out.
    """
    data = spec.model_dump(mode="json", exclude={*PER_STAGE.values(), "expect"})
    stages = [{name: getattr(row, name) for name in PER_STAGE} for row in rows(spec)]
    return {**data, "stages": stages}


def digest(spec: Spec) -> str:
    """Twelve hexadecimal digits of the SHA-256 of the canonical form."""
    text = json.dumps(canonical(spec), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
