"""Opens and decodes strangers' files in child processes with limits (docs/decisions/0021)."""
