"""The commits of the hub's models that Escriba was released with.

A model of these repositories is downloaded at this commit, whatever its branch holds later. Any
other repository is downloaded at the newest commit of its main branch. To raise a revision, take
the commit from the repository's history on the hub, and measure words again (`make quality`).
"""

from typing import Final

# the repositories behind faster-whisper's short names, and the hub's new name of the turbo model
_TURBO: Final = "0a363e9161cbc7ed1431c9597a8ceaf0c4f78fcf"
PINNED: Final = {
    "Systran/faster-whisper-tiny": "d90ca5fe260221311c53c58e660288d3deb8d356",
    "Systran/faster-whisper-base": "ebe41f70d5b6dfa9166e2c581c45c9c0cfc57b66",
    "Systran/faster-whisper-small": "536b0662742c02347bc0e980a01041f333bce120",
    "Systran/faster-whisper-medium": "08e178d48790749d25932bbc082711ddcfdfbc4f",
    "Systran/faster-whisper-large-v2": "f0fe81560cb8b68660e564f55dd99207059c092e",
    "Systran/faster-whisper-large-v3": "edaa852ec7e145841d8ffdb056a99866b5f0a478",
    "mobiuslabsgmbh/faster-whisper-large-v3-turbo": _TURBO,
    "dropbox-dash/faster-whisper-large-v3-turbo": _TURBO,
    "pyannote/speaker-diarization-community-1": "3533c8cf8e369892e6b79ff1bf80f7b0286a54ee",
}


def pinned_revision(repository: str) -> str | None:
    """The commit to download; None: the newest of the main branch."""
    return PINNED.get(repository)
