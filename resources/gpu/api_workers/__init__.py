"""Worker processes of this machine that call an API for the words, and what APIs have in common."""
