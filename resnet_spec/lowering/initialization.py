"""How weights start, by the scheme that a spec names."""

from __future__ import annotations

from resnet_spec.network import Init, Start

CLASSIFIER = Start(weight="normal_0.01", bias="zeros")
SCHEMES = {
    "kaiming": Init(Start("kaiming_fan_out")),
    "bit": Init(Start("kaiming_fan_out", "zeros"), CLASSIFIER),
    "regnet": Init(Start("kaiming_fan_out_grouped", "zeros"), CLASSIFIER),
}
