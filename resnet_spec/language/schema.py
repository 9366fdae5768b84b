"""The JSON Schema of the language, for editors."""

from __future__ import annotations

from typing import Any

from resnet_spec.language.fields import Spec


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a spec file: a whole one, or one that extends another.

    What `extends` gives need not be said again, and null takes it away.
    """
    whole = Spec.model_json_schema(ref_template="#/$defs/{model}")
    models = whole.pop("$defs")
    lists = ["depths", "widths"]
    whole["required"] = [key for key in whole["required"] if key not in lists]
    whole["if"] = {"required": ["stages"]}
    whole["then"] = {"properties": dict.fromkeys((*lists, "group_width"), False)}
    whole["else"] = {"required": lists}
    partial = _partial(whole)
    partial["required"] = ["extends", "name", "title"]
    extends = {
        "type": "string",
        "description": "path of the spec that this one changes",
    }
    partial["properties"] = {"extends": extends, **partial["properties"]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Spec",
        "if": {"required": ["extends"]},
        "then": {"$ref": "#/$defs/Extending"},
        "else": {"$ref": "#/$defs/Whole"},
        "$defs": {
            "Whole": whole,
            "Extending": partial,
            **models,
            **{f"Extending{name}": _partial(model) for name, model in models.items()},
        },
    }


def _partial(model: dict[str, Any]) -> dict[str, Any]:
    """The model with no key required and null allowed for each."""
    properties = {
        name: {
            "anyOf": [_renamed(schema), {"type": "null"}],
            "description": schema["description"],
        }
        for name, schema in model["properties"].items()
    }
    own = ("required", "if", "then", "else", "properties")
    kept = {k: v for k, v in model.items() if k not in own}
    return {**kept, "properties": properties}


def _renamed(schema: Any) -> Any:
    """The schema with references to the partial models."""
    if isinstance(schema, dict):
        return {
            k: v.replace("/$defs/", "/$defs/Extending") if k == "$ref" else _renamed(v)
            for k, v in schema.items()
        }
    return [_renamed(item) for item in schema] if isinstance(schema, list) else schema
