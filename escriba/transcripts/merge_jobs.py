"""Joins the words of one job and the turns of another."""

from gpu_job.contract import JobResult

_OF_A_DIARIZER = frozenset({"toy_diarizer"})  # warnings that go with the turns


def with_turns(words: JobResult, found: JobResult, words_revision: str) -> JobResult:
    """The words of a result with the turns of another, as if one job had found both.

    Turns that came with the words are replaced. Job, attempt and usage are those of the words.

    Args:
        words: The result with the words.
        found: The result of the job for the speakers alone.
        words_revision: The revision of the speech model alone.
    """
    kept = (one for one in words.warnings if one.code not in _OF_A_DIARIZER)
    # of the toy diarizer, a toy of a speech model is warning enough
    about_turns = (one for one in found.warnings if not (words.toy and one.code in _OF_A_DIARIZER))
    return words.model_copy(
        update={
            "turns": found.turns,
            "exclusive_turns": found.exclusive_turns,
            "speaker_embeddings": found.speaker_embeddings,
            "diarizer": found.diarizer,
            "model_revision": f"{words_revision}+{found.model_revision}",
            "warnings": (*kept, *about_turns),
        }
    )
