"""Opening ONNX models that lie as data files inside other packages."""

import importlib.util
from pathlib import Path

import onnxruntime

from agents.runtime.errors import BackendUnavailable


def data_file(package: str, path: str) -> Path:
    """``path`` inside an installed package, which is not imported.

    Raises:
        BackendUnavailable: the package is not installed or has no such file.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise BackendUnavailable(f"{package} is not installed, and its file {path} is needed")
    file = Path(spec.origin).parent / path
    if not file.is_file():
        raise BackendUnavailable(f"{package} is installed without {path}")
    return file


def session(model: Path) -> onnxruntime.InferenceSession:
    """A session on one thread: many robots share the cores, and more threads only spin."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
