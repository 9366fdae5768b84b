"""The bytes of an ONNX graph -> what evaluates images once, by a runtime."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from resnet_spec.bench.timing import Call

Images = NDArray[np.float32]


def _onnx_runtime(graph: bytes, images: Images, threads: int) -> Call:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3  # errors
    # Its threads wait for work by turning around, which would slow down whoever is next.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(graph, options, ["CPUExecutionProvider"])
    feed = {session.get_inputs()[0].name: images}
    return lambda: session.run(None, feed)[0]


def _openvino(graph: bytes, images: Images, threads: int) -> Call:
    import openvino

    core = openvino.Core()
    model = core.read_model(graph)
    model.reshape(list(images.shape))
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "INFERENCE_PRECISION_HINT": "f32",  # else 16 bits where the CPU has those
    }
    request = core.compile_model(model, "CPU", settings).create_infer_request()
    return lambda: request.infer([images], share_inputs=True, share_outputs=True)[0]


RUNTIMES: dict[str, Callable[[bytes, Any, int], Call]] = {
    "onnxruntime": _onnx_runtime,
    "openvino": _openvino,
}
