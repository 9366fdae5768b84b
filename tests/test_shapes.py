"""The shape theorem, judged by counting and by torch."""

from itertools import product
from math import inf, prod
from typing import NamedTuple

import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from torch.nn import functional as F

from resnet_spec.lowering.parts import chain
from resnet_spec.network import (
    NO_SIZES,
    AvgPool,
    BilinearAttention,
    Block,
    BlurPool2d,
    Chain,
    Conv,
    Flatten,
    GlobalAvgPool,
    Init,
    Lengths,
    Maps,
    MaxPool,
    Multiples,
    Network,
    Op,
    Pair,
    Shape,
    Shortcut,
    Sizes,
    SpaceToDepth,
    Stage,
    Start,
    StdConv2d,
    WholeAvgPool,
    ZeroPad,
)
from resnet_spec.network.shapes import sizes_of

LARGEST = 512


class Window(NamedTuple):
    """A convolution or pool, as numbers."""

    kernel: int
    stride: int | tuple[int, int]  # of both sides, or of height and width
    padding: int
    dilation: int
    ceil: bool = False

    @property
    def strides(self) -> tuple[int, int]:
        same = isinstance(self.stride, int)
        return (self.stride, self.stride) if same else self.stride

    def size(self, length: int, side: int = 0) -> int:
        """torch's documented output size, https://docs.pytorch.org/docs/stable/nn.html"""
        span = length + 2 * self.padding - self.dilation * (self.kernel - 1) - 1
        stride = self.strides[side]
        return (-(-span // stride) if self.ceil else span // stride) + 1

    def part(self, x: Shape) -> Op:
        kind = MaxPool if self.ceil else Conv
        channels = {} if self.ceil else {"out_channels": 8}
        stride = self.stride if isinstance(self.stride, int) else Pair(*self.stride)
        settings = {**self._asdict(), "stride": stride}
        return kind(path="op", input=x, **settings, **channels)


def strides(most: int) -> st.SearchStrategy[int | tuple[int, int]]:
    one = st.integers(1, most)
    return one | st.tuples(one, one)


@st.composite
def windows(draw: st.DrawFn, ceil: bool = False) -> Window:
    kernel, dilation = draw(st.integers(1, 7)), draw(st.integers(1, 3))
    span = dilation * (kernel - 1) + 1
    if ceil:
        padding = draw(st.integers(0, kernel // 2))
        assume(span > padding)
        stride = draw(strides(span - padding))
        return Window(kernel, stride, padding, dilation, ceil=True)
    return Window(kernel, draw(strides(5)), draw(st.integers(0, 9)), dilation)


chains = st.lists(windows() | windows(ceil=True), min_size=1, max_size=3)


@given(windows() | windows(ceil=True), st.integers(1, 70), st.integers(1, 70))
def test_an_op_has_the_size_that_torch_gives(
    window: Window, height: int, width: int
) -> None:
    op = window.part(Shape(8, height, width))
    sizes = [window.size(length, side) for side, length in enumerate((height, width))]
    assert [op.lengths[0](height), op.lengths[1](width)] == sizes
    assume(min(sizes) > 0)
    x = torch.empty(1, 8, height, width, device="meta")
    settings = window._asdict()
    kernel, ceil = settings.pop("kernel"), settings.pop("ceil")
    if ceil:
        y = F.max_pool2d(x, kernel, **settings, ceil_mode=True)
    else:
        weight = torch.empty(8, 8, kernel, kernel, device="meta")
        y = F.conv2d(x, weight, **settings)
    assert op.output == y.shape[1:]


def test_a_last_window_that_torch_drops_is_refused() -> None:
    """It would start in the padding, behind the last pixel."""
    window = Window(2, 2, 1, 1, ceil=True)
    dropped = F.max_pool2d(torch.empty(1, 8, 5, 5), 2, 2, 1, ceil_mode=True)
    assert dropped.shape[-1] < window.size(5)
    with pytest.raises(AssertionError):
        window.part(Shape(8, 5, 5))


@given(chains, st.integers(1, 200))
def test_a_chain_is_one_map_of_lengths(windows: list[Window], length: int) -> None:
    ops = chain(Shape(8, length, length), *(window.part for window in windows))
    at, expected = Maps(), [length, length]
    for op, window in zip(ops, windows, strict=True):
        at = at.then(op.lengths)
        expected = [window.size(each, side) for side, each in enumerate(expected)]
    assert [to(length) for to in at] == expected


def adding(body: Chain, branch: Chain) -> Block:
    return Block(
        kind="Sketch", noun="sketch", body=body, shortcut=Shortcut(branch), post=()
    )


def sketched(stem: Chain, *blocks: Block) -> Network:
    """A network of one stage, on square images of any size."""
    first, last = (stem[0] if stem else blocks[0].body[0]), blocks[-1]
    stage = Stage(name="layer1", blocks=blocks, repeat=last)
    pool = chain(last.output, lambda x: GlobalAvgPool(path="avgpool", input=x))
    return Network(
        name="Sketch",
        title="Sketch",
        paper=None,
        notes=(),
        image=first.input,
        stem=stem,
        pool=(),
        stages=(stage,),
        head=pool,
        init=Init(Start("kaiming_fan_out")),
    )


class Sketch(NamedTuple):
    """A network of a stem and blocks, each a body and a shortcut, as windows."""

    stem: list[Window]
    blocks: list[tuple[list[Window], list[Window]]]

    def network(self) -> Network:
        x = Shape(8, LARGEST, LARGEST)
        stem = chain(x, *(window.part for window in self.stem))
        x, made = stem[-1].output, []
        for body, branch in self.blocks:
            ops, side = (chain(x, *(w.part for w in part)) for part in (body, branch))
            made.append(adding(ops, side))
            x = ops[-1].output
        return sketched(stem, *made)

    def first_failure(self) -> tuple[int, int] | None:
        """(image, block) of the first sum that fails, found by trying every size."""
        found = filter(None, map(self.failure_along, (0, 1)))
        return min(found, default=None)

    def failure_along(self, side: int) -> tuple[int, int] | None:
        """The first along the height, or along the width."""
        for image in range(1, LARGEST + 1):
            least, failed = self.tried(image, side)
            if least > 0 and failed is not None:
                return image, failed
        return None

    def tried(self, image: int, side: int) -> tuple[int, int | None]:
        """The shortest side of any map, and the first block whose sum fails along it."""
        sizes, length = [], image
        for window in self.stem:
            sizes.append(length := window.size(length, side))
        failed = None
        for i, (body, branch) in enumerate(self.blocks):
            left = right = length
            for window in body:
                sizes.append(left := window.size(left, side))
            for window in branch:
                sizes.append(right := window.size(right, side))
            if left != right and failed is None:
                failed = i
            length = left
        return min(sizes), failed


def _like(body: list[Window]) -> st.SearchStrategy[list[Window]]:
    """Shortcuts that often fit: one window of the body's stride, rounding either way."""
    height, width = (prod(w.strides[side] for w in body) for side in (0, 1))
    exact = Window(1, (height, width), 0, 1)
    floor_pool = Window(height, height, 0, 1)
    ceil_pool = Window(width, width, 0, 1, ceil=True)
    return st.sampled_from([[exact], [floor_pool], [ceil_pool]])


usual = st.builds(
    lambda stride, d: [Window(3, stride, d, d)], strides(3), st.integers(1, 2)
)
bodies = usual | usual | chains
blocks = bodies.flatmap(lambda b: st.tuples(st.just(b), _like(b) | _like(b) | chains))
sketches = st.builds(Sketch, bodies, st.lists(blocks, min_size=1, max_size=4))

STRIDED, POOL7 = Window(3, 2, 1, 1), [Window(7, 2, 3, 1), Window(3, 2, 1, 1)]
FLOOR, CEIL = Window(2, 2, 0, 1), Window(2, 2, 0, 1, ceil=True)


@given(sketches)
@example(Sketch(POOL7, [([STRIDED], [FLOOR])] * 3))
@example(Sketch(POOL7, [([STRIDED], [CEIL])] * 3))
@example(
    Sketch(
        [Window(1, 1, 0, 1)], [([Window(3, (1, 2), 1, 1)], [Window(1, (1, 2), 0, 1)])]
    )
)
@example(
    Sketch(
        [Window(1, 1, 0, 1)], [([Window(3, (1, 2), 1, 1)], [Window(1, (2, 1), 0, 1)])]
    )
)
def test_the_theorem_agrees_with_trying_every_size(sketch: Sketch) -> None:
    found = sketch.network().disagreement()
    tried = sketch.first_failure()
    if tried is None:
        assert found is None or found.image > LARGEST
    else:
        assert found is not None
        assert (found.image, found.block) == (tried[0], f"layer1.{tried[1]}")


@given(sketches, st.sampled_from([0, 1]))
def test_the_shortest_side_is_the_one_that_is_found_by_trying(
    sketch: Sketch, side: int
) -> None:
    least = sketch.network().sides[side].smallest
    fitting = (n for n in range(1, LARGEST + 1) if sketch.tried(n, side)[0] > 0)
    found = next(fitting, None)
    assert found == least if found else least > LARGEST


multiples = st.builds(
    lambda period, offset, length: Multiples(offset, period, min(length, period - 1)),
    *(st.sampled_from([2, 3, 4, 6, 8]), st.integers(0, 30), st.integers(1, 5)),
)


@given(st.lists(multiples, min_size=1, max_size=3), st.integers(1, 60), st.data())
def test_lengths_near_multiples_are_those_that_are_found_by_trying(
    known: list[Multiples], smallest: int, data: st.DataObject
) -> None:
    """Also of what a map of lengths makes them of, and where several are said as one."""
    lengths = Lengths(data.draw(st.integers(0, 9)), data.draw(st.integers(1, 4)))
    before = [each.before(lengths) for each in known]
    tried = range(smallest, smallest + 400)
    expected = [h for h in tried if all(lengths(h) in each for each in known)]
    sizes = sizes_of(smallest, None, before)
    if not expected:
        assert sizes == NO_SIZES
        return
    assert sizes.smallest == expected[0]
    assert [h for h in tried if h in sizes] == expected
    limited = sizes._replace(largest=tried[-1])
    assert [*limited.lengths()] == expected


def test_of_few_sizes_only_those_are_asked_for() -> None:
    """A body that rounds up and a shortcut that rounds down agree on even maps alone."""
    x = Shape(8, 16, 16)
    stem = chain(x, lambda x: SpaceToDepth(path="squares", input=x, size=2))
    read = stem[-1].output
    body, branch = chain(read, STRIDED.part), chain(read, FLOOR.part)
    found = sketched(stem, adding(body, branch)).disagreement()
    assert found is not None
    assert found.image == 6  # of which half is odd
    eights = chain(x, lambda x: BilinearAttention(path="bat", input=x, squeezed=8))
    assert sketched(eights, adding(body, branch)).disagreement() is None
    fours = chain(x, lambda x: SpaceToDepth(path="squares", input=x, size=4))
    halved = chain(x, STRIDED.part)
    block = adding(halved, chain(x, FLOOR.part))
    assert sketched((), block).disagreement() is not None
    even = sketched((), block).replace(head=fours)
    assert str(even.sizes) == "that are multiples of 8 or up to 1 less"
    found = even.disagreement()
    assert found is not None
    assert found.image == 7


@pytest.mark.parametrize(("image", "fits"), [(224, True), (240, False)])
def test_a_floor_pool_fits_224_and_fails_at_240(image: int, fits: bool) -> None:
    """The average-pool shortcut of ResNet-D without rounding up: works until it does not."""
    network = Sketch(POOL7, [([STRIDED], [FLOOR])] * 3).network()
    length, sums = image, []
    for op in network.stem:
        length = op.lengths.heights(length)
    for _, block in network.blocks():
        body, branch = block.lengths.heights, block.branch_lengths.heights
        sums.append(body(length) == branch(length))
        length = body(length)
    assert all(sums) is fits
    found = network.disagreement()
    assert found == ("layer1.0", 17, Shape(8, 3, 3), Shape(8, 2, 2))


def test_the_first_difference_may_be_one_step_behind_a_period() -> None:
    assert Lengths(0, 1).first_difference(Lengths(2, 2)) == 3
    assert Lengths(0, 1).first_difference(Lengths(1, 1)) == 1
    assert Lengths(1, 0).first_difference(Lengths(0, 1)) == 2
    assert Lengths(3, 4).first_difference(Lengths(3, 4)) is None


def test_the_first_difference_is_the_one_that_is_found_by_trying() -> None:
    maps = [Lengths(*each) for each in product(range(-2, 5), range(5))]
    for one, other, start in product(maps, maps, (1, 4)):
        lengths = range(start, start + 40)
        tried = next((h for h in lengths if one(h) != other(h)), None)
        assert one.first_difference(other, start) == tried


def test_behind_a_constant_map_all_is_constant() -> None:
    constant, halved = Lengths(5, 0), Lengths(1, 2)
    assert constant.then(halved) == Lengths(3, 0)
    assert halved.then(constant) == constant
    assert [m.smallest(4) for m in (constant, halved)] == [1, 7]


def test_a_disagreement_along_one_side_tells_both_shapes() -> None:
    """Widths are halved here and rounded down there; heights are kept by both."""
    x = Shape(8, 9, 9)
    body = chain(x, Window(3, (1, 2), 1, 1).part)
    pool = AvgPool(path="op", input=x, kernel=Pair(1, 2), stride=Pair(1, 2))
    network = sketched((), adding(body, (pool,)))
    assert network.disagreement() == ("layer1.0", 3, Shape(8, 3, 2), Shape(8, 3, 1))
    fits = adding(body, (pool.replace(ceil=True),))
    assert sketched((), fits).disagreement() is None


def test_each_side_has_a_smallest_image_of_its_own() -> None:
    x = Shape(8, 9, 9)
    body = chain(x, Window(5, (1, 3), 0, 1).part, Window(3, 1, 0, 1).part)
    assert sketched((), adding(body, body)).sides == (Sizes(7), Sizes(11))


def test_a_disagreement_tells_both_shapes_of_an_identity_too() -> None:
    x = Shape(8, 9, 9)
    narrow = {"kernel": 3, "stride": 2, "padding": 1}
    body = chain(x, lambda x: Conv(path="op", input=x, out_channels=16, **narrow))
    found = sketched((), adding(body, ())).disagreement()
    assert found == ("layer1.0", 1, Shape(16, 1, 1), Shape(8, 1, 1))


def test_behind_a_global_pool_only_one_length_is_asked_for() -> None:
    x = Shape(8, 9, 9)
    pool = chain(x, lambda x: GlobalAvgPool(path="pool", input=x))
    one, two = Window(1, 1, 0, 1), Window(1, 2, 0, 1)
    body, branch = (chain(pool[-1].output, w.part) for w in (one, two))
    assert sketched(pool, adding(body, branch)).disagreement() is None


def test_a_map_of_constant_length_never_grows() -> None:
    assert Lengths(1, 0).smallest(1) == 1
    assert Lengths(1, 0).smallest(2) == inf


def test_a_layer_that_no_image_is_large_enough_for_leaves_no_sizes() -> None:
    pool = chain(Shape(8, 9, 9), lambda x: GlobalAvgPool(path="pool", input=x))
    blurred = chain(pool[-1].output, lambda x: BlurPool2d(path="blur", input=x))
    network = sketched(pool, adding(blurred, ()))
    assert network.sizes == NO_SIZES
    assert 1 not in network.sizes
    assert network.disagreement() is None


def test_a_disagreement_is_of_an_image_that_the_network_takes() -> None:
    """One map is halved, the other divided by three: they differ from three pixels on."""
    x = Shape(8, 2, 2)
    body = chain(x, Window(1, 2, 0, 1).part)
    branch = chain(x, Window(1, 3, 0, 1).part)
    block = adding(body, branch)
    network = sketched((), block)
    found = network.disagreement()
    assert found is not None
    assert found.image == 3
    fixed = chain(
        block.output,
        lambda x: WholeAvgPool(path="avgpool", input=x, kernel=1),
        lambda x: Flatten(path="", input=x),
    )
    assert network.replace(head=fixed).disagreement() is None


def test_an_op_is_frozen_and_has_its_fields_and_no_others() -> None:
    op = ZeroPad(path="pad", input=Shape(1, 2, 3), padding=1)
    with pytest.raises(AttributeError, match="ZeroPad is frozen: padding"):
        op.padding = 2  # type: ignore[misc]
    known = "ZeroPad has path, input, when, folds, padding"
    for fields in ({"path": "pad"}, {"padding": 1}, {**op.values(), "kernel": 3}):
        with pytest.raises(TypeError, match=known):
            ZeroPad(**fields)
    with pytest.raises(TypeError, match="got path, input, eps"):
        StdConv2d(path="conv", input=Shape(1, 2, 3), eps=1e-6)
    assert op.replace(padding=2).output == (1, 6, 7)
