from escriba.errors import EscribaError


class BackupError(EscribaError, RuntimeError):
    """A backup could not be made, checked or restored; never with a password or an address."""


class DamagedBackupError(BackupError):
    """What was written is not what the database had; nobody may restore it."""
