"""The five assets of a recording in their order, and the checks of each."""

RAW_AUDIO = "raw_audio"
OPTIMIZED_AUDIO = "optimized_audio"
TRANSCRIPT = "transcript"
DIARIZED_TRANSCRIPT = "diarized_transcript"
COST_METRICS = "cost_metrics"

RECORDINGS_JOB = "recordings_job"
NIGHTLY_JOB = "nightly_job"
DIGEST_JOB = "digest_job"
NIGHT_TAG = "escriba/night"  # run tag: the night, as a date
CHAIN = "recording_chain"  # the multi_asset of the five stages

STAGES = (RAW_AUDIO, OPTIMIZED_AUDIO, TRANSCRIPT, DIARIZED_TRANSCRIPT, COST_METRICS)

# recreated on the CPU from an existing transcript when only settings of output files change
FILE_STAGES = (DIARIZED_TRANSCRIPT, COST_METRICS)

# A version rises when a stage would produce something else from the same input; the stage then runs
# again. For the transcript this is free: the identity of the job decides whether it is computed.
VERSIONS = {
    RAW_AUDIO: 2,  # number of audio tracks in the file
    OPTIMIZED_AUDIO: 2,  # container timestamps, all channels, choice of track
    TRANSCRIPT: 1,
    DIARIZED_TRANSCRIPT: 2,  # joined words, no SPEAKER_UNKNOWN without words, lines by script
    COST_METRICS: 2,  # records the model that produced the words
}

LENGTH_AGREES = "decoded_length_agrees"
EVERY_WORD_HAS_A_SPEAKER = "every_word_has_a_speaker"
TIMES_ARE_IN_ORDER = "times_are_in_order_and_inside_the_recording"
NOTHING_TO_WARN_OF = "nothing_to_warn_of"
A_REAL_MODEL_HEARD_IT = "a_real_model_heard_it"
COST_IS_KNOWN = "cost_is_known"

# check -> its asset, and its description
CHECKS = {
    LENGTH_AGREES: (OPTIMIZED_AUDIO, "The decoded audio is as long as the file declares."),
    A_REAL_MODEL_HEARD_IT: (
        TRANSCRIPT,
        "The words come from a real speech model, not from the demo's toy model.",
    ),
    EVERY_WORD_HAS_A_SPEAKER: (
        DIARIZED_TRANSCRIPT,
        "Every word is assigned to a speaker, none to SPEAKER_UNKNOWN.",
    ),
    TIMES_ARE_IN_ORDER: (
        DIARIZED_TRANSCRIPT,
        "Segments and words are in time order and lie within the recording.",
    ),
    NOTHING_TO_WARN_OF: (
        DIARIZED_TRANSCRIPT,
        "The recording has no warnings; the metadata lists any by their codes.",
    ),
    COST_IS_KNOWN: (COST_METRICS, "Every attempt for the recording has ended and has a price."),
}
