"""Weights made to fit: other input channels, norms that were folded into convolutions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor, fx, nn

from resnet_spec.weights.stored import WeightsError

CHANNELS: dict[str, Callable[[Tensor, int], Tensor]] = {
    "sum": lambda w, n: w.sum(1, keepdim=True).expand(-1, n, -1, -1) / n,
    "mean": lambda w, n: w.mean(1, keepdim=True).expand(-1, n, -1, -1),
    "repeat": lambda w, n: (
        w.repeat(1, -(-n // w.shape[1]), 1, 1)[:, :n] * (w.shape[1] / n)
    ),
    "first": lambda w, n: nn.functional.pad(w, (0, 0, 0, 0, 0, max(0, n - w.shape[1])))[
        :, :n
    ],
}
"""How the first convolution's weight (O, I, H, W) becomes one of n input channels.

`sum` shares the sum of all channels among the new ones, so that gray pictures give what they
gave; `mean` gives each their mean; `repeat` takes them by turns, scaled as timm scales them;
`first` keeps the first ones, and new ones start at zero.
"""


def adapted(weight: Tensor, channels: int, rule: str, groups: int = 1) -> Tensor:
    """The weight for so many input channels, by a rule of CHANNELS, in its own dtype.

    Behind a space-to-depth the channels of `groups` pixels lie one after the other.
    """
    out, _, height, width = weight.shape
    wide = weight.reshape(out * groups, -1, height, width).float()
    made = CHANNELS[rule](wide, channels // groups)
    return made.reshape(out, channels, height, width).to(weight.dtype)


def pixels_in_depth(model: nn.Module) -> int:
    """How many pixels' channels the first convolution reads at once."""
    for module in model.modules():
        if type(module).__name__ == "SpaceToDepth":
            size: int = module.size  # type: ignore[assignment]
            return size**2
    return 1


# --- norms that were folded ---------------------------------------------------------------


def norms_behind(model: nn.Module) -> dict[str, str]:
    """The batch norm that alone reads what a convolution without bias gives, by its name."""
    modules = dict(model.named_modules())
    found = {}
    for node in _Tracer().trace(model).nodes:
        (user, *others) = node.users or [None]
        if user is None or others or {node.op, user.op} != {"call_module"}:
            continue
        conv, norm = str(node.target), str(user.target)
        mine, next_one = modules[conv], modules[norm]
        if (
            isinstance(mine, nn.Conv2d)
            and mine.bias is None
            and _is_batch_norm(next_one)
        ):
            found[conv] = norm
    return found


class _Tracer(fx.Tracer):
    """Follows modules down to those that have none in them."""

    def is_leaf_module(self, m: nn.Module, _: str) -> bool:
        return not any(True for _ in m.children())


def _is_batch_norm(module: nn.Module) -> bool:
    return hasattr(module, "running_var") and hasattr(module, "eps")


def identities(
    model: nn.Module, pairs: Mapping[str, str], bias: Mapping[str, Tensor]
) -> Iterator[tuple[str, Tensor]]:
    """The tensors of norms that add the biases of their convolutions, and do nothing else."""
    for conv, norm in pairs.items():
        module = model.get_submodule(norm)
        variance = torch.full_like(bias[conv], 1 - float(module.eps))  # type: ignore[arg-type]
        yield f"{norm}.weight", torch.ones_like(bias[conv])
        yield f"{norm}.bias", bias[conv]
        yield f"{norm}.running_mean", torch.zeros_like(bias[conv])
        yield f"{norm}.running_var", variance
        if f"{norm}.num_batches_tracked" in model.state_dict():
            yield f"{norm}.num_batches_tracked", torch.zeros((), dtype=torch.long)


def refuse_unknown(rule: str | None, folded: str | None) -> None:
    if rule is not None and rule not in CHANNELS:
        raise WeightsError(
            f"channels_by must be one of {', '.join(CHANNELS)}, got {rule}"
        )
    if folded not in (None, "identity"):
        raise WeightsError(f"folded must be identity, got {folded}")
