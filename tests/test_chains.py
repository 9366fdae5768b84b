"""Blocks of one's own: what ships, said as chains, is the same network, and others are what
plain torch says they are."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from resnet_spec import SpecError, build, digests, load, render
from resnet_spec.compare.equality import verify
from resnet_spec.network import Network
from tests.models import rendered

Fields = dict[str, Any]
OWN = sorted(Path("specs/own").glob("*.yaml"))
CONV: Fields = {"conv": 3, "stride": "block", "dilation": "block"}
BASIC = [CONV, "norm", "activation", {"conv": 3, "dilation": "block"}, "norm"]
WIDE = {**CONV, "groups": "block"}
BOTTLENECK = [{"conv": 1}, "norm", "activation", WIDE, "norm", "activation"]
LAST = [{"conv": 1}, "norm"]
NORM_ACT = ["norm", "activation"]
AVERAGED = [{"pool": "avg", "stride": "block"}, {"conv": 1}, "norm"]


def own(body: list[Any]) -> Fields:
    return {"block": {"name": "Own", "body": body}}


def four(body: list[Any]) -> Fields:
    """In place of bottlenecks, of whose fields `stride_on` is no longer read."""
    return {**own(body), "stride_on": None}


SHIPPED: dict[str, Fields] = {
    "resnet18": own(BASIC),
    "resnet50": four([*BOTTLENECK, *LAST]),
    "resnext50_32x4d": four([*BOTTLENECK, *LAST]),
    "seresnet50": four([*BOTTLENECK, *LAST, "attention"]),
    "resnet50d": {**four([*BOTTLENECK, *LAST]), "shortcut": AVERAGED},
    "wide_resnet50_2": four([*BOTTLENECK, *LAST]),
    "v1/resnet50_v1": four(
        [
            {"conv": 1, "stride": "block"},
            *BOTTLENECK[1:3],
            {"conv": 3},
            *BOTTLENECK[4:],
            *LAST,
        ]
    ),
    "fcn_resnet50_backbone": four([*BOTTLENECK, *LAST]),
    "res2net50_26w_4s": four(
        [{"conv": 1, "to": "width * 4"}, "norm", "activation", "spatial", *LAST]
    ),
    "skresnet50": four([*BOTTLENECK[:3], "spatial", *LAST]),
    "resnest50d": four([*BOTTLENECK[:3], "spatial", *LAST]) | {"shortcut": AVERAGED},
}
"""Networks that ship, and the same by chains."""


@pytest.mark.parametrize("spec", SHIPPED)
def test_what_ships_is_such_chains(spec: str) -> None:
    said = load(spec, SHIPPED[spec]).network
    assert digests(said).function == digests(load(spec).network).function


@pytest.mark.parametrize(
    "spec", ["resnet18", "resnet50", "resnext50_32x4d", "seresnet50"]
)
def test_with_the_names_of_what_ships(spec: str) -> None:
    said, shipped = load(spec, SHIPPED[spec]).network, load(spec).network
    assert [name for name, _ in said.tensors()] == [
        name for name, _ in shipped.tensors()
    ]


def proved(network: Network) -> str:
    """The source in one line, which is shown to equal what is built."""
    source = render(network)
    assert verify(network, source) == []
    return " ".join(source.split())


@pytest.mark.parametrize(
    ("spec", "fields", "printed"),
    [
        (
            "resnet18",
            {"dilations": [1, 1, 2, 4], "strides": [1, 2, 1, 1]}
            | {"dilation_from": "previous", "depths": [1, 1, 2, 1]},
            "width=256, blocks=2, stride=1, previous_dilation=1, dilation=2",
        ),
        (
            "resnet50",
            {"groups": [1, 2, 4, 8], "depths": [1] * 4},
            "width=128, groups=2, stride=2",
        ),
    ],
    ids=["dilations", "groups"],
)
def test_what_varies_by_stage_does_so_in_chains(
    spec: str, fields: Fields, printed: str
) -> None:
    said = load(spec, {**SHIPPED[spec], **fields}).network
    assert digests(said).function == digests(load(spec, fields).network).function
    assert printed in proved(said)


@pytest.mark.parametrize("spec", OWN, ids=lambda path: path.stem)
def test_explained_it_gives_the_same_bytes(spec: Path, tmp_path: Path) -> None:
    from resnet_spec.language.explanation import explain

    compiled = load(spec)
    plain = tmp_path / spec.name
    plain.write_text(
        explain(compiled.source, compiled.plan, plain=True), encoding="utf-8"
    )
    again = load(plain)
    assert render(again.network) == render(compiled.network)
    assert explain(again.source, again.plan, plain=True) == plain.read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("spec", OWN, ids=lambda path: path.stem)
def test_it_is_said_in_twelve_lines(spec: Path) -> None:
    data = spec.read_text(encoding="utf-8").split("block:")[1].split("\n")
    inside = [line for line in data[1:] if line.startswith("  ")]
    assert len(inside) + 1 <= 12


# --- by plain torch -----------------------------------------------------------------------


class Weights:
    """The weights of one block of ours, in order, for a formula in plain torch."""

    def __init__(self, block: nn.Module) -> None:
        self.block = block

    def conv(self, name: str, x: Tensor, stride: int = 1, each: bool = False) -> Tensor:
        made = self.block.get_submodule(name)
        weight, bias = made.weight, made.bias
        padding = weight.shape[-1] // 2
        groups = x.shape[1] if each else 1
        return F.conv2d(x, weight, bias, stride, padding, 1, groups)

    def norm(self, name: str, x: Tensor) -> Tensor:
        made = self.block.get_submodule(name)
        mean, var = (
            x.mean((0, 2, 3), keepdim=True),
            x.var((0, 2, 3), False, keepdim=True),
        )
        scale, shift = made.weight[:, None, None], made.bias[:, None, None]
        return (x - mean) / (var + 1e-5).sqrt() * scale + shift


def inverted(w: Weights, x: Tensor, stride: int) -> Tensor:
    y = F.relu6(w.norm("bn1", w.conv("conv1", x)))
    y = F.relu6(w.norm("bn2", w.conv("conv2", y, stride, each=True)))
    y = w.norm("bn3", w.conv("conv3", y))
    if getattr(w.block, "downsample", None) is not None:
        x = w.norm(
            "downsample.1", F.conv2d(x, w.block.downsample[0].weight, None, stride)
        )
    return y + x


def iresnet(w: Weights, x: Tensor, stride: int) -> Tensor:
    y = w.norm("bn2", w.conv("conv1", w.norm("bn1", x)))
    y = torch.where(y > 0, y, y * w.block.prelu.weight[:, None, None])
    y = w.norm("bn3", w.conv("conv2", y, stride))
    if getattr(w.block, "downsample", None) is not None:
        x = w.norm(
            "downsample.1", F.conv2d(x, w.block.downsample[0].weight, None, stride)
        )
    return y + x


def pyramid(w: Weights, x: Tensor, stride: int) -> Tensor:
    y = F.relu(w.norm("bn2", w.conv("conv1", w.norm("bn1", x), stride)))
    y = w.norm("bn3", w.conv("conv2", y))
    if x.shape != y.shape:
        x = F.avg_pool2d(x, stride, ceil_mode=True)
        x = torch.cat(
            [x, x.new_zeros(*x.shape[:1], y.shape[1] - x.shape[1], *x.shape[2:])], 1
        )
    return y + x


def edsr(w: Weights, x: Tensor, _: int) -> Tensor:
    return x + w.conv("conv2", F.relu(w.conv("conv1", x)))


FORMULAS: dict[str, Callable[[Weights, Tensor, int], Tensor]] = {
    "inverted_residual": inverted,
    "iresnet18": iresnet,
    "pyramidnet": pyramid,
    "edsr_trunk": edsr,
}


@pytest.mark.parametrize("spec", FORMULAS)
def test_it_is_what_plain_torch_says(spec: str) -> None:
    """The first blocks of two stages in training, on maps of an odd size."""
    torch.manual_seed(0)
    compiled = load(f"specs/own/{spec}.yaml")
    built, generated = (
        build(compiled.network),
        rendered(compiled.network),
    )
    generated.load_state_dict(built.state_dict())
    for model in (built.double(), generated.double()):
        for stage in compiled.network.stages[:2]:
            for i, made in list(enumerate(stage.blocks))[:2]:
                block = model.get_submodule(f"{stage.name}.{i}")
                for parameter in block.parameters():
                    nn.init.normal_(parameter, std=0.3)
                x = torch.randn(2, int(made.input.channels), 9, 7, dtype=torch.float64)
                stride = int(made.numbers["stride"])
                expected = FORMULAS[spec](Weights(block.train()), x, stride)
                assert torch.allclose(block(x), expected, atol=1e-12)


def test_no_activation_overwrites_what_the_shortcut_reads() -> None:
    """Nor the block's input, in a body, before it, or in the shortcut itself."""
    torch.manual_seed(0)
    steps: Fields = {"name": "Own", "pre": ["activation"]}
    steps["body"] = ["activation", {"conv": 3, "stride": "block"}, {"conv": 1}]
    chain = ["activation", {"conv": 1, "stride": "block"}]
    network = load(
        "resnet18", {"block": {**steps, "post": []}, "shortcut": chain}
    ).network
    made = build(network), rendered(network)
    for model in made:
        for path in ("layer1.0", "layer2.0"):
            block = model.get_submodule(path)
            x = torch.randn(2, 64, 9, 7) + 0.0
            given, w = x.clone(), Weights(block)
            y = w.conv("conv2", w.conv("conv1", F.relu(x), 1 + (path == "layer2.0")))
            if path == "layer2.0":
                x = F.conv2d(
                    F.relu(x), block.get_submodule("downsample.1").weight, None, 2
                )
            assert torch.allclose(block(given), y + x, atol=1e-5)


# --- scalars --------------------------------------------------------------------------------


def started(*steps: Fields, **fields: Any) -> Network:
    """ResNet-18 of one block a stage, whose bodies end so."""
    fields |= {"depths": [1] * 4, "widths": [8, 16, 16, 16]}
    return load("resnet18", {**own([*BASIC, *steps]), **fields}).network


def both(network: Network) -> list[nn.Module]:
    return [build(network), rendered(network)]


def test_scalars_start_as_the_spec_says_and_are_tensors_of_one_number() -> None:
    network = started(
        *({"scalar_multiplier": 0.5}, {"scalar_bias": -2}, {"scale": 0.25}),
        *({"scalar_multiplier": 1}, {"scalar_bias": 0}),
    )
    starts = {"multiplier1.weight": 0.5, "multiplier2.weight": 1.0}
    starts |= {"bias1.bias": -2.0, "bias2.bias": 0.0}
    for model in both(network):
        block = model.get_submodule("layer2.0")
        found = {n: p for n, p in block.named_parameters() if p.shape == (1,)}
        assert {name: p.item() for name, p in found.items()} == starts
        x = torch.randn(2, 8, 9, 7)
        first = block.get_submodule("bn1")(block.get_submodule("conv1")(x)).relu()
        y = block.get_submodule("bn2")(block.get_submodule("conv2")(first))
        y = (y * 0.5 - 2) * 0.25 + block.get_submodule("downsample")(x)
        assert torch.allclose(block(x), y.relu(), atol=1e-6)


def test_where_scalars_start_is_told_from_what_they_compute() -> None:
    zero, one = (digests(started({"scalar_multiplier": start})) for start in (0, 1))
    assert (zero.layout, zero.function, zero.training) == (
        *(one.layout, one.function),
        one.training,
    )
    assert zero.init != one.init
    less, more = (digests(started({"scale": scale})) for scale in (0.1, 0.2))
    assert (less.layout, less.init) == (more.layout, more.init)
    assert less.function != more.function


def test_a_bias_that_a_norm_takes_away_is_none() -> None:
    """Of `conv_bias: unnormalized`, also where scale and scalars are between the two."""
    between = [
        {"conv": 3, "stride": "block"},
        {"scale": 0.5},
        {"scalar_bias": 0},
        "norm",
    ]
    fields = own([*between, {"conv": 3}]) | {"conv_bias": "unnormalized"}
    names = [name for name, _ in load("resnet18", fields).network.tensors()]
    assert "layer1.0.conv2.bias" in names
    assert "layer1.0.conv1.bias" not in names


def test_a_block_whose_multiplier_starts_at_zero_is_its_shortcut_and_learns() -> None:
    torch.manual_seed(0)
    for model in both(load("specs/own/skipinit_wrn16_4.yaml").network):
        x = torch.randn(2, 64, 9, 7)
        assert torch.equal(model.get_submodule("layer1.1")(x), x)
        model(torch.randn(2, 3, 32, 32)).square().mean().backward()
        found = [p for name, p in model.named_parameters() if "multiplier" in name]
        assert len(found) == 6
        assert all(p.grad is not None and p.grad.item() for p in found)


Body = Callable[[Tensor, Tensor], Tensor]
KERNEL = torch.linspace(-1, 1, 9).reshape(1, 1, 3, 3)
STUCK: dict[str, Body] = {
    "no shortcut": lambda x, s: F.conv2d(x, KERNEL, padding=1) * s[0],
    "twice": lambda x, s: x + F.conv2d(x, KERNEL, padding=1) * s[0] * s[1],
    "relu": lambda x, s: (
        x + F.conv2d((F.conv2d(x, KERNEL, padding=1) * s[0]).relu(), KERNEL, padding=1)
    ),
    "post": lambda x, s: (x + F.conv2d(x, KERNEL, padding=1)) * s[0],
}
LEARNS: dict[str, Body] = {
    "last": lambda x, s: (
        x + F.conv2d(F.conv2d(x, KERNEL).relu(), KERNEL, padding=2) * s[0]
    ),
    "silu": lambda x, s: (
        x + F.conv2d(F.silu(F.conv2d(x, KERNEL, padding=1) * s[0]), KERNEL, padding=1)
    ),
}
"""Blocks with a multiplier of zero: those that the rule refuses, and those that it takes."""


@pytest.mark.parametrize("name", [*STUCK, *LEARNS])
def test_what_is_refused_would_never_learn(name: str) -> None:
    """By the gradients of plain torch, in three blocks in a row."""
    torch.manual_seed(0)
    scalars = torch.zeros(3, 2, requires_grad=True)
    x = torch.randn(2, 1, 9, 9)
    for pair in scalars:
        x = {**STUCK, **LEARNS}[name](x, pair)
    x.sum().backward()
    assert scalars.grad is not None
    assert scalars.grad[:, 0].bool().tolist() == [name in LEARNS] * 3


def test_what_learns_is_taken() -> None:
    silu = [CONV, {"scalar_multiplier": 0}, {"activation": "silu"}, {"conv": 3}]
    load("resnet18", own(silu))
    with pytest.raises(SpecError, match="read by a relu"):
        load("resnet18", own([*silu[:2], {"activation": "relu6"}, {"conv": 3}]))
    behind = {"init.zero_last_norm": True, **own([*silu[:2], {"conv": 3}])}
    with pytest.raises(
        SpecError, match="changes nothing"
    ):  # no norm that could be zero
        load("resnet18", behind)
    frn = [*silu[:2], "norm", "activation", {"conv": 3}]  # whose threshold is at zero
    load("resnet18", {**own(frn), "norm.type": "frn"})


STRIDED: Fields = {"conv": 3, "stride": "block"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (["activation", "activation", STRIDED], lambda w, x: w(F.silu(F.silu(x)))),
        (
            [STRIDED, *({"activation": {"leaky_relu": n}} for n in (0.1, 0.5))],
            lambda w, x: F.leaky_relu(F.leaky_relu(w(x), 0.1), 0.5),
        ),
        (
            [{**STRIDED, "to": "width / 4"}, {"pad": "width / 2"}, {"pad": "out"}],
            lambda w, x: F.pad(w(x), (0, 0, 0, 0, 0, 48)),
        ),
        (
            [{"pool": "max", "kernel": 5, "stride": "block"}, {"conv": 1}],
            lambda w, x: w(F.max_pool2d(x, 5, 1, 2)),
        ),
    ],
    ids=["twice", "slopes", "zeros", "window"],
)
def test_what_is_said_twice_is_done_twice(
    body: list[Any], expected: Callable[[nn.Module, Tensor], Tensor]
) -> None:
    """Functions that are not their own square, two of one name, and windows of five."""
    fields = own(body) | {"activation": "silu", "depths": [1] * 4}
    network = load("resnet18", fields).network
    assert not verify(network, render(network))
    for model in (build(network), rendered(network)):
        block, x = model.eval().get_submodule("layer1.0"), torch.randn(2, 64, 9, 7)
        y = F.silu(expected(block.get_submodule("conv1"), x) + x)
        torch.testing.assert_close(block(x), y)


def test_the_first_convolution_alone_has_the_dilation_of_the_stage_before() -> None:
    """Of all that a block has, wherever it stands, and that of its shortcut."""
    five: Fields = {"conv": 5, "dilation": "block"}
    strided, pre, post = {**five, "stride": "block"}, {"pre": [five]}, {"post": [five]}
    own = {"name": "Own", "body": [strided, five], **pre, **post}
    early = {"name": "Early", "body": [strided], **pre, "post": []}
    late = {"name": "Late", "body": [strided], **post}
    fields: Fields = {"block": [own, own, early, late], "shortcut": [CONV]}
    fields |= {"depths": [1, 2, 2, 2], "widths": [8, 16, 24, 32], "conv_bias": "all"}
    fields |= {"dilations": [1, 2, 4, 8], "dilation_from": "previous"}
    network = load("resnet18", {**fields, "strides": [1, 2, 1, 1]}).network
    source = proved(network)
    assert "padding=dilation * 2" in source
    assert "dilation_of_shortcut=dilation_of_shortcut" in source
    for model in both(network):
        convs = {n: m for n, m in model.named_modules() if isinstance(m, nn.Conv2d)}
        assert all(conv.bias is not None for conv in convs.values())
        for stage, spaces in ((2, [1, 2, 2, 2]), (3, [2, 4]), (4, [4, 8])):
            first, second = (
                [convs[f"layer{stage}.{nth}.conv{n}"] for n, _ in enumerate(spaces, 1)]
                for nth in (0, 1)
            )
            assert [conv.dilation[0] for conv in first] == spaces
            assert [conv.padding[0] for conv in first] == [2 * n for n in spaces]
            assert {conv.dilation[0] for conv in second} == {spaces[-1]}
            assert convs[f"layer{stage}.0.downsample"].dilation[0] == spaces[0]


def test_layers_of_others_have_their_own_numbers() -> None:
    """Attention to two numbers of channels, and kernels that read more than they give."""
    twice = [{"conv": 1}, "attention", {**CONV, "to": "out"}, "attention"]
    small: Fields = {"depths": [1] * 4, "widths": [16, 24, 32, 64]}
    network = load("resnet50", {**four(twice), **small, "attention": "se"}).network
    proved(network)
    for model in both(network):
        for n, channels in ((1, 16), (2, 64)):
            se = model.get_submodule(f"layer1.0.se{n}")
            assert se.get_submodule("fc2").out_channels == channels
    wide = [{"conv": 1, "to": "width * 2"}, *NORM_ACT, "spatial", *LAST]
    network = load("skresnet50", {**four(wide), **small}).network
    proved(network)


def test_a_norm_that_is_an_activation_starts_at_zero_too() -> None:
    last = ["norm", "activation", {"conv": 3}, "norm", "activation"]
    zero: Fields = {"norm.type": "frn", "init.zero_last_norm": True}
    network = load(
        "resnet18", {**own([CONV, *last]), **zero, "depths": [1] * 4}
    ).network
    for model in both(network):
        block = model.get_submodule("layer2.0")
        assert block.get_parameter("norm1.weight").all()
        assert not block.get_parameter("norm2.weight").any()


SELECTIVE = {"type": "selective_kernel", "ratio": 0.25, "divisor": 8, "split": False}


@pytest.mark.parametrize(
    ("chain", "said"),
    [
        (
            [{"pool": "max", "kernel": 3, "stride": "block"}, {"conv": 1}],
            "pooled and projected",
        ),
        ([STRIDED, {"conv": 5}, {"norm": "layer"}], "convolved"),
        (
            [{"blur": 3}, {"conv": 3, "stride": "block"}, {"scale": 0.5}],
            "blurred, convolved and scaled",
        ),
        (["spatial"], "changed"),
    ],
)
def test_what_a_shortcut_does_is_said(chain: list[Any], said: str) -> None:
    fields: Fields = {**own(["spatial"]), "spatial": SELECTIVE, "depths": [1] * 4}
    network = load("resnet18", {**fields, "shortcut": chain}).network
    source = proved(network).replace(" # ", " ")
    assert f"the shortcut is {said} to match" in source


def test_a_stage_that_keeps_the_shape_may_lack_the_attention_of_a_shortcut() -> None:
    """It has the class of its sisters, whose shortcut is a chain with attention."""
    chain = [{"conv": 1, "stride": "block"}, "norm", "attention"]
    shortcuts, attention = ["projection", *[chain] * 3], ["none", *["se"] * 3]
    network = load("resnet18", {"shortcut": shortcuts, "attention": attention}).network
    assert verify(network, render(network)) == []
    assert not network.stages[0].blocks[0].branch


def test_blocks_of_two_shortcuts_have_two_names() -> None:
    one: list[Any] = [{"conv": 1, "stride": "block"}, "norm"]
    fields = {"shortcut": ["projection", one, AVERAGED, one], "depths": [1] * 4}
    network = load("resnet18", fields).network
    kinds = [stage.blocks[0].kind for stage in network.stages[1:]]
    assert kinds == ["BasicBlockOwn", "BasicBlockOwn2", "BasicBlockOwn"]
    proved(network)


SMALL_HEAD: Fields = {"depths": [1] * 4, "preact.stem_norm": False}
BARE_OWN: Fields = {"name": "Own", "body": [CONV], "post": []}


def test_a_head_overwrites_no_activation_of_the_last_block() -> None:
    """Which its gradient needs; what a block's sum gives may be overwritten."""
    fields = own([CONV]) | {"norm.type": "none", "preact.final_norm": True}
    network = load("resnet18", fields | SMALL_HEAD).network
    assert not verify(network, render(network))
    bare = load("resnet18", {**fields, **SMALL_HEAD, "block": BARE_OWN}).network
    assert "self.relu = nn.ReLU(inplace=True)" in render(bare)


@pytest.mark.parametrize("spec", OWN, ids=lambda path: path.stem)
def test_built_equals_generated(spec: Path) -> None:
    """Of one block a stage, and small images: neither changes which ops there are."""
    own = load(spec).network
    channels, *sides = map(int, own.image)
    shallow: Fields = {"depths": [1] * len(own.stages)}
    shallow["input"] = [channels, *(min(side, 64) for side in sides)]
    if "convnext" in spec.stem:
        shallow["depths"][1] = 2
    network = load(spec, shallow).network
    assert not verify(network, render(network))


# --- what cannot be added -----------------------------------------------------------------


def test_the_smallest_image_that_fails_is_in_the_message() -> None:
    """By torch: at that size the two shapes differ, and at no smaller one."""
    fields = own([{"conv": 3, "stride": "block"}, "norm"])
    fields["shortcut"] = [{"conv": 1}, "norm"]
    with pytest.raises(
        SpecError, match="for an image of 5 x 5 its body gives 128 x 1 x 1"
    ):
        load("resnet18", fields)
    for size in range(1, 6):
        stem = F.max_pool2d(torch.zeros(1, 1, -(-size // 2), -(-size // 2)), 3, 2, 1)
        body = F.conv2d(stem, torch.zeros(1, 1, 3, 3), None, 2, 1)
        assert (body.shape != stem.shape) == (size == 5)
