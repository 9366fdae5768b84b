"""Floating-point operations of a training step, as torch counts them."""

from __future__ import annotations

from resnet_spec.expansion import Call, expand
from resnet_spec.network import Network


def step_flops(network: Network) -> int:
    """What `torch.utils.flop_counter` counts, for one image, in a forward and backward pass.

    Two for each multiply-add: forward, for the gradient of the input where that has one, and
    for that of the weights. There torch takes a grouped convolution for a dense one.
    """
    return _both(expand(network), False, {})[0]


Known = dict[tuple[int, bool], tuple[int, bool]]


def _both(call: Call, learns: bool, known: Known) -> tuple[int, bool]:
    """The operations of a call, and whether its output has a gradient if its input has one."""
    if (id(call), learns) in known:
        return known[id(call), learns]
    own = any(tensor.learns for tensor in call.tensors)
    values, total = [learns], 0
    for step in call.steps:
        reads = [values[read] for read in step.reads]
        if step.call.once:
            values.append(own)
            continue
        if step.call.in_training:
            values.append(any(reads))
            continue
        if step.call.steps:
            flops, gives = _both(step.call, reads[0], known)
        else:
            flops, gives = _one(step.call, reads)
        total += flops
        values.append(gives)
    known[id(call), learns] = found = total, (values[-1] or own)
    return found


def _one(call: Call, reads: list[bool]) -> tuple[int, bool]:
    """The operations of one function, given which of what it reads have a gradient."""
    own = any(tensor.learns for tensor in call.tensors)
    if call.function not in ("conv1d", "conv2d", "linear", "matmul"):
        return 0, own or any(reads)
    forward = 2 * call.macs
    total = forward * (1 + reads[0])
    if own or any(reads[1:]):
        total += forward * call.groups
    return total, own or any(reads)
