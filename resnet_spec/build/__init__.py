"""Network -> nn.Module. Only here and in `layers` is torch imported."""

from importlib.util import find_spec

if find_spec("torch") is None:
    raise ImportError("this needs torch: pip install 'resnet-spec[torch]'")

from resnet_spec.build.equality import verify
from resnet_spec.build.modules import build

__all__ = ["build", "verify"]
