"""Modules that torch.nn lacks, one file each, complete by themselves.

`build` imports them; `render` copies the text of a class into the files that use it.
"""

from resnet_spec.layers.attention_pool2d import AttentionPool2d
from resnet_spec.layers.avg_max_pool2d import AvgMaxPool2d
from resnet_spec.layers.bare_evo_norm_s0a import BareEvoNormS0a
from resnet_spec.layers.bare_filter_response_norm import BareFilterResponseNorm
from resnet_spec.layers.bilinear_attention import BilinearAttention
from resnet_spec.layers.blur_pool2d import BlurPool2d
from resnet_spec.layers.channel_affine import ChannelAffine
from resnet_spec.layers.conv_block_attention import ConvBlockAttention
from resnet_spec.layers.drop_path import DropPath
from resnet_spec.layers.efficient_channel_attention import EfficientChannelAttention
from resnet_spec.layers.evo_norm_s0 import EvoNormS0
from resnet_spec.layers.evo_norm_s0a import EvoNormS0a
from resnet_spec.layers.filter_response_norm import FilterResponseNorm
from resnet_spec.layers.frozen_batch_norm2d import FrozenBatchNorm2d
from resnet_spec.layers.global_context import GlobalContext
from resnet_spec.layers.instance_batch_norm2d import InstanceBatchNorm2d
from resnet_spec.layers.layer_norm2d import LayerNorm2d
from resnet_spec.layers.pad_channels import PadChannels
from resnet_spec.layers.pad_channels_around import PadChannelsAround
from resnet_spec.layers.res2_conv2d import Res2Conv2d
from resnet_spec.layers.scalar_bias import ScalarBias
from resnet_spec.layers.scalar_multiplier import ScalarMultiplier
from resnet_spec.layers.scale import Scale
from resnet_spec.layers.selective_kernel import SelectiveKernel
from resnet_spec.layers.space_to_depth import SpaceToDepth
from resnet_spec.layers.split_attention import SplitAttention
from resnet_spec.layers.squeeze_excite import SqueezeExcite
from resnet_spec.layers.statistics_pool import StatisticsPool
from resnet_spec.layers.std_conv2d import StdConv2d
from resnet_spec.layers.varied_res2_conv2d import VariedRes2Conv2d
from resnet_spec.layers.varied_selective_kernel import VariedSelectiveKernel
from resnet_spec.layers.varied_split_attention import VariedSplitAttention
from resnet_spec.layers.varied_squeeze_excite import VariedSqueezeExcite

__all__ = [
    "AttentionPool2d",
    "AvgMaxPool2d",
    "BareEvoNormS0a",
    "BareFilterResponseNorm",
    "BilinearAttention",
    "BlurPool2d",
    "ChannelAffine",
    "ConvBlockAttention",
    "DropPath",
    "EfficientChannelAttention",
    "EvoNormS0",
    "EvoNormS0a",
    "FilterResponseNorm",
    "FrozenBatchNorm2d",
    "GlobalContext",
    "InstanceBatchNorm2d",
    "LayerNorm2d",
    "PadChannels",
    "PadChannelsAround",
    "Res2Conv2d",
    "ScalarBias",
    "ScalarMultiplier",
    "Scale",
    "SelectiveKernel",
    "SpaceToDepth",
    "SplitAttention",
    "SqueezeExcite",
    "StatisticsPool",
    "StdConv2d",
    "VariedRes2Conv2d",
    "VariedSelectiveKernel",
    "VariedSplitAttention",
    "VariedSqueezeExcite",
]
