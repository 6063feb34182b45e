"""Compact token ids: only the tokens that the grammars need have embeddings while training.

The first eight ids are Whisper's special tokens, then the words' tokens; timestamps follow after
the last of them, one for each 20 ms (`vocabulary.py`).
"""

SPECIAL_TOKENS = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    "<|en|>",
    "<|pt|>",
    "<|transcribe|>",
    "<|startofprev|>",
    "<|nospeech|>",
    "<|notimestamps|>",
]
(
    END,
    START,
    ENGLISH,
    PORTUGUESE,
    TRANSCRIBE,
    PREVIOUS,
    NO_SPEECH,
    NO_TIMESTAMPS,
) = range(len(SPECIAL_TOKENS))
NOT_SCORED = -1  # a target that the loss passes over
LANGUAGE = {"en": ENGLISH, "pt": PORTUGUESE}
