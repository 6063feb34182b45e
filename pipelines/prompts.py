"""How long a prompt may be: told when it is written, before anything is computed."""

MOST_TOKENS = 223  # of hotwords and prompt together (gpu_job/speech/bounds.py)
_LETTERS_A_TOKEN = 7  # English, the densest in Whisper's vocabulary, has 4.5


def check_prompt(text: str) -> str:
    """The text itself; ValueError where it is far too long. The worker's count is the exact one."""
    most = MOST_TOKENS * _LETTERS_A_TOKEN
    if len(text) > most:
        raise ValueError(
            f"it has {len(text):,} letters, and a Whisper bears {MOST_TOKENS} tokens of prompt and "
            "hotwords together, some 900 letters: shorten it"
        )
    return text
