"""The light diarizer: segmentation-3.0 and CAM++ on onnxruntime, without torch."""

from .diarizer import LightDiarizer

__all__ = ["LightDiarizer"]
