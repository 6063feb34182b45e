"""The five assets of a recording, in their order, and what can be said to hold of each."""

RAW_AUDIO = "raw_audio"
OPTIMIZED_AUDIO = "optimized_audio"
TRANSCRIPT = "transcript"
DIARIZED_TRANSCRIPT = "diarized_transcript"
COST_METRICS = "cost_metrics"

RECORDINGS_JOB = "recordings_job"
CHAIN = "recording_chain"  # the multi_asset that makes them

STAGES = (RAW_AUDIO, OPTIMIZED_AUDIO, TRANSCRIPT, DIARIZED_TRANSCRIPT, COST_METRICS)

# raised when a stage would make something else of the same input: then it is done again.
# That of the transcript costs nothing: the job's identity decides whether it is computed anew.
VERSIONS = {
    RAW_AUDIO: 2,  # how many sounds the file has
    OPTIMIZED_AUDIO: 2,  # the clock of the container, all channels, the right track
    TRANSCRIPT: 1,
    DIARIZED_TRANSCRIPT: 2,  # words join, no SPEAKER_UNKNOWN of nobody, lines of each script
    COST_METRICS: 2,  # what made the words is kept with them
}

LENGTH_AGREES = "decoded_length_agrees"
EVERY_WORD_HAS_A_SPEAKER = "every_word_has_a_speaker"
TIMES_ARE_IN_ORDER = "times_are_in_order_and_inside_the_recording"
NOTHING_TO_WARN_OF = "nothing_to_warn_of"
A_REAL_MODEL_HEARD_IT = "a_real_model_heard_it"
COST_IS_KNOWN = "cost_is_known"

# check -> the asset it is about, and what it says
CHECKS = {
    LENGTH_AGREES: (OPTIMIZED_AUDIO, "What was decoded is as long as the file declares."),
    A_REAL_MODEL_HEARD_IT: (
        TRANSCRIPT,
        "The words come from a speech model, and not from the toy of the demo.",
    ),
    EVERY_WORD_HAS_A_SPEAKER: (DIARIZED_TRANSCRIPT, "No word is left to SPEAKER_UNKNOWN."),
    TIMES_ARE_IN_ORDER: (
        DIARIZED_TRANSCRIPT,
        "Segments and words follow one another, and none lies outside of the recording.",
    ),
    NOTHING_TO_WARN_OF: (
        DIARIZED_TRANSCRIPT,
        "Nothing is odd about the recording; what is, stands below by its code.",
    ),
    COST_IS_KNOWN: (COST_METRICS, "Every attempt of the recording has ended and has a price."),
}
