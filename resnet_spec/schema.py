"""The JSON Schema of the language, for editors."""

from __future__ import annotations

from typing import Any

from resnet_spec.spec import Spec


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a spec file, for editors; what `extends` gives need not be said."""
    schema = Spec.model_json_schema()
    required = schema.pop("required")
    extends = {
        "type": "string",
        "description": "path of the spec that this one changes",
    }
    schema["properties"] = {"extends": extends, **schema["properties"]}
    own = [field for field in ("name", "title") if field in required]
    schema |= {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "if": {"required": ["extends"]},
        "then": {"required": own},
        "else": {"required": required},
    }
    return schema
