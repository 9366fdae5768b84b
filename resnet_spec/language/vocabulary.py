"""What others call it, and what to write here.

Data: the words of torchvision 0.29, timm 1.0, Hugging Face, OpenMMLab, detectron2, Keras,
pycls, and of people who type from memory. Words are compared without case and punctuation.
What has no answer here that means the same has none, since a suggestion must not change
the network; `answers` looks it up, and `meanings` works out what depends on more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from resnet_spec.catalog import words
from resnet_spec.problems.words import flow, nearest

DEPTHS = {
    18: [2, 2, 2, 2],
    34: [3, 4, 6, 3],
    50: [3, 4, 6, 3],
    101: [3, 4, 23, 3],
    152: [3, 8, 36, 3],
}

CALLED: Mapping[str, str] = {
    "depths": "layers num_blocks block_counts stage_blocks stage_depths stage_sizes repeats "
    "blocks num_layers layer_counts units",
    "widths": "planes filters num_filters stage_widths",
    "strides": "stage_strides",
    "block": "layer_type block_type block_fn trans_fun unit_type",
    "groups": "cardinality num_groups",
    "width_per_group": "base_width bottleneck_width",
    "group_width": "group_size group_w group_widths gw",
    "stages.regnet.w_0": "w_0 w0 width_initial stages.regnet.w0 stages.regnet.width_initial",
    "stages.regnet.w_a": "w_a wa width_slope stages.regnet.wa stages.regnet.width_slope",
    "stages.regnet.w_m": "w_m wm stages.regnet.wm stages.regnet.width_mult",
    "stages.regnet.d": "d stages.regnet.depth stages.regnet.num_layers",
    "stages.regnet.group_width": "stages.regnet.group_w stages.regnet.group_size "
    "stages.regnet.g stages.regnet.gw",
    "reduce_first": "block_reduce_first",
    "shortcut": "shortcut_type downsample_type downsample",
    "drop_path": "drop_path_rate stochastic_depth drop_connect drop_connect_rate "
    "stochastic_depth_rate",
    "attention": "attn_layer attention_type attn use_se se_layer se_module squeeze_excite "
    "squeeze_and_excitation",
    "anti_alias": "aa_layer antialias blur_pool",
    "blur_taps": "filter_size filt_size blur_kernel",
    "se.ratio_of": "ratio_of",
    "norm.groups": "norm.num_groups",
    "norm.channels_per_group": "norm.group_size norm.channels_in_group",
    "norm.eps": "bn_eps batch_norm_eps norm_eps epsilon eps norm.epsilon",
    "norm.momentum": "bn_momentum batch_norm_momentum bn_mom momentum norm.mom",
    "activation": "act act_layer act_cfg activation_fn activation_function nonlinearity "
    "act_func",
    "init.zero_last_norm": "zero_init_residual zero_init_last zero_gamma "
    "zero_init_final_gamma zero_init_last_bn zero_init",
    "init.scheme": "weight_init initializer init_cfg kernel_initializer",
    "stem.type": "stem_type stem.name stem.kind stem.kernel stem.kernel_size stem.conv",
    "stem.width": "stem_channels stem_out_channels embedding_size inplanes stem_filters "
    "stem_chs stem.channels stem.out_channels stem.filters stem.planes",
    "stem.pool": "stem.maxpool stem.max_pool stem.pooling stem.pool_type",
    "spatial.type": "spatial.name spatial.kind",
    "head.classes": "num_classes num_labels n_classes nb_classes class_num classes nclass fc "
    "head.num_classes head.units head.out_features head.n_classes",
    "head.dropout": "drop_rate dropout_rate classifier_dropout",
    "head.pool": "pooling global_pool gap avgpool avg_pool head.pooling head.avgpool "
    "head.global_pool",
    "head.classifier": "head.type head.kind head.name head.layer",
    "head.hidden": "fc_dims head.fc_dims head.hidden_dims head.layers head.mlp",
    "expect.macs, multiply-adds": "expect.flops expect.madds expect.mult_adds expect.gflops "
    "flops macs",
    "expect.params": "expect.parameters expect.num_params expect.n_params params parameters "
    "num_params",
}
"""Our field, and the keys of others that have its value; before a dot comes the key above."""

WEIGHTS = (
    "leave it out, a spec has no weights; load_weights(model, FILE) and train --weights FILE "
    "do"
)
KEYS: Mapping[str, str] = {
    "leave it out": "version transformers_version",
    "write it as a chain in head.pre, as resnet33ts has one": "head.conv "
    "num_features head.final_conv head.num_features final_conv",
    "write scale as the last op of the body of a block of one's own": "res_scale "
    "residual_scale",
    WEIGHTS: "pretrained weights checkpoint pretrained_cfg init_checkpoint load_from resume",
    "leave it out, it is an option of resnet-spec train": "lr learning_rate optimizer epochs "
    "batch_size weight_decay scheduler schedule augment seed precision",
    "leave it out, norm: {type: frozen} and train --freeze-backbone freeze": "frozen_stages "
    "freeze_at norm_eval freeze trainable",
    "leave it out, the rule is that of bottlenecks with expansion: 1": "stages.regnet.bot_mul "
    "stages.regnet.bottleneck_ratio stages.regnet.bottleneck_multiplier",
    "write it below stages": "regnet",
    "leave it out, it changes no network": "with_cp id2label label2id data_format "
    "channels_last channels_first gradient_checkpointing",
    "leave it out, build_model(SPEC, device=...) has it": "device dtype torch_dtype",
    "leave it out, the head gives logits": "classifier_activation softmax",
    "leave it out, depths has an entry for each stage, as [3, 4, 6, 3]": "num_stages n_stages",
    "leave it out, the field at the top holds for the stem too": "stem.activation stem.norm "
    "stem.act stem.bn",
    "leave it out, the type has it; STEMS": "stem.padding",
    "write depths in its place, as [3, 4, 6, 3]": "stack_fn",
    "write strides with it in front, as [1, 2, 2, 2]": "first_stride",
    "write widths, each times that, as [128, 256, 512, 1024] for 2": "width_factor "
    "width_multiplier width_mult widen_factor channel_multiplier",
    "write dilations with a list for that stage, as [1, 1, 1, [2, 4, 8]]": "multi_grid",
    "write dilations and strides, as [1, 1, 1, 2] and [1, 2, 2, 1], and dilation_from: own": ""
    "res5_dilation",
    "write dilation_from: previous if it contracts, dilation_from: own if not": ""
    "contract_dilation",
    "write stride_on: conv1 where the first 1x1 strides, stride_on: conv2 for the 3x3": ""
    "style stride_in_1x1 stride_1x1 downsample_in_bottleneck",
    "write type: instance_affine for a weight and a bias, type: instance without": ""
    "norm.affine",
    "there is no DropBlock here": "drop_block_rate dropblock drop_block",
    "there is no deformable convolution here": "dcn stage_with_dcn",
    "there are no plugins here; attention weighs channels": "plugins",
    "write its fields at the top, as attention: se": "block_args block_kwargs",
    "write it beside block, not in it": "block.shortcut block.stride_on block.expansion "
    "block.widths block.strides block.activation block.norm",
    "no spec has that; in Hugging Face's ResNet it is the activation of stem and sums, and "
    "relu is inside blocks": "hidden_act",
}
"""What to do about a key of others, whatever its value is."""

OFF = "false none 0 0.0 []"
OUT = "leave it out"
BY_VALUE: Mapping[str, Mapping[str, str]] = {
    "model_type architectures type architecture_type": {
        "resnet [resnetforimageclassification] [resnetmodel] resnetbackbone "
        "imageclassifier build_resnet_backbone": OUT,
        "resnetv1c": "stem.type=deep",
        "resnetv1d": "stem.type=deep; shortcut=avg_projection",
        "seresnet": "attention=se",
        "*": "this is another network than a plain ResNet; start with extends and a name that "
        "resnet-spec list prints",
    },
    "variant": {
        "a": "stride_on=conv1",
        "b": "stride_on=conv2",
        "c": "stride_on=conv2; stem.type=deep",
        "d": "stride_on=conv2; stem.type=deep; shortcut=avg_projection",
    },
    "bias use_bias": {"true": "conv_bias=all", "false none": OUT},
    "bias_downsample": {"true": "conv_bias=projection", "false": OUT},
    "freeze_at norm_eval freeze features_only drop_block_rate "
    "dropblock drop_block dcn stage_with_dcn plugins multi_grid downsample": {OFF: OUT},
    "stage_with_dcn": {"[false,false,false,false]": OUT},
    "width_factor width_multiplier width_mult widen_factor channel_multiplier": {
        "1 1.0": OUT
    },
    "downsample_in_first_stage": {
        "true": "strides=[2, 2, 2, 2]",
        "false": "strides=[1, 2, 2, 2]",
    },
    "contract_dilation": {
        "true": "dilation_from=previous",
        "false": "dilation_from=own",
    },
    "res5_dilation": {"1": OUT},
    "style": {"pytorch": "stride_on=conv2", "caffe": "stride_on=conv1"},
    "stride_in_1x1 stride_1x1 downsample_in_bottleneck": {
        "true": "stride_on=conv1",
        "false": "stride_on=conv2",
    },
    "basic": {"true": "block=basic", "false": OUT},
    "avg_down avg_downsample": {"true": "shortcut=avg_projection"},
    "down_kernel_size": {
        "1": "leave it out, that of a projection is 1x1",
        "3": "shortcut=projection3x3",
    },
    "aa_layer antialias blur_pool": {
        "avg avgpool avgpool2d nn.avgpool2d": "anti_alias=avg; stem.pool=avg",
        "blur blurpool blurpool2d": "anti_alias=blur; stem.pool=max_blur",
        OFF: "anti_alias=none",
    },
    "replace_stem_pool": {
        "true": "stem.pool=conv",
        "false": "leave it out, unless stem.pool is conv",
    },
    "deep_stem": {"true": "stem.type=deep", "false": "stem.type=conv7x7"},
    "stem_type": {OFF: "stem.type=conv7x7"},
    "conv_layer conv_cfg": {
        "stdconv2d": "standardization.eps=1e-8",
        "conv conv2d nn.conv2d create_conv2d false none": OUT,
    },
    "use_se se_layer se_module squeeze_excite squeeze_and_excitation": {
        "true 1": "attention=se"
    },
    "norm_layer norm_cfg bn normalization norm_type batch_norm batchnorm": {
        "true": "norm.type=batch",
        "syncbn syncbatchnorm nn.syncbatchnorm": "leave it out, "
        "SyncBatchNorm.convert_sync_batchnorm of torch converts batch",
    },
    "norm_layer": {"none null": OUT},
    "include_top": {
        "true": "leave it out, head: {classes: 1000} is the top",
        "false": "head.classes=none",
    },
    "init_cfg": {"pretrained": WEIGHTS},
    "hidden_act": {"relu": "activation=relu"},
    "norm": {"group gn": "norm.type=group; norm.groups=32"},
}
"""Fields to write for a key of others with that value, or what to do; `*` is any other."""

MAPPINGS = (
    "model network net backbone encoder resnet config cfg block_args block_kwargs"
)
"""Keys of others that hold fields which are at the top here."""

WORDS: Mapping[str, Mapping[str, str]] = {
    "stem.type": {
        "conv7x7": "7 7x7 conv7 imagenet standard default",
        "conv3x3": "3 3x3 conv3 cifar cifar10 cifar100",
        "conv1x1": "1 1x1 conv1",
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
        "avg_projection": "avg_down avgpool avg",
        "none": "false no plain",
    },
    "attention": {
        "gca": "gc global_context gcnet",
        "bat": "batnonlocalattn ba_transform",
        "se": "squeeze_excite squeeze_excitation squeeze_and_excitation se_block se_layer "
        "se_module senet true yes on",
        "eca": "ecanet eca_layer eca_module",
        "cbam": "cbam_block cbam_layer cbam_module",
        "none": "false no off null identity",
    },
    "activation": {
        "relu": "nn.relu",
        "silu": "swish nn.silu",
        "prelu": "nn.prelu",
        "relu6": "nn.relu6",
        "elu": "nn.elu",
        "gelu": "nn.gelu",
        "mish": "nn.mish",
        "hardswish": "hswish nn.hardswish",
    },
    "conv_bias": {"all": "true yes", "none": "false no"},
    "norm.type": {
        "batch": "bn batchnorm batchnorm2d nn.batchnorm2d batchnormact2d",
        "group": "gn groupnorm nn.groupnorm groupnormact",
        "frozen": "frozenbn fbn frozen_batch frozenbatchnorm frozenbatchnorm2d",
        "instance": "in instancenorm instancenorm2d nn.instancenorm2d",
        "layer": "ln layernorm2d ln2d",
        "none": "false no identity nn.identity",
        "frn": "filter_response filter_response_norm filterresponsenormtlu2d",
        "evonorm_s0": "evos evonorm2ds0",
        "evonorm_s0a": "evonorm2ds0a",
    },
    "preact.shortcut": {"always_activated": "always"},
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
    "init.scheme": {"kaiming": "he msra kaiming_normal kaiminginit c2_msra_fill"},
    "head.pool": {
        "global": "avg avgpool mean average gap global_avg adaptive adaptive_avg "
        "adaptiveavgpool2d global_average globalavgpool",
        "max": "maxpool adaptive_max adaptivemaxpool2d global_max amax",
        "statistics": "stats tstp statistics_pooling",
        "attention": "attn attnpool attn_abs attention_pool attentionpool2d",
        "none": "false no flatten identity",
    },
    "head.classes": {"none": "no false"},
    "head.classifier": {"linear": "fc dense", "conv": "1x1 conv1x1"},
}
"""The word of ours that each of others means just as well, by the field."""

OPS: Mapping[str, str] = {
    "norm": "bn batchnorm batchnorm2d normalization",
    "activation": "act nonlinearity",
    "{conv: 1}": "conv1x1 1x1 pointwise pw",
    "{conv: 3}": "conv conv3x3 3x3 conv2d",
    "{conv: 5}": "conv5x5 5x5",
    "{conv: 7}": "conv7x7 7x7",
    "{conv: 3, groups: each}": "depthwise dw dwconv depthwiseconv",
    "{pool: max, kernel: 3}": "maxpool pool max",
    "{pool: avg, kernel: 3}": "avgpool avg",
    "attention, and attention: se beside block": "se squeezeexcite senet",
    "attention, and attention: eca beside block": "eca ecalayer",
}
"""What to write in a chain for each of those words."""
OP_KEYS: Mapping[str, str] = {
    "called to here, which takes in, width or out": "out out_channels channels filters "
    "planes width output",
    "write the kernel with the op, as {conv: 3}": "kernel_size k size conv2d convolution op "
    "type name layer",
    "write stride: block": "s",
    "write groups: each": "depthwise dw",
    "leave it out, the size is kept at stride 1": "padding pad p",
    "leave it out, it is what the op before gives": "in in_channels inplanes input",
    "called scale here": "res_scale residual_scale",
    "only stem.type and head.pre have it; one op of a block has stride: block": ""
    "space_to_depth",
    "write an entry of its own": "bn act relu norm_layer activation_layer",
}
"""What to do about a key of others in an op of a chain."""

ZEROS = "zero_pad a option_a type_a pad zeros zero_padding padding"
WHICH_ZEROS = (
    "write zero_pad_after for zeros after the input's channels (fb.resnet.torch), "
    "zero_pad_around for half of them before (akamaster's pytorch_resnet_cifar10)"
)
LEAKY = (
    "write activation: {leaky_relu: SLOPE}; the slope is 0.1 in FixMatch's Wide ResNets, 0.01 "
    "in torch, 0.001 in TResNet"
)
SENTENCES: Mapping[str, str] = {
    **{f"shortcut: {word}": WHICH_ZEROS for word in ZEROS.split()},
    **{f"activation: {word}": LEAKY for word in ("leaky", "leakyrelu", "nn.leakyrelu")},
    "norm.type: syncbn": "write batch, which SyncBatchNorm.convert_sync_batchnorm of torch "
    "converts",
    "norm.type: ibn": "write ibn_a, instance and batch side by side, or ibn_b, with instance "
    "after the sum of a stage's last block",
    "stages [model-type]": "blocks in each stage are `depths`",
    "dropout [unused]": "the one before the classifier is head: {dropout: VALUE}",
}
"""Answers to a field with that value, and to a field that breaks that rule."""

BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "y", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "n", "0"), "false"),
}

OTHER_THINGS = ("selu", "rrelu", "evonormb0", "resnet")
"""Words that stand close to one of ours and are no misspelling of it."""


def plainly(text: str) -> str:
    """Letters and digits, and what tells keys, values and rules apart."""
    return re.sub(r"[^a-z0-9.:\[\]]", "", text.lower())


def text_of(value: Any) -> str:
    """A value as the tables have it: a mapping is its type, yes is true, nothing is none."""
    text = plainly(flow(type_of(value)))
    return {"yes": "true", "on": "true", "no": "false", "off": "false"}.get(
        text, text or "none"
    )


def type_of(value: Any) -> Any:
    return value.get("type", value) if isinstance(value, dict) else value


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
    """The word of the field that a value is, or means in others' words; empty if none.

    A word of our own means itself, whatever others mean by it.
    """
    text = plainly(flow(value))
    own = [word for word in words(field) if plainly(word) == text]
    others = (
        word
        for word, synonyms in WORDS.get(field, {}).items()
        if text in map(plainly, synonyms.split())
    )
    return next(iter((*own, *others)), "")
