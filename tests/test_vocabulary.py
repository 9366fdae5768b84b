"""What others call it: every answer is true, and none changes what is meant."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import torch.nn as nn
from hypothesis import given
from hypothesis import strategies as st
from timm.models.resnet import ResNet as TimmResNet
from timm.models.resnetv2 import ResNetV2
from torchvision.models.resnet import ResNet as TorchvisionResNet

from resnet_spec import Problem, SpecError, load
from resnet_spec.catalog import ACTIVATIONS, CATALOG, words
from resnet_spec.language.answers import answer, in_chain
from resnet_spec.language.expected import model_at
from resnet_spec.language.fields import Spec
from resnet_spec.language.vocabulary import (
    BY_VALUE,
    CALLED,
    KEYS,
    SENTENCES,
    WORDS,
    misspelling,
    our_word,
    plainly,
    text_of,
)
from resnet_spec.problems import FieldPath
from resnet_spec.problems.rules import RULES
from resnet_spec.problems.words import either

ACTIVE, STEM_TYPES = either(words("activation")), either(words("stem.type"))
FIELDS = {"extends", *Spec.model_fields}
ANSWERS = [*KEYS.items(), *((said, key) for key, said in SENTENCES.items())]
LONG = [(field, word) for field in CATALOG for word in words(field) if len(word) > 3]


def problems(text: str, folder: Path) -> tuple[Problem, ...]:
    file = folder / "own.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SpecError) as caught:
        load(file)
    return caught.value.problems


def own(*lines: str, base: str = "resnet50") -> str:
    head = (f"extends: {base}", "name: Own", "title: My own")
    return "".join(f"{line}\n" for line in (*head, *lines))


# --- the table ----------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "keys"), ANSWERS)
def test_an_answer_names_fields_that_there_are(said: str, keys: str) -> None:
    """At the top, or in the mapping that the key stands in or that the answer writes."""
    inner = {name for name in FIELDS if said.find(f"{name}: {{") >= 0}
    inner |= {key.split(".")[0] for key in keys.split(":")[0].split() if "." in key}
    known = FIELDS | {
        field for name in inner for field in model_at((name,)).model_fields
    }
    assert set(re.findall(r"\b(\w+):", said)) <= known


def test_no_key_of_others_is_one_of_ours_there() -> None:
    for key in " ".join((*KEYS.values(), *CALLED.values(), *BY_VALUE)).split():
        *above, name = key.split(".")
        if key in ("se", "norm"):  # of ours too, which take a mapping
            continue
        assert name not in model_at(tuple(above)).model_fields


def test_a_word_of_others_means_one_of_ours() -> None:
    for field, table in WORDS.items():
        others = [plainly(word) for said in table.values() for word in said.split()]
        assert len(others) == len(set(others))
        assert set(table) <= set(words(field))


@pytest.mark.parametrize(("field", "word"), LONG)
def test_a_word_of_ours_means_itself_whatever_others_mean_by_it(
    field: str, word: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `swish` would, once the catalog had it beside `silu`."""
    for text in " ".join(WORDS.get(field, {}).values()).split():
        monkeypatch.setitem(CATALOG[field], text, CATALOG[field][word])
        assert our_word(field, text.upper()) == text
        monkeypatch.undo()


@pytest.mark.parametrize("network", [TimmResNet, ResNetV2, TorchvisionResNet])
def test_every_argument_of_other_libraries_has_an_answer(network: type) -> None:
    for name in inspect.signature(network).parameters:
        assert name in FIELDS or answer((name,), 1, "unknown-key")


def test_a_word_is_explained_without_those_before_it() -> None:
    """An editor shows each explanation alone."""
    pronoun = re.compile(r"that\b|(\w+ )?(them|it|its|their|those|one|the same)\b")
    texts = [entry.text for table in CATALOG.values() for entry in table.values()]
    assert not [text for text in texts if pronoun.match(text)]


# --- no suggestion changes the network ----------------------------------------------------


def torch_names(module: str) -> list[str]:
    """Names of torch's layers of a kind, as people type them."""
    found = inspect.getmembers(getattr(nn.modules, module), inspect.isclass)
    return [
        name for name, layer in found if issubclass(layer, nn.Module) and name[0] != "_"
    ]


@pytest.mark.parametrize("name", torch_names("activation"))
def test_no_activation_of_torch_is_taken_for_another(name: str) -> None:
    for text in (name, name.lower(), re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()):
        word = our_word("activation", text)
        assert word == "" or ACTIVATIONS[word].module == name
        assert misspelling(text, set(words("activation")) - {word}) == ""


@pytest.mark.parametrize(
    "name", torch_names("normalization") + torch_names("batchnorm")
)
def test_no_norm_of_torch_is_taken_for_another(name: str) -> None:
    kinds = {"GroupNorm": "group", "BatchNorm2d": "batch", "InstanceNorm2d": "instance"}
    for text in (name, name.lower()):
        assert our_word("norm.type", text) == kinds.get(name, "")
        assert misspelling(text, words("norm.type")) == ""


@given(st.sampled_from(LONG), st.data())
def test_a_letter_that_is_lost_or_doubled_is_no_other_word(
    pair: tuple[str, str], data: st.DataObject
) -> None:
    field, word = pair
    i = data.draw(st.integers(1, len(word) - 1))
    for typed in (word[:i] + word[i + 1 :], word[:i] + word[i - 1 :]):
        near = misspelling(typed, words(field))
        assert near in ("", f" (did you mean {word}?)") or typed in words(field)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("activation: nosuch", 'got "nosuch"'),
        ("stride_on: conv3", 'got "conv3"'),
        ("norm: {type: rms}", 'got "rms"'),
        ("norm_layer: InstanceNorm2d", "write norm: {type: instance}"),
        ("attention: cbam_module", 'got "cbam_module"; write cbam'),
        ("norm_layer: none", "unknown key; leave it out"),
        (
            "norm_cfg: {type: IN, affine: true}",
            "unknown key; write norm: {type: instance_affine}",
        ),
        ("norm: {type: ibn}", "with instance after the sum of a stage's last block"),
        ("norm: {type: group, group_size: 16}", "write channels_per_group: 16"),
        ("activation: nn.SiLU", 'got "nn.SiLU"; write silu'),
        ("activation: hard_swish", 'got "hard_swish"; write hardswish'),
        ("activation: relu_6", 'got "relu_6"; write relu6'),
        ("activation: leaky", "0.01 in torch, 0.001 in TResNet"),
        ("act_layer: nn.LeakyReLU", "0.01 in torch, 0.001 in TResNet"),
        ("hidden_act: gelu", "activation of stem and sums, and relu is inside blocks"),
        ("activation: {leaky_relu: 2}", "must be at most 1, got 2"),
        (
            "activation: [{leaky_relu: 0.1, alpha: 1}, relu, relu, relu]",
            "unknown key; known here: leaky_relu",
        ),
        ("bias: true", "unknown key; write conv_bias: all"),
        ("conv_bias: true", "got true; write all"),
        ("use_bias: false", "unknown key; leave it out"),
        ("stride_on: v1.5", 'got "v1.5"; write conv2'),
        ("norm: {type: gn}", 'got "gn"; write group'),
        ("stem: {type: cifar}", 'got "cifar"; write conv3x3'),
        ("stem: {pool: maxpool}", 'got "maxpool"; write max'),
        ("shortcut: projecton", 'got "projecton" (did you mean projection?)'),
        ("norm: group", 'got "group"; write norm: {type: group, groups: 32}'),
        ("init: bit", 'got "bit"; write init: {scheme: bit}'),
        ("se: true", "got true; write attention: se"),
        ("se: false", "got false; leave it out, attention is none already"),
        ("se: 4", "got 4; write se: {ratio: 0.25} and attention: se"),
        ("se: [no, yes, 0, 1]", "write attention: [none, se, none, se]"),
        ("se: [null, null, 8, 8]", "and attention: [none, none, se, se]"),
        ("se: [8, 8, 16, 16]", "got [8, 8, 16, 16]"),
        ("se: [[1]]", "got [[1]]"),
        ("se: -1", "got -1"),
        ("se: .nan", "got nan"),
        ("se: {reduction: 8}", "write ratio: 0.125 and attention: se beside se"),
        ("attention: se\nse: {ratio: 16}", "got 16; 1 / 16 is 0.0625"),
        ("attention: se\nse: {reduction: 8}", "unknown key; write ratio: 0.125"),
        ("head: {classes: 1e3}", "got 1000.0; write 1000"),
        ("widths: 8, 16, 32, 64", '64"; write [8, 16, 32, 64]'),
        ("depths: 1,1,1,1", 'got "1,1,1,1"; write [1, 1, 1, 1]'),
        ('head: {classes: "10"}', 'got "10"; write 10 without quotes'),
        ("head: {classes: 1k}", 'got "1k"; write 1000'),
        ("head: {classes: 1 000}", 'got "1 000"'),
        ('head: {pool: "7"}', 'got "7"; write 7 without quotes'),
        ('head: {pool: "0.5"}', 'got "0.5"'),
        ('init: {zero_last_norm: "false"}', 'got "false"; write false'),
        ('widths: ["8", 16, "32", 64]', "quotes; write [8, 16, 32, 64]"),
        ('norm: {eps: "1e-3"}', 'got "1e-3"; write 1e-3 without quotes'),
        ("stem.width: 32", "write stem: {width: 32}; dots are for --set"),
        ("depth: 101", "write depths: [3, 4, 23, 3], or extends: resnet101"),
        ("style: caffe", "unknown key; write stride_on: conv1"),
        ("act_layer: nn.SiLU", "unknown key; write activation: silu"),
        ("hidden_act: relu", "leave it out, activation is relu already"),
        ("act_layer: nosuch", f"called activation here, which takes {ACTIVE}"),
        ("stem_type: nosuch", f"called stem.type here, which takes {STEM_TYPES}"),
        (
            "attention: se\nreduction: 0.5",
            "called se.ratio here, which must be at most 1",
        ),
        ("zero_init_residual: yes", "write init: {zero_last_norm: true}"),
        ("depth: 20", "write depths, the blocks of each stage, as [3, 4, 6, 3]"),
        ("depth: 18", "unknown key; write extends: resnet18"),
        ("arch: resnet57", "write extends with a name that resnet-spec list prints"),
        ("replace_stem_pool: false", "leave it out, unless stem.pool is conv"),
        ("down_kernel_size: 1", "leave it out, that of a projection is 1x1"),
        ("avg_down: false", "unknown key; leave it out"),
        ("deep_stem: false", "leave it out, stem.type is conv7x7 already"),
        ("stem: {type: deep}\nstem_width: 16", "unknown key; write stem: {width: 32}"),
        ("type: ResNetV1c", "unknown key; write stem: {type: deep}"),
        (
            "model_type: regnet",
            "start with extends and a name that resnet-spec list prints",
        ),
        ("aa_layer: avg", "write anti_alias: avg and stem: {pool: avg}"),
        ("norm_cfg: {type: GN}", "unknown key; write norm: {type: group, groups: 32}"),
        ("norm_layer: BatchNorm2d", "leave it out, norm.type is batch already"),
        ("momentum: 0.99", "norm: {momentum: 0.01} here; leave out an optimizer's"),
        ("img_size: 320", "unknown key; write input: [3, 320, 320]"),
        ("input: [3, 32, 32]\nin_chans: 1", "unknown key; write input: [1, 32, 32]"),
        ("input_shape: [32, 32, 3]", "unknown key; write input: [3, 32, 32]"),
        (
            "out_indices: [1, 2]",
            "--features 2,3 if 0 was the first stage, 1,2 if the stem",
        ),
        (
            "out_features: [res4, res5]",
            "leave it out, and pass build --features 3,4",
        ),
        (
            "init_cfg: {type: Pretrained}",
            "load_weights(model, FILE) and train --weights FILE do",
        ),
        (
            "expect: {flops: 4.1e9}",
            "unknown key; write macs: 4100000000, multiply-adds",
        ),
        ("hidden_act: silu", "activation of stem and sums, and relu is inside blocks"),
        ("contract_dilation: true", "write dilation_from: previous"),
        ("dropout: 0.5", "the one before the classifier is head: {dropout: 0.5}"),
        ("hidden: [64]", "unknown key; it is a key of head, so indent it below head"),
        ("scheme: bit", "unknown key; it is a key of init, so indent it below init"),
        ("width: 32", "unknown key (did you mean widths?)"),
        ("attention: true", "got true; write se"),
        (
            "attention: [false, false, true, true]",
            "gca, got [false, false, true, true]; write [none, none, se, se]",
        ),
        ("attention: [null, null, se, se]", "write [none, none, se, se]"),
        ("attention: [none, none, SE, eca_layer]", "write [none, none, se, eca]"),
        ("attention: [none, none, se, SE]", 'got "SE"; write se'),
        ("attention: [[se, SE, se_layer], se, se, se]", "write [se, se, se]"),
        ("norm: {type: [BN, BN, BN, GN]}", "write [batch, batch, batch, group]"),
        ("params: 10M", "unknown key; write expect: {params: 10000000}"),
        ("expect: {flops: 4.1G}", "write macs: 4100000000, multiply-adds"),
        ('num_classes: "10"', "unknown key; write head: {classes: 10}"),
        ("drop_path_rate: 20%", "unknown key; write drop_path: 0.2"),
        ("num_blocks: 1,1,1,1", "unknown key; write depths: [1, 1, 1, 1]"),
        ("expect: {flops: 10}", "unknown key; write macs: 10, multiply-adds"),
        ("depths: 1 1 1 1", 'got "1 1 1 1"; write [1, 1, 1, 1]'),
        ("depths: (1, 1, 1, 1)", '1)"; write [1, 1, 1, 1]'),
        ("pre_activation: no", "leave it out"),
        ("preact: {stem_norm: yes}", 'got "yes"; write true'),
        ("drop_path: 20%", 'got "20%"; write 0.2'),
        ("activation: [{type: nn.SiLU}, relu, relu, relu]", "mapping; write silu"),
        ("head: {type: conv1x1}", "unknown key; write classifier: conv"),
        ("expect: 25e6", "as {params: 25557032}, got 25000000.0"),
        ("expect: {params: 25,557}", "write a number without commas"),
        ("input: [3, 224]", "networks of 1 dimension are not built"),
        ("input: [3, 16, 112, 112]", "networks of 3 dimensions are not built"),
        ("input: [512, 512]", "the channels are missing; write [3, 512, 512]"),
        ("input: [8, 3, 64, 64]", "write [3, 64, 64], one image without its batch"),
    ],
)
def test_what_to_write_is_said(line: str, said: str, tmp_path: Path) -> None:
    (problem,) = problems(own(line), tmp_path)
    assert problem.message.endswith(said)
    assert problem.rule in RULES


@pytest.mark.parametrize(
    ("value", "text"),
    [
        *((word, "true") for word in ("true", "Yes", "ON", True)),
        *((word, "false") for word in ("false", "No", "OFF", False)),
        ("", "none"),
        ("nn.BatchNorm2d", "nn.batchnorm2d"),
        ({"type": "GN", "eps": 1}, "gn"),
        ({"eps": 1}, "eps:1"),
    ],
)
def test_a_value_is_looked_up_as_plain_text(value: object, text: str) -> None:
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("batsh", "batch"),
        ("bth", ""),  # too short
        ("selu", ""),  # another thing
        ("globe", ""),  # too far
        ("patch", ""),  # another letter first
    ],
)
def test_a_misspelling_is_near(typed: str, meant: str) -> None:
    known = ["batch", "silu", "selus", "global", "bat"]
    assert misspelling(typed, known) == (f" (did you mean {meant}?)" if meant else "")


SE = {"attention": ["none", "se"]}

MEANT = [
    (
        "norm_layer",
        "GN",
        {"norm": {"eps": 1e-3}},
        "write norm: {type: group, groups: 32}",
    ),
    ("depth", 18, {}, "write depths: [2, 2, 2, 2], or extends: resnet18"),
    (
        "depth",
        18,
        {"block": "basic"},
        "write depths: [2, 2, 2, 2], or extends: resnet18",
    ),
    ("depth", 18, {"block": "bottleneck"}, "write extends: resnet18"),
    ("depth", 50, {}, "write depths: [3, 4, 6, 3], or extends: resnet50"),
    ("depth", 50, {"block": "basic"}, "write extends: resnet50"),
    ("depth", 77, {}, "write depths, the blocks of each stage, as [3, 4, 6, 3]"),
    ("in_chans", 1, {}, "write input: [1, 224, 224]"),
    ("in_chans", 1, {"input": [3, 32, 48]}, "write input: [1, 32, 48]"),
    ("in_chans", 1, {"input": [32, 48]}, "write input: [1, 224, 224]"),
    ("in_chans", 1, {"input": 7}, "write input: [1, 224, 224]"),
    ("image_size", 160, {}, "write input: [3, 160, 160]"),
    ("image", "160x128", {"input": [1, 32, 32]}, "write input: [1, 160, 128]"),
    ("image_size", "3x160x128", {}, "write input: [3, 160, 128]"),
    ("image_size", [160, 128], {"input": [1, 32, 32]}, "write input: [1, 160, 128]"),
    ("image_size", [160, 128, 3], {}, "write input: [3, 160, 128]"),
    ("image_size", [160, 128, 4], {}, "write input: [4, 160, 128]"),
    ("image_size", [160, 128, 5], {}, "write input: [160, 128, 5]"),
    ("image_size", [8, 3, 64, 64], {}, "write input: [3, 64, 64]"),
    ("image_size", [4, 9, 4], {}, "write input: [4, 9, 4]"),
    ("image_size", [3, 64, 4], {}, "write input: [3, 64, 4]"),
    ("image_size", [3, 64, 64], {}, "write input: [3, 64, 64]"),
    (
        "image_size",
        [8, 3, 4, 4],
        {},
        "called input here, which has too many entries, 3 at most",
    ),
    ("channels", 1, {}, "write input: [1, 224, 224]"),
    ("channels", [256, 512, 1024, 2048], {}, "write widths: [64, 128, 256, 512]"),
    (
        "channels",
        [256, 512, 1024, 2048],
        {"block": "basic"},
        "write widths: [256, 512, 1024, 2048]",
    ),
    ("channels", [128, 256], {"stem": {"width": 32}}, "write widths: [32, 64]"),
    ("channels", [256, 512], {"stem": {"width": 32}}, "write widths: [256, 512]"),
    ("channels", [256, 512], {"stem": {"type": "deep"}}, "write widths: [64, 128]"),
    ("channels", [256, 512], {"stem": "deep"}, "write widths: [64, 128]"),
    ("hidden_sizes", [256, 512], {}, "write widths: [64, 128]"),
    ("hidden_sizes", [256, 512], {"block": "basic"}, "write widths: [256, 512]"),
    ("hidden_sizes", [256, 512], {"expansion": 2}, "write widths: [128, 256]"),
    ("hidden_sizes", [255, 512], {}, "widths are those inside blocks..."),
    ("hidden_sizes", 256, {}, "widths are those inside blocks..."),
    (
        "hidden_sizes",
        [256, 512],
        {"expansion": "x"},
        "widths are those inside blocks...",
    ),
    ("base_channels", 16, {}, "write widths: [16, 32, 64, 128]"),
    ("base_channels", 16, {"depths": [1, 1]}, "write widths: [16, 32]"),
    (
        "base_channels",
        1,
        {"depths": [1, 1, 1, 1, 1, 1, 1, 1, 1]},
        "write widths: [1, 2, 4, 8, 16, 32, 64, 128]",
    ),
    ("base_channels", "x", {}, "widths are those inside blocks..."),
    ("base_channels", 16, {"depths": 3}, "widths are those inside blocks..."),
    (
        "stem_width",
        32,
        {"stem_type": "deep"},
        "write stem: {type: deep, width: 64, pool: max}",
    ),
    ("stem_width", 24, {"stem": {"type": "tiered"}}, "write stem: {width: 48}"),
    ("stem_width", 32, {}, "leave it out, in timm it is half..."),
    (
        "stem_width",
        "x",
        {"stem": {"type": "deep"}},
        "leave it out, in timm it is half...",
    ),
    ("reduction", 16, {}, "write attention: se"),
    ("reduction", 16, SE, "leave it out, se.ratio is 0.0625 already"),
    ("reduction", 1, SE, "write se: {ratio: 1}"),
    ("reduction", 3, {}, "write se: {ratio: 0.3333} and attention: se"),
    ("se_ratio", 0.25, {"attention": "eca"}, "write se: {ratio: 0.25}"),
    ("reduction", 0, {}, "called se.ratio here, which must be at least 0.0001"),
    ("avg_down", False, {"shortcut": "avg_projection"}, "write shortcut: projection"),
    ("avg_down", "none", {"shortcut": "avg_projection"}, "write shortcut: projection"),
    ("avg_down", False, {}, "leave it out"),
    ("avg_down", "x", {}, "x has no equal here"),
    ("bottle_ratio", 0.25, {}, "write expansion: 4"),
    ("bottle_ratio", 0.25, {"block": "basic"}, "leave it out, basic blocks have none"),
    ("norm_layer", "GroupNorm", {}, "write norm: {type: group, groups: 32}"),
    ("norm_layer", "GroupNorm", {"norm": {"groups": 8}}, "write norm: {type: group}"),
    (
        "norm_layer",
        {"type": "GN", "num_groups": 16},
        {},
        "write norm: {type: group, groups: 16}",
    ),
    (
        "norm_layer",
        {"type": "BN", "requires_grad": False},
        {},
        "norm: {type: frozen} is near to it, whose statistics stay as well",
    ),
    (
        "norm_layer",
        {"type": "BN", "requires_grad": True, "eps": 0.001},
        {},
        "write norm: {eps: 0.001}",
    ),
    (
        "norm_layer",
        {"type": "IN", "affine": True},
        {},
        "write norm: {type: instance_affine}",
    ),
    ("norm_layer", "IN", {}, "write norm: {type: instance}"),
    ("norm_layer", "evos", {}, "write norm: {type: evonorm_s0, groups: 32}"),
    ("bn_momentum", 0.01, {}, "write norm: {momentum: 0.01}"),
    ("bn_momentum", 0.4, {}, "write norm: {momentum: 0.4}"),
    (
        "bn_momentum",
        0.5,
        {},
        "what Keras calls 0.5 is norm: {momentum: 0.5} here; leave out an optimizer's",
    ),
    (
        "bn_momentum",
        0.9,
        {},
        "what Keras calls 0.9 is norm: {momentum: 0.1} here; leave out an optimizer's",
    ),
    ("bn_momentum", 1, {}, "write norm: {momentum: 1}"),
    ("bn_momentum", "x", {}, "called norm.momentum here, which must be a number"),
    ("output_stride", 32, {}, "leave it out, strides: [1, 2, 2, 2] has it"),
    (
        "output_stride",
        16,
        {},
        "write strides: [1, 2, 2, 1] and dilations: [1, 1, 1, 2] and dilation_from: previous",
    ),
    (
        "output_stride",
        8,
        {},
        "write strides: [1, 2, 1, 1] and dilations: [1, 1, 2, 4] and dilation_from: previous",
    ),
    (
        "output_stride",
        4,
        {},
        "write strides: [1, 1, 1, 1] and dilations: [1, 2, 4, 8] and dilation_from: previous",
    ),
    ("output_stride", 7, {}, "write strides and dilations, as..."),
    ("output_stride", 8, {"depths": [1, 1, 1]}, "write strides and dilations, as..."),
    ("output_stride", 8, {"depths": 3}, "write strides and dilations, as..."),
    (
        "replace_stride_with_dilation",
        [False, True, True],
        {},
        "write strides: [1, 2, 1, 1] and dilations: [1, 1, 2, 4] and dilation_from: previous",
    ),
    (
        "replace_stride_with_dilation",
        [False, True, False],
        {},
        "write strides: [1, 2, 1, 2] and dilations: [1, 1, 2, 2] and dilation_from: previous",
    ),
    (
        "replace_stride_with_dilation",
        [False, False, False],
        {},
        "leave it out, strides: [1, 2, 2, 2] has it",
    ),
    ("replace_stride_with_dilation", "none", {}, "leave it out"),
    ("replace_stride_with_dilation", False, {}, "leave it out"),
    ("downsample_in_first_stage", True, {}, "write strides: [2, 2, 2, 2]"),
    (
        "replace_stride_with_dilation",
        [True, False],
        {},
        "write strides and dilations, as...",
    ),
    (
        "replace_stride_with_dilation",
        [1, 0, 0],
        {},
        "write strides and dilations, as...",
    ),
    (
        "pre_activation",
        True,
        {},
        "write preact: {shortcut: activated, first: own, stem_norm: false, final_norm: true}",
    ),
    ("pre_activation", False, {}, "leave it out"),
    (
        "out_indices",
        [0, 1],
        {},
        "leave it out, and pass build --features 1,2 if 0 was the first stage, "
        "stem,1 if the stem",
    ),
    (
        "out_indices",
        [4],
        {},
        "leave it out, and pass build --features 5 if 0 was the first stage, 4 if the stem",
    ),
    (
        "out_indices",
        [5],
        {},
        "leave it out, and pass build the stages, as --features 3,4",
    ),
    (
        "out_indices",
        2,
        {},
        "leave it out, and pass build --features 3 if 0 was the first stage, 2 if the stem",
    ),
    (
        "out_indices",
        ["layer4", "stem", "res2"],
        {},
        "leave it out, and pass build --features 4,stem,1",
    ),
    ("out_indices", {"stage3": 0}, {}, "leave it out, and pass build --features 3"),
    (
        "out_indices",
        [],
        {},
        "leave it out, and pass build the stages, as --features 3,4",
    ),
    (
        "out_indices",
        ["x"],
        {},
        "leave it out, and pass build the stages, as --features 3,4",
    ),
    (
        "out_indices",
        True,
        {},
        "leave it out, and pass build the stages, as --features 3,4",
    ),
    ("arch", "resnet50", {}, "write extends: resnet50"),
    ("arch", "own.yaml", {}, "write extends: own.yaml"),
    ("arch", "own.yml", {}, "write extends: own.yml"),
    (
        "arch",
        "resnet51",
        {},
        "write extends with a name that resnet-spec list prints (did you mean resnet51q?)",
    ),
    ("arch", "resnet5O", {}, "write extends with a name that resnet-spec list prints"),
]
"""A key of others, its value, what else is written, and what to write; or how that begins."""


@pytest.mark.parametrize(("key", "value", "data", "said"), MEANT)
def test_what_is_meant_depends_on_the_value_and_on_what_else_is_written(
    key: str, value: object, data: dict[str, Any], said: str
) -> None:
    begins = said.removesuffix("...")
    found = answer((key,), value, "unknown-key", data)
    assert found.startswith(begins) if begins != said else found == said


IMAGE = "write channels, height and width of one image, as [3, 224, 224]"
OTHER_IMAGES = [
    ([3, -1], IMAGE),
    ([0, 5], IMAGE),
    ([1, 16, 112, 112], f"{IMAGE}; networks of 3 dimensions are not built"),
    ([4, 9], "write [4, 9, 9]; networks of 1 dimension are not built"),
    ([3, 4], f"{IMAGE}; networks of 1 dimension are not built"),
    ([64], "write [3, 64, 64]"),
    ([4], IMAGE),
    ([], IMAGE),
    ([5, 9], "the channels are missing; write [3, 5, 9]"),
    ([512, 256], "the channels are missing; write [3, 512, 256]"),
    ([8, 4, 64, 64], "write [4, 64, 64], one image without its batch"),
    ([8, 5, 64, 64], f"{IMAGE}; networks of 3 dimensions are not built"),
    ([8, 3, 4, 9], f"{IMAGE}; networks of 3 dimensions are not built"),
    ([8, 3, 9, 4], "write [3, 9, 4], one image without its batch"),
]


@pytest.mark.parametrize(("image", "said"), OTHER_IMAGES)
def test_an_image_of_other_dimensions_is_answered(image: list[int], said: str) -> None:
    assert answer(("input",), image, "too-short", {}) == said


ANSWERED = [
    (
        ("head", "in_chans"),
        1,
        "unknown-key",
        {},
        "write input: [1, 224, 224] beside head",
    ),
    (("input",), 64, "tuple-type", {}, "write [3, 64, 64]"),
    (("input",), "64", "tuple-type", {}, "write [3, 64, 64]"),
    (("input",), "1x64x48", "tuple-type", {}, "write [1, 64, 48]"),
    (("input",), True, "tuple-type", {}, IMAGE),
    (("norm", "type"), "bn", "choice", {}, "write batch"),
    (("norm", "type"), "x", "choice", {}, ""),
    (("name",), "x", "choice", {}, ""),
    (
        ("variant",),
        "d",
        "unknown-key",
        {},
        "write stride_on: conv2 and stem: {type: deep, width: 64, pool: max} and "
        "shortcut: avg_projection",
    ),
    (
        ("stem", "padding"),
        3,
        "unknown-key",
        {},
        "leave it out, the type has it; conv7x7 halves height and width, conv3x3 "
        "keeps height and width, deep halves height and width, tiered halves height and "
        "width, conv1x1 keeps height and width, and mixes channels alone, none lets the "
        "first stage read the input itself",
    ),
    (
        ("flops",),
        4000000000.0,
        "unknown-key",
        {},
        "write expect: {macs: 4000000000}, multiply-adds",
    ),
    (
        ("norm_layer",),
        {"type": "BN", "eps": 1e-05},
        "unknown-key",
        {},
        "leave it out, norm.type is batch and norm.eps is 1e-05 already",
    ),
    (("num_classes",), 10.0, "unknown-key", {}, "write head: {classes: 10}"),
    (
        ("num_classes",),
        "x",
        "unknown-key",
        {},
        "called head.classes here, which takes none or a number",
    ),
    (
        ("zero_init_last",),
        "Yes",
        "unknown-key",
        {},
        "write init: {zero_last_norm: true}",
    ),
    (
        ("zero_init_last",),
        0,
        "unknown-key",
        {},
        "leave it out, init.zero_last_norm is false already",
    ),
    (
        ("global_pool",),
        "x",
        "unknown-key",
        {},
        "called head.pool here, which takes global, max, avg_max, statistics, attention, "
        "none or a number",
    ),
    (
        ("act_layer",),
        "x",
        "unknown-key",
        {},
        f"called activation here, which takes {ACTIVE}",
    ),
    (
        ("layers",),
        "x",
        "unknown-key",
        {},
        "write depths, the blocks of each stage, as [3, 4, 6, 3]",
    ),
    (
        ("blocks",),
        "x",
        "unknown-key",
        {},
        "called depths here, which must be a list, as [3, 4, 6, 3]",
    ),
    (
        ("base_width",),
        64,
        "unknown-key",
        {},
        "leave it out, width_per_group is 64 already",
    ),
    (
        ("block", "body", 0, "pad"),
        3,
        "string-type",
        {},
        "write in, width or out, or one of them as in out / 2",
    ),
    (
        ("block", "body", 0, "activation"),
        "leaky",
        "choice",
        {},
        "write activation: {leaky_relu: SLOPE}...",
    ),
    (("block", "body", 0), "BN", "choice", {}, "write {norm: batch}"),
    (("block", "body", 0), "ReLU", "choice", {}, "write {activation: relu}"),
    (
        ("stem", "type", 0, "pad"),
        32,
        "string-type",
        {"stem": {"width": 64}},
        "write width / 2",
    ),
    (
        ("stem", "type", 0, "to"),
        32,
        "string-type",
        {"stem": {"width": 64}},
        "write width / 2",
    ),
    (
        ("stem", "type", 0, "to"),
        96,
        "string-type",
        {"stem": {"width": 64}},
        "write width * 3 / 2",
    ),
    (
        ("stem", "type", 0, "to"),
        128,
        "string-type",
        {"stem": {"width": 64}},
        "write width * 2",
    ),
    (
        ("stem", "type", 0, "to"),
        64,
        "string-type",
        {"stem": {"width": 64}},
        "write width",
    ),
    (
        ("stem", "type", 0, "to"),
        1,
        "string-type",
        {"stem": {"width": 3}},
        "write width / 3",
    ),
    (
        ("stem", "type", 0, "to"),
        9999,
        "string-type",
        {"stem": {"width": 1}},
        "write width * 9999",
    ),
    (
        ("stem", "type", 0, "to"),
        10000,
        "string-type",
        {"stem": {"width": 1}},
        "write width, or a part of it, as width / 2",
    ),
    (
        ("stem", "type", 0, "to"),
        0,
        "string-type",
        {"stem": {"width": 64}},
        "write width, or a part of it, as width / 2",
    ),
    (
        ("stem", "type", 0, "to"),
        32,
        "string-type",
        {"stem": {}},
        "write width, or a part of it, as width / 2",
    ),
    (
        ("stem", "type", 0, "to"),
        32,
        "string-type",
        {"stem": {"width": "x"}},
        "write width, or a part of it, as width / 2",
    ),
]
"""A path, the value there, the rule that it breaks, what else is written, and the answer."""


@pytest.mark.parametrize(("path", "value", "rule", "data", "said"), ANSWERED)
def test_what_breaks_a_rule_is_answered(
    path: FieldPath, value: object, rule: str, data: dict[str, Any], said: str
) -> None:
    begins = said.removesuffix("...")
    found = answer(path, value, rule, data)
    assert found.startswith(begins) if begins != said else found == said


CHAINED = {"shortcut": [{"conv": 1}]}


@pytest.mark.parametrize(
    ("path", "data", "inside"),
    [
        ("stem.type", {}, False),
        ("stem.type.0", {}, True),
        ("stem.type.0.conv", {}, True),
        ("shortcut", CHAINED, False),
        ("shortcut.0", CHAINED, True),
        ("shortcut.0", {"shortcut": ["none", "none"]}, False),
        ("shortcut.0.0", {"shortcut": [[{"conv": 1}], "none"]}, True),
        ("shortcut.0.0.0", {"shortcut": [[[{"conv": 1}]]]}, True),
        ("block.pre.0", {}, True),
        ("block.body.0.to", {}, True),
        ("block.post.1", {}, True),
        ("block.0.body.1", {}, True),
        ("block.0", {}, False),
        ("block.body", {}, False),
        ("block.body.to", {}, False),
        ("widths.body.0", {}, False),
    ],
)
def test_the_path_of_an_op_is_known(
    path: str, data: dict[str, Any], inside: bool
) -> None:
    keys = (int(key) if key.isdecimal() else key for key in path.split("."))
    assert in_chain(tuple(keys), data) is inside


@given(
    st.lists(st.text(max_size=12) | st.sampled_from(sorted(FIELDS)), max_size=3),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.text(max_size=9), inner, max_size=3)
        ),
        max_leaves=6,
    ),
)
def test_whatever_is_written_the_answer_can_be_shown(
    keys: list[str], value: object
) -> None:
    for key in reversed(keys):
        value = {key: value}
    overrides = value if isinstance(value, dict) else {"depths": value}
    overrides = {key: v for key, v in overrides.items() if all(key.split("."))}
    found: tuple[Problem, ...] = ()
    try:
        load("resnet18", overrides)
    except SpecError as error:
        found = error.problems
    assert all(problem.message.isprintable() for problem in found)


# --- one mistake, one message -------------------------------------------------------------


@pytest.mark.parametrize(
    "key", ["extend", "extnds", "base", "_base_", "inherits", "arch"]
)
def test_a_typo_of_extends_is_all_that_is_said(key: str, tmp_path: Path) -> None:
    text = own("block: basic").replace("extends", key)
    (problem,) = problems(text, tmp_path)
    assert "extends" in problem.message


def test_the_known_keys_are_listed_once_and_have_extends(tmp_path: Path) -> None:
    found = problems(own("colour: 1", "size: 2", "shade: 3"), tmp_path)
    listed = ["known here: extends, name, " in problem.message for problem in found]
    assert listed == [True, False, False]


@pytest.mark.parametrize("key", ["model", "network", "backbone", "resnet"])
def test_what_stands_below_a_key_of_its_own_goes_to_the_top(
    key: str, tmp_path: Path
) -> None:
    spec = Path("specs/resnet50.yaml").read_text(encoding="utf-8")
    below = "".join(f"  {line}\n" for line in spec.splitlines())
    (problem,) = problems(f"{key}:\n{below}", tmp_path)
    assert problem.message.startswith(f"unknown key; take `{key}:` away")


@pytest.mark.parametrize("key", ["MODEL", "RESNET", "backbone", "model"])
def test_keys_of_others_below_one_of_theirs_are_judged(
    key: str, tmp_path: Path
) -> None:
    whole, depth, down = problems(
        own(f"{key}: {{DEPTH: 50, avg_down: true}}"), tmp_path
    )
    assert whole.message.startswith(f"unknown key; take `{key}:` away")
    assert depth.path == (key, "DEPTH")
    assert (
        depth.message == "unknown key; write depths: [3, 4, 6, 3], or extends: resnet50"
    )
    assert down.message == "unknown key; write shortcut: avg_projection"
