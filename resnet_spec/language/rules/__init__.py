"""What must hold between the fields of a spec. One rule, one function."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from resnet_spec.language.plan import Plan
from resnet_spec.language.rules import (
    chains,
    choices,
    conventions,
    heads,
    stages,
    widths,
)
from resnet_spec.problems import Problem

Check = Callable[[Plan], Iterator[Problem]]

LENGTHS: tuple[Check, ...] = (
    stages.one_entry_per_stage,
    stages.one_entry_per_block,
)
"""What is asked first: where it does not hold, a field has no value in some stage."""
CHECKS: tuple[Check, ...] = (
    stages.not_too_many_blocks,
    choices.what_is_needed_is_there,
    choices.what_is_there_is_read,
    choices.what_goes_together,
    chains.every_op_takes_what_is_said,
    chains.every_word_has_a_meaning,
    chains.every_multiplier_learns,
    chains.one_op_strides,
    chains.channels_fit,
    conventions.are_said_where_they_matter,
    stages.dilation_is_used,
    stages.ibn_b_ends_a_stage,
    stages.a_path_can_be_dropped,
    widths.groups_divide,
    widths.groups_are_whole,
    widths.stem_divides,
    widths.reduced_is_whole,
    widths.every_block_is_pruned,
    heads.other_maps_are_refused,
    heads.a_convolution_reads_a_map,
)
