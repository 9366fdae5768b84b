"""How long networks take on this machine, in each form in which they run."""

FORMS: dict[str, tuple[str, ...]] = {
    "eager": (),
    "channels_last": (),
    "folded": (),
    "compile": (),
    "onnxruntime": ("onnx", "onnxruntime"),
    "openvino": ("onnx", "openvino"),
}
"""The forms of a network, and what each needs beside torch. The others are held to eager."""
EAGER = "eager"
