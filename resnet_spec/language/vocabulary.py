"""What others call it, and what to write here.

Data: the words of torchvision 0.29, timm 1.0, Hugging Face, OpenMMLab, detectron2, Keras,
pycls, and of people who type from memory. Words are compared without case and punctuation.
In an answer VALUE is what was written, and INVERSE is 1 over it. What has no answer here that
means the same has none, since a suggestion must not change the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from resnet_spec.catalog import words
from resnet_spec.problems import FieldPath
from resnet_spec.problems.words import flow, nearest

DEPTHS = {
    18: [2, 2, 2, 2],
    34: [3, 4, 6, 3],
    50: [3, 4, 6, 3],
    101: [3, 4, 23, 3],
    152: [3, 8, 36, 3],
}

KEYS: Mapping[str, str] = {
    # --- the whole ------------------------------------------------------------------------
    "write extends: VALUE": "extend base _base_ inherit inherits from parent include "
    "template arch architecture model backbone network net encoder",
    "leave it out, every spec is a residual network": "model_type architectures type version",
    "leave it out, a spec has no weights; load_weights(model, FILE) and train --weights FILE "
    "do": "pretrained weights checkpoint pretrained_cfg init_checkpoint load_from resume",
    "leave it out, it is an option of resnet-spec train": "lr learning_rate optimizer epochs "
    "batch_size weight_decay scheduler schedule augment seed precision",
    "leave it out, and write --features 1,2,3,4 behind build": "out_indices out_features "
    "features_only return_layers features feature_maps",
    "leave it out, norm: {type: frozen} and train --freeze-backbone freeze": "frozen_stages "
    "freeze_at norm_eval freeze trainable",
    # --- the image ------------------------------------------------------------------------
    "write input: [VALUE, 224, 224]": "in_chans in_channels num_channels "
    "input_channels image_channels in_ch",
    "write input: [3, 224, 224], channels before height and width": "input_size image_size "
    "img_size input_shape image_shape resolution crop_size shape",
    "write input: [3, 224, 224] for the image, widths: [64, 128, 256, 512] for blocks": ""
    "channels",
    "leave it out, channels come first": "data_format channels_last channels_first",
    # --- stages ---------------------------------------------------------------------------
    "write depths: VALUE": "layers num_blocks block_counts stage_blocks stage_depths repeats "
    "blocks num_layers layer_counts units",
    "write a list for each field, as depths: [3, 4, 6, 3] for 4 stages": "stages num_stages "
    "n_stages",
    "write widths: VALUE": "planes filters num_filters stage_widths",
    "write widths: [64, 128, 256, 512] for outputs of [256, 512, 1024, 2048], which are "
    "expansion times as many": "hidden_sizes out_channels stage_channels embed_dims "
    "res2_out_channels",
    "write widths, each times VALUE, as widths: [128, 256, 512, 1024] for 2": "width_factor "
    "width_multiplier width_mult widen_factor channel_multiplier",
    "write strides: VALUE": "stage_strides",
    "write strides: [1, 2, 1, 1] and dilations: [1, 1, 2, 4] for output stride 8": ""
    "output_stride replace_stride_with_dilation",
    "write strides: [1, 2, 2, 2] for false, strides: [2, 2, 2, 2] for true": ""
    "downsample_in_first_stage",
    "here the first block of a stage has the dilation of the stage before, and no other": ""
    "contract_dilation res5_dilation multi_grid",
    # --- blocks ---------------------------------------------------------------------------
    "write block: VALUE": "layer_type block_type block_fn trans_fun unit_type basic",
    "write stride_on: conv1 where the first 1x1 strides, stride_on: conv2 for the 3x3": ""
    "style stride_in_1x1 stride_1x1 downsample_in_bottleneck",
    "write groups: VALUE": "cardinality num_groups",
    "write width_per_group: VALUE": "base_width bottleneck_width",
    "write reduce_first: VALUE": "block_reduce_first",
    "write pre_activation: VALUE": "preact pre_act preactivation",
    "write shortcut: avg_projection": "avg_down avg_downsample",
    "write shortcut: projection3x3": "down_kernel_size",
    "write shortcut: projection": "downsample",
    "write shortcut: VALUE": "shortcut_type downsample_type",
    "write anti_alias: VALUE": "aa_layer antialias blur_pool",
    "write drop_path: VALUE": "drop_path_rate stochastic_depth drop_connect "
    "drop_connect_rate stochastic_depth_rate",
    "convolutions have no bias here": "bias use_bias conv_bias",
    "there is no DropBlock here": "drop_block_rate dropblock drop_block",
    "write standardization: {eps: 1e-8} for StdConv2d": "conv_layer",
    "write expansion: 4 for 0.25": "bottle_ratio bottleneck_ratio",
    "write its fields at the top, as attention: se": "block_args block_kwargs",
    "leave it out, build_model(SPEC, device=...) has it": "device dtype",
    # --- attention ------------------------------------------------------------------------
    "write attention: VALUE": "attn_layer attention_type attn",
    "write attention: se": "use_se se_layer se_module squeeze_excite squeeze_and_excitation",
    "write se: {ratio: VALUE}": "rd_ratio se_ratio",
    "write se: {ratio: INVERSE}": "reduction se_reduction reduction_ratio",
    # --- norm, activation, weights --------------------------------------------------------
    "write norm: {type: batch}, or frozen or group for batch": "norm_layer norm_cfg bn "
    "normalization norm_type batch_norm batchnorm",
    "write norm: {eps: VALUE}": "bn_eps batch_norm_eps norm_eps epsilon eps",
    "write norm: {momentum: VALUE}": "bn_momentum batch_norm_momentum bn_mom momentum",
    "write activation: VALUE": "act act_layer activation_fn activation_function "
    "nonlinearity act_func",
    "there is no such network here, where one activation is that of stem, blocks and sums": ""
    "hidden_act",
    "write init: {zero_last_norm: VALUE}": "zero_init_residual zero_init_last zero_gamma "
    "zero_init_final_gamma zero_init_last_bn zero_init",
    "write init: {scheme: kaiming}": "weight_init initializer init_cfg kernel_initializer",
    # --- the stem -------------------------------------------------------------------------
    "write stem: {type: VALUE}": "stem_type",
    "write stem: {width: VALUE}": "stem_channels stem_out_channels embedding_size inplanes "
    "stem_filters stem_chs",
    "write stem: {width: VALUE}, which in deep ones is twice timm's": "stem_width",
    "write stem: {type: deep, width: 64, pool: max}": "deep_stem",
    "write stem: {pool: conv}": "replace_stem_pool",
    "write type: conv7x7 or type: conv3x3": "stem.kernel stem.kernel_size stem.conv",
    "leave it out, conv7x7 halves height and width and conv3x3 keeps them": "stem.stride "
    "stem.padding",
    "write width: VALUE": "stem.channels stem.out_channels stem.filters stem.planes",
    "write pool: max or pool: none": "stem.maxpool stem.max_pool stem.pooling stem.pool_type",
    "leave it out, what stands at the top holds for the stem too": "stem.activation stem.norm "
    "stem.act stem.bn",
    # --- the head -------------------------------------------------------------------------
    "write head: {classes: VALUE}": "num_classes num_labels n_classes nb_classes class_num "
    "classes nclass fc",
    "write head: {dropout: VALUE}": "drop_rate dropout_rate classifier_dropout",
    "write head: {pool: global}": "pooling global_pool gap avgpool avg_pool",
    "write head: {classes: none} for no classifier": "include_top",
    "leave it out, the head gives logits": "classifier_activation softmax",
    "write classes: VALUE": "head.num_classes head.units head.out_features head.n_classes",
    "write classifier: linear": "head.type head.kind head.name head.layer",
    "write pool: global": "head.pooling head.avgpool head.global_pool",
    # --- inside other fields --------------------------------------------------------------
    "write type: VALUE": "norm.name norm.kind stem.name stem.kind spatial.name spatial.kind",
    "write groups: VALUE in norm": "norm.num_groups",
    "write eps: VALUE": "norm.epsilon",
    "write ratio: VALUE": "se.rd_ratio se.se_ratio",
    "write ratio: INVERSE": "se.reduction se.reduction_ratio se.r",
    "write macs: VALUE, multiply-adds": "expect.flops expect.madds expect.mult_adds "
    "expect.gflops",
    "write params: VALUE": "expect.parameters expect.num_params expect.n_params",
    "write expect: {macs: VALUE}": "flops macs",
    "write expect: {params: VALUE}": "params parameters num_params",
}
"""What to write, or to leave out, for keys of others; before a dot stands the key above."""

WORDS: Mapping[str, Mapping[str, str]] = {
    "stem.type": {
        "conv7x7": "7x7 conv7 imagenet standard default",
        "conv3x3": "3x3 conv3 cifar cifar10 cifar100",
        "deep": "deep_stem v1c v1d",
        "tiered": "deep_tiered",
        "none": "identity false no",
    },
    "stem.pool": {
        "max": "maxpool maxpool2d true 3x3",
        "max_blur": "blur blurpool maxblurpool",
        "avg": "avgpool avgpool2d average mean",
        "none": "identity false no",
    },
    "block": {
        "basic": "basicblock basic_transform",
        "bottleneck": "bottleneckblock bottleneck_transform bottlenecks",
    },
    "stride_on": {
        "conv1": "v1 caffe tensorflow tf keras msra 1x1",
        "conv2": "v1.5 v15 pytorch torch torchvision 3x3",
    },
    "shortcut": {
        "projection": "b option_b conv conv1x1 1x1 type_b true",
        "projection_always": "c option_c type_c always",
        "zero_pad": "a option_a type_a pad zeros zero_padding padding",
        "avg_projection": "avg_down avgpool avg",
        "none": "false no plain",
    },
    "attention": {
        "se": "squeeze_excite squeeze_excitation squeeze_and_excitation se_block se_layer "
        "se_module senet",
        "eca": "ecanet eca_layer eca_module",
        "none": "false no off identity",
    },
    "activation": {"relu": "nn.relu", "silu": "swish nn.silu"},
    "norm.type": {
        "batch": "bn batchnorm batchnorm2d nn.batchnorm2d",
        "group": "gn groupnorm nn.groupnorm",
        "frozen": "frozenbn fbn frozen_batch frozenbatchnorm frozenbatchnorm2d",
        "frn": "filter_response filter_response_norm",
        "evonorm_s0": "evos",
    },
    "spatial.type": {
        "res2net": "res2",
        "selective_kernel": "sk sknet",
        "split_attention": "splat resnest",
    },
    "anti_alias": {
        "avg": "avgpool",
        "blur": "blurpool blurpool2d",
        "none": "false no off",
    },
    "init.scheme": {"kaiming": "he msra kaiming_normal c2_msra_fill"},
    "head.pool": {
        "global": "avg avgpool mean average gap global_avg adaptive adaptive_avg "
        "adaptiveavgpool2d global_average globalavgpool",
    },
    "head.classes": {"none": "no false"},
    "head.classifier": {"linear": "fc dense", "conv": "1x1 conv1x1"},
}
"""The word of ours that each of others means just as well, by the field."""

SENTENCES: Mapping[str, str] = {
    **{
        f"{key}: {layers}": f"write depths: {depths}, or extends: resnet{layers}"
        for key in ("depth", "layers", "num_layers")
        for layers, depths in DEPTHS.items()
    },
    "hidden_act: relu": "write activation: relu",
    "contract_dilation: true": "leave it out, so it is here",
    "res5_dilation: 1": "leave it out, so it is here",
    "style: pytorch": "write stride_on: conv2",
    "style: caffe": "write stride_on: conv1",
    **{
        f"{key}: {said}": f"write stride_on: {on}"
        for key in ("stride_in_1x1", "stride_1x1", "downsample_in_bottleneck")
        for said, on in (("true", "conv1"), ("false", "conv2"))
    },
    "output_stride: 16": "write strides: [1, 2, 2, 1] and dilations: [1, 1, 1, 2]",
    "output_stride: 32": "leave it out, strides: [1, 2, 2, 2] has it",
    "include_top: true": "leave it out, head: {classes: 1000} is the top",
    "stem.kernel: 7": "write type: conv7x7",
    "stem.kernel: 3": "write type: conv3x3",
    "stem.kernel_size: 7": "write type: conv7x7",
    "stem.kernel_size: 3": "write type: conv3x3",
    "se: true": "write attention: se",
    "se: false": "write attention: none",
    "norm: group": "write norm: {type: group, groups: 32}",
    "norm: gn": "write norm: {type: group, groups: 32}",
    "shortcut: identity": "projection is the identity wherever the shape stays, and zero_pad "
    "everywhere",
    "norm.type: syncbn": "write batch, which SyncBatchNorm.convert_sync_batchnorm of torch "
    "converts",
    **{
        f"input [{rule}]": "write channels, height and width of one image, as [3, 224, 224], "
        "for networks of 1 or 3 dimensions are not built"
        for rule in ("too-short", "too-long")
    },
    "dropout [unused]": "the one before the classifier is head: {dropout: VALUE}",
}
"""Answers to a key with that value, and to a field that breaks that rule."""

OTHER_THINGS = ("selu", "rrelu", "evonormb0", "resnet")
"""Words that stand close to one of ours and are no misspelling of it."""


def plainly(text: str) -> str:
    """Letters and digits, and what tells keys, values and rules apart."""
    return re.sub(r"[^a-z0-9.:\[\]]", "", text.lower())


KEYS_OF_OTHERS = {plainly(k): said for said, keys in KEYS.items() for k in keys.split()}
SAID = {plainly(text): said for text, said in SENTENCES.items()}


def answer(path: FieldPath, value: Any, rule: str) -> str:
    """What to write in place of that; empty where the table has nothing that means the same."""
    names = [part for part in path if isinstance(part, str)]
    dotted, key = ".".join(names), names[-1] if names else ""
    texts = [f"{dotted}: {flow(value)}", f"{dotted} [{rule}]"]
    found = [SAID.get(plainly(text), "") for text in texts]
    if rule == "unknown-key":
        found.append(KEYS_OF_OTHERS.get(plainly(dotted), ""))
        elsewhere = KEYS_OF_OTHERS.get(plainly(key), "")
        found.append(elsewhere if elsewhere.startswith("write") else "")
    if rule == "choice":
        found.append(_in_our_words(dotted, value))
    said = next(filter(None, found), "")
    return "".join(_filled(said, value))


def misspelling(word: str, known: Iterable[str]) -> str:
    """` (did you mean batch?)`, where a word is nothing but a misspelling of that one.

    What differs in a number or begins with another letter is another thing, as conv3.
    """
    if len(word) < 4 or plainly(word) in OTHER_THINGS:
        return ""
    alike = [
        name
        for name in known
        if word[0].lower() == name[0]
        and re.findall(r"\d", word) == re.findall(r"\d", name)
    ]
    return nearest(word, alike, least=0.75)


def our_word(field: str, value: Any) -> str:
    """The word of the field that a value is, or means in others' words; empty if none."""
    text = plainly(flow(value))
    for word in words(field):
        if text in map(plainly, (word, *WORDS.get(field, {}).get(word, "").split())):
            return word
    return ""


def _in_our_words(field: str, value: Any) -> str:
    word = our_word(field, value) if field in WORDS else ""
    return f"write {word}" if word else ""


def _filled(said: str, value: Any) -> Iterator[str]:
    field = re.match(r"write (\w+): VALUE", said)
    ours = our_word(field[1], value) if field and field[1] in WORDS else ""
    shown = ours or flow(value)
    for part in re.split("(VALUE|INVERSE)", said):
        if part == "VALUE":
            yield shown if len(shown) <= 40 else "..."
        elif part == "INVERSE":
            yield (
                f"{1 / value:.4g}"
                if isinstance(value, (int, float)) and value
                else "0.0625"
            )
        else:
            yield part
