"""The state dict among what training scripts keep beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from resnet_spec.weights.stored import WeightsError

WRAPPERS = (
    *("state_dict", "model_state_dict", "model", "model_state", "network", "net"),
    *("blobs", "params"),
)
"""Keys of the network that was trained, of several mappings with tensors the first of these.

An average of its weights lies beside it, under `state_dict_ema` and the like, and what teaches
beside what learns: those are taken where they are asked for.
"""
WANTED = {
    "teacher",  # DINO
    "encoder_q",  # MoCo
    "online_network",  # BYOL
    "online_encoder",
    "base_encoder",  # MoCo v3
    *("ema", "ema_model", "model_ema"),
}
"""Of several networks in a file, those that people mostly want."""
QUANTIZED = "_packed_params"  # torch's quantized modules have that beside tensors
DEEP = 6  # mappings in one another that may lie around a state dict


class Unwrapped(NamedTuple):
    """A state dict, the keys that it lay under, and the other keys that have tensors there."""

    tensors: dict[str, Any]
    inside: tuple[str, ...]
    beside: tuple[str, ...]


def unwrapped(found: Mapping[Any, Any], file: str, key: str | None = None) -> Unwrapped:
    """The state dict in a mapping, under the key where one is given.

    `file` is what a message begins with. Raises WeightsError where there is none, or several.
    """
    inside: list[str] = []
    beside: list[str] = []
    seen: list[int] = []
    while others := [k for k, value in found.items() if not is_tensor(value)]:
        if any(QUANTIZED in str(other) for other in others):
            subject = file or "the weights are "
            raise WeightsError(f"{subject}quantized; load those of the float network")
        seen.append(id(found))
        inner = [
            each
            for each, value in found.items()
            if id(value) not in seen and _has_tensors(value)
        ]
        chosen = [
            each for each in inner if key in (each, ".".join([*inside, str(each)]))
        ]
        chosen = chosen or [each for each in WRAPPERS if each in inner][:1] or inner
        if len(chosen) != 1:
            said = f"{file}not a state dict: {others[0]!r} is no tensor"
            if inner:
                wanted = next((each for each in inner if each in WANTED), inner[0])
                said += f"; it has several, {', '.join(map(repr, inner))}: "
                said += f"key={wanted!r} takes that one"
            raise WeightsError(said)
        beside += [str(k) for k in inner if k != chosen[0] and _is_state_dict(found[k])]
        inside += map(str, chosen)
        found = found[chosen[0]]
    if key and key not in {*inside, ".".join(inside)}:
        has = f"; tensors lie under {', '.join(inside)}" if inside else ""
        subject = file or "the weights are "
        raise WeightsError(f"{subject}without a state dict under {key!r}{has}")
    return Unwrapped(
        {str(k): value for k, value in found.items()}, (*inside,), (*beside,)
    )


def is_tensor(value: Any) -> bool:
    return hasattr(value, "shape") and hasattr(value, "dtype")


def _is_state_dict(value: Mapping[Any, Any]) -> bool:
    return all(map(is_tensor, value.values()))


def _has_tensors(value: Any, deep: int = DEEP, seen: set[int] | None = None) -> bool:
    """Whether it is a state dict, or has one in it; what was looked at once is not again."""
    seen = set() if seen is None else seen
    if not isinstance(value, Mapping) or not value or not deep or id(value) in seen:
        return False
    seen.add(id(value))
    named = all(isinstance(key, str) for key in value)
    return named and any(
        is_tensor(v) or _has_tensors(v, deep - 1, seen) for v in value.values()
    )
