"""Network -> nn.Module. Torch is imported here, in `layers` and in `train`."""

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ImportError("this needs torch: pip install 'resnet-spec[torch]'")

from resnet_spec.build.against import compare, naming_of, reference, takes
from resnet_spec.build.equality import verify
from resnet_spec.build.modules import build
from resnet_spec.build.weights import WeightsError, load_weights

__all__ = [
    "WeightsError",
    "build",
    "compare",
    "load_weights",
    "naming_of",
    "reference",
    "takes",
    "verify",
]
