"""Modules that torch.nn lacks, one file each, complete by themselves.

`build` imports them; `render` copies the text of a class into the files that use it.
"""

from resnet_spec.layers.pad_channels import PadChannels

__all__ = ["PadChannels"]
