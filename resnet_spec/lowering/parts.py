"""How `lower` writes ops: each part is made on the shape that the part before it leaves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

from resnet_spec.catalog import ACTIVATIONS
from resnet_spec.language.fields import Spec
from resnet_spec.language.plan import StagePlan
from resnet_spec.language.values import Function, both_of
from resnet_spec.network import (
    Activation,
    BareEvoNormS0a,
    BareFilterResponseNorm,
    BatchNorm,
    BlurPool2d,
    Chain,
    ChannelAffine,
    Condition,
    Conv,
    EvoNormS0,
    EvoNormS0a,
    FilterResponseNorm,
    FrozenBatchNorm2d,
    GroupNorm,
    InstanceBatchNorm2d,
    InstanceNorm,
    LayerNorm2d,
    Norm,
    Number,
    Op,
    Pair,
    PReLU,
    Quotient,
    Scalar,
    Scale,
    Shape,
    StdConv2d,
    Stride,
)

Part = Callable[[Shape], Op]
ANY = Shape(Number(1), 1, 1)  # a map of channels that are given later


def chain(x: Shape, *parts: Part) -> Chain:
    """The ops of the parts, from an input of shape `x` on."""
    ops: list[Op] = []
    for part in parts:
        op = part(x)
        ops.append(op)
        x = op.output if op.active else x
    return tuple(ops)


def where(when: Condition, part: Part) -> Part:
    """The part where the condition holds, the identity elsewhere."""
    return lambda x: part(x).replace(when=when)


def numbered(path: str, *parts: Part) -> list[Part]:
    """The parts as the members of one Sequential: `conv1.0`, `conv1.1` ..."""
    return [at(f"{path}.{i}", part) for i, part in enumerate(parts)]


def at(path: str, part: Part) -> Part:
    """The part with its module at that path."""
    return lambda x: part(x).replace(path=path)


def biased(ops: Chain, asked: str, projects: bool = False) -> Chain:
    """The ops, those convolutions with a bias of which `conv_bias` says so.

    A norm takes a bias away, also one that was scaled or added to before.
    """

    def has(behind: Chain) -> bool:
        if asked == "unnormalized":
            others = (op for op in behind if not isinstance(op, (Scale, Scalar)))
            return not isinstance(next(others, None), Norm)
        return asked == "all" or (asked == "projection" and projects)

    return tuple(
        op.replace(bias=True) if isinstance(op, Conv) and has(ops[i:]) else op
        for i, op in enumerate(ops, 1)
    )


def apart(*chains: Chain) -> Iterator[Chain]:
    """The chains of a block, where modules with weights of one path are numbered.

    What learns nothing may be shared: one `relu`, but `prelu1` and `prelu2`, and one number
    for each slope of `leaky_relu`.
    """
    every = [op for ops in chains for op in ops]
    functions = {(op.path, op.arguments) for op in every if isinstance(op, Activation)}
    several = Counter(path for path, _ in functions)
    counts = Counter(op.path for op in every if op.tensors or several[op.path] > 1)
    nth: Counter[str] = Counter()

    def named(op: Op) -> Op:
        nth[op.path] += 1
        return (
            op.replace(path=f"{op.path}{nth[op.path]}") if counts[op.path] > 1 else op
        )

    for ops in chains:
        yield tuple(map(named, ops))


def aside(*chains: Chain, summed: Chain = ()) -> tuple[Chain, ...]:
    """The chains, and what follows a sum, with activations in place only where that is safe.

    What a convolution, a norm, a scalar or a sum gives is theirs to overwrite; anything else
    may be read by a shortcut, or be needed for a gradient.
    """
    pairs = [pair for ops in chains for pair in pairwise((None, *ops))]
    pairs += pairwise(summed)
    shared = {
        op.path
        for before, op in pairs
        if isinstance(op, Activation)
        and not isinstance(before, (Conv, Norm, Scalar, Scale))
    }

    def kept(op: Op) -> Op:
        return not_in_place(op) if op.path in shared else op

    return tuple(tuple(map(kept, ops)) for ops in (*chains, summed))


def activation(name: str, number: float | None = None) -> Callable[[Shape], Activation]:
    """The function, by a module of its name."""
    entry, made = ACTIVATIONS[name], LEARNED.get(name, Activation)
    given = {entry.number: number} if entry.number else {}
    arguments = tuple({**given, **entry.arguments}.items())
    return lambda x: made(
        path=name, input=x, function=name, kind=entry.module, arguments=arguments
    )


def strided(said: int | str) -> Stride:
    """A stride as a spec writes it, which has no name."""
    return said if isinstance(said, int) else Pair(*both_of(said))


def flat(values: Any) -> Iterator[Any]:
    """What a field says of each stage, and in a list within of each block."""
    if isinstance(values, tuple):
        for each in values:
            yield from flat(each)
    else:
        yield values


def not_in_place(op: Op) -> Op:
    """The op; an activation with what it reads left as it is."""
    if not isinstance(op, Activation):
        return op
    arguments = tuple(pair for pair in op.arguments if pair[0] != "inplace")
    return op.replace(arguments=arguments)


def rounded(value: float, divisor: int, least: int = 0) -> int:
    """The nearest multiple of `divisor`, at least one of it (timm 1.0's `make_divisible`).

    >>> rounded(19, 8), rounded(20, 8), rounded(1, 8), rounded(1, 8, least=32)
    (16, 24, 8, 32)
    """
    nearest = int(value + divisor / 2) // divisor * divisor
    return max(nearest, divisor, least)


class Parts(NamedTuple):
    """The convolutions, norms and activations of a stage's blocks, or of stem and head."""

    stage: StagePlan
    of_block: bool = False

    @property
    def spec(self) -> Spec:
        return self.stage.spec

    def conv(
        self,
        path: str,
        out_channels: int,
        kernel: int,
        stride: Stride = 1,
        **window: int,
    ) -> Part:
        """A convolution, padded so that at stride 1 it keeps height and width.

        `window` may have a dilation, groups, a bias, and a padding of its own.
        """
        dilation = window.get("dilation", 1)
        padding = dilation if kernel == 3 else kernel // 2

        def made(x: Shape) -> Op:
            plain = Conv(
                path=path,
                input=x,
                out_channels=out_channels,
                kernel=kernel,
                stride=stride,
                padding=window.get("padding", padding),
                dilation=dilation,
                groups=window.get("groups", 1),
                bias=bool(window.get("bias")),
            )
            standard = self.spec.standardization
            return _standardized(plain, standard.eps) if standard else plain

        return made

    def blur(self, path: str, stride: Stride = 2) -> Part:
        """A blur that strides, of as many taps as the spec says."""
        taps = self.spec.blur_taps
        return lambda x: BlurPool2d(path=path, input=x, taps=taps, stride=stride)

    def norm(self, path: str, zero: bool = False) -> tuple[Part, ...]:
        """The norm, of weight zero at the start where asked; nothing where there is none.

        One that is its own activation stands here without it.
        """
        return self.norm_of(self.kind(path), path, zero, bare=True)

    def norm_of(
        self, kind: str, path: str, zero: bool = False, bare: bool = False
    ) -> tuple[Part, ...]:
        """A norm of that kind; where it is its own activation, `bare` without that."""
        if kind == "none":
            return ()
        made, fields = (BARE if bare and kind in BARE else NORMS)[kind]
        settings = {field: getattr(self.spec.norm, field) for field in fields}
        per_group = self.spec.norm.channels_per_group

        def part(x: Shape) -> Op:
            own = dict(settings)
            if per_group and "groups" in fields:
                own["groups"] = Quotient(x.channels, per_group)
            return made(path=path, input=x, zero=zero, **own)

        return (part,)

    def kind(self, path: str) -> str:
        """The kind of the norm there; those of IBN-Net are batch norms in most places."""
        kind = self.stage.norm
        if kind == "ibn_a" and not (self.of_block and path == self.name(1)):
            return "batch"
        if kind == "ibn_b":
            return "batch" if self.of_block else "instance_affine"
        return kind

    def activation(self, function: Function | None = None) -> Part:
        """The stage's function or that one."""
        return activation(*(function or self.stage.activation))

    def norm_act(self, path: str, zero: bool = False) -> tuple[Part, ...]:
        """Norm and activation, which some norms are by themselves."""
        if self.fuses:
            return self.norm_of(self.stage.norm, path, zero)
        return (*self.norm(path, zero), self.activation())

    @property
    def fuses(self) -> bool:
        """Whether the norm is its own activation, where one follows."""
        return self.stage.norm in BARE

    def name(self, number: int, kind: str = "") -> str:
        """What the norm of that number is called: torchvision's `bn1` where it is one."""
        batch = (kind or self.stage.norm) in ("batch", "frozen", "ibn_a", "ibn_b")
        return f"bn{number}" if batch and not self.spec.preact else f"norm{number}"


def _standardized(conv: Conv, eps: float) -> StdConv2d:
    return StdConv2d(**conv.values(), eps=eps)


NORMS: dict[str, tuple[Callable[..., Op], tuple[str, ...]]] = {
    "batch": (BatchNorm, ("eps", "momentum")),
    "frozen": (FrozenBatchNorm2d, ("eps",)),
    "group": (GroupNorm, ("eps", "groups")),
    "evonorm_s0": (EvoNormS0, ("eps", "groups")),
    "evonorm_s0a": (EvoNormS0a, ("eps", "groups")),
    "frn": (FilterResponseNorm, ("eps",)),
    "instance": (partial(InstanceNorm, affine=False), ("eps",)),
    "instance_affine": (partial(InstanceNorm, affine=True), ("eps",)),
    "layer": (LayerNorm2d, ("eps",)),
    "ibn_a": (InstanceBatchNorm2d, ("eps", "momentum")),
}
"""The op of each norm, and the settings of the spec that it has."""

BARE: dict[str, tuple[Callable[..., Op], tuple[str, ...]]] = {
    "evonorm_s0": (ChannelAffine, ()),
    "evonorm_s0a": (BareEvoNormS0a, ("eps", "groups")),
    "frn": (BareFilterResponseNorm, ("eps",)),
}
"""What those that are their own activation are without it (timm 1.0's `apply_act=False`)."""

LEARNED = {"prelu": PReLU}
"""The op of each activation that has weights."""
