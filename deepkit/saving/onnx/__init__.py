"""Export to ONNX: a model as a graph of basic operations that other runtimes execute."""

from .export import export_onnx

__all__ = ["export_onnx"]
