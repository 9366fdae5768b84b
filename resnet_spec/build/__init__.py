"""Network -> nn.Module. Only here and in `layers` is torch imported."""

try:
    import torch as _torch  # noqa: F401
except ImportError:
    message = "this needs torch: pip install 'resnet-spec[torch]'"
    raise ImportError(message) from None

from resnet_spec.build.equality import verify
from resnet_spec.build.modules import build

__all__ = ["build", "verify"]
