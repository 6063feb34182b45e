"""pyannote.audio 4 behind `Diarizer`, in bounded memory for recordings of any length.

The models, their thresholds and the order of steps are pyannote's own; what grows with the
recording's length (the linkage, the reconstruction, the waveform as float32) is done here, in
slices. Importing this package imports no torch.
"""

from .diarizer import PyannoteDiarizer

__all__ = ["PyannoteDiarizer"]
