"""pyannote.audio 4 behind `Diarizer`, in bounded memory for recordings of any length.

The models, their thresholds and the order of steps are pyannote's; the steps that grow with the
length of the recording (linkage, reconstruction, the waveform as float32) are reimplemented here
in slices. Importing this package does not import torch.
"""

from .diarizer import PyannoteDiarizer

__all__ = ["PyannoteDiarizer"]
