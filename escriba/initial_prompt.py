"""The limit on the initial prompt, checked when it is set and before anything is computed."""

MAX_TOKENS = 223  # of hotwords and prompt together (gpu_job/transcribe/input_limits.py)
_CHARS_PER_TOKEN = 7  # generous: English, the densest in Whisper's vocabulary, has 4.5


def check_prompt(text: str) -> str:
    """The text itself; ValueError if it is far too long. The worker counts its tokens exactly."""
    max_chars = MAX_TOKENS * _CHARS_PER_TOKEN
    if len(text) > max_chars:
        raise ValueError(
            f"it has {len(text):,} characters; Whisper takes {MAX_TOKENS} tokens of prompt and "
            "hotwords together, about 900 characters: shorten it"
        )
    return text
