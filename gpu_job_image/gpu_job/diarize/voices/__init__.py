"""The light diarizer on real voices: segmentation-3.0 and CAM++ on onnxruntime, without torch."""

from .diarizer import VoicesDiarizer

__all__ = ["VoicesDiarizer"]
