"""The options of a recording's jobs, limited to what its file allows and to what changes them."""

from escriba.backend_names import PYANNOTE_AI
from gpu_job.contract import JobOptions, Speakers
from resources.demo_models import model_revision, speakers_revision

from .stage_records import fingerprint


def options_for_file(options: JobOptions, channels: int, audio_streams: int) -> JobOptions:
    """The options without channels and tracks that the file does not have."""
    return options.model_copy(
        update={
            "channels": "separate" if channels > 1 else "mixed",
            "track": options.track if audio_streams > 1 else "",
        }
    )


def revision_of(options: JobOptions) -> str:
    """The revision of the models, as far as it changes a result with these options."""
    if options.task == "diarize":
        return speakers_revision(options.diarizer, options.diarization_model)
    return model_revision(options.model, options.diarizer, options.diarization_model)


def wants_turns(options: JobOptions) -> bool:
    """Whether a diarizer finds the speakers; with separate channels, each channel is one."""
    return options.diarizer != "none" and options.channels == "mixed"


def words_alone(options: JobOptions) -> JobOptions:
    """The options of a job for the words, whoever finds the speakers."""
    return options.model_copy(
        update={
            "diarizer": "none",
            "diarization_model": "",
            "speaker_embeddings": False,
            "speakers": Speakers(),
        }
    )


def turns_alone(options: JobOptions) -> JobOptions:
    """The options of a job for the speakers: another model of the words buys no turns again.

    A diarizer without embeddings has none, whatever is wanted.
    """
    return JobOptions(
        model="",
        task="diarize",
        diarizer=options.diarizer,
        diarization_model=options.diarization_model,
        speaker_embeddings=options.speaker_embeddings and options.diarizer != PYANNOTE_AI,
        speakers=options.speakers,
        track=options.track,
    )


def words_digest(options: JobOptions) -> str:
    """A digest of everything that changes the words: equal digests have equal words."""
    words = words_alone(options)
    return fingerprint(words.model_dump(mode="json", exclude_defaults=True), revision_of(words))
