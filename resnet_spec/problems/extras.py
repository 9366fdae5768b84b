"""What only an extra brings."""

from __future__ import annotations

from importlib.util import find_spec


def needs(extra: str, *modules: str) -> None:
    """Raises ImportError, with the command that installs the extra, where one is missing."""
    for module in modules:
        if find_spec(module) is None:
            message = f"this needs {module}: pip install 'resnet-spec[{extra}]'"
            raise ImportError(message)
