"""The names of all backends; no other file spells them.

A backend that runs jobs has a module of the same name in `resources/gpu/backends`. The others occur
only in prices and bills: `escriba estimate` compares with them, and no job is sent there.
"""

from typing import Final

LOCAL: Final = "local"
RUNPOD: Final = "runpod"
AWS_GPU: Final = "aws_gpu"
GCP_GPU: Final = "gcp_gpu"
OPENAI: Final = "openai"
PYANNOTE_AI: Final = "pyannote_ai"

BACKENDS: Final = (LOCAL, RUNPOD, AWS_GPU, GCP_GPU, OPENAI, PYANNOTE_AI)
SPEAKERS_ALONE: Final = frozenset({PYANNOTE_AI})  # these find speakers and do not transcribe
TITLES: Final = {
    RUNPOD: "RunPod",
    AWS_GPU: "AWS",
    GCP_GPU: "Google Cloud",
    OPENAI: "OpenAI",
    PYANNOTE_AI: "pyannoteAI",
    LOCAL: "This machine",
}
