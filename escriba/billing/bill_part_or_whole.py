"""Checks that refuse files which may belong to the current delivery or to a new one.

Each takes file names by the digest of their lines: the imported files, and the known ones.
"""

from collections.abc import Iterable, Mapping

from .bill_file_names import name_stem
from .invoice_rows import InvoiceError

_Files = Mapping[str, str]
_TOGETHER = "import all files of the new delivery together, with --whole"


def refuse_copies(imported: _Files, known: _Files, bill: str) -> None:
    """Refuse known files under new names: copies, or a new delivery without the other files.

    Raises:
        InvoiceError: the files are ambiguous; says which option to use.
    """
    renamed = {digest: name for digest, name in imported.items() if known.get(digest) != name}
    left = _named(known, without=imported)
    if renamed and left:
        raise InvoiceError(
            f"{_joined(renamed.values())}: the lines are those of "
            f"{_joined(known[digest] for digest in renamed)}, which was imported for {bill} "
            f"together with {left}. Use --part if it is the same file again, or --whole if it is a "
            "complete new delivery."
        )


def refuse_old_copies(imported: _Files, earlier: Iterable[tuple[str, str]], bill: str) -> None:
    """Refuse files of a replaced delivery under new names, which may be issued again.

    Raises:
        InvoiceError: the files are ambiguous; says which option to use.
    """
    renamed = sorted(set(imported.items()) - set(earlier))
    if renamed:
        raise InvoiceError(
            f"{_joined(name for _, name in renamed)}: the lines are those of a delivery of {bill} "
            "that a later one replaced. Leave such old files out, or use --whole if this is a "
            "complete new delivery."
        )


def refuse_new_parts(imported: _Files, known: _Files, bill: str) -> None:
    """Refuse files without known lines if their names suggest a new delivery.

    Raises:
        InvoiceError: they may be the first files of a new delivery; says which option to use.
    """
    new = {digest: name for digest, name in imported.items() if digest not in known}
    copies = [known[digest] for digest in imported if digest in known]
    known_stems = {name_stem(name) for name in known.values()}
    others = {name_stem(name) for name in new.values()} - known_stems
    why = ""
    if set(new.values()) & set(known.values()):
        why = "this file has the name of a known file but none of its lines"
    elif known and None not in known_stems and others and None not in others:
        why = f"this file is not numbered like {_joined(known.values())}"
    elif copies and _named(known, without=imported):
        why = f"this import repeats {_joined(copies)} but not {_named(known, without=imported)}"
    if why:
        raise InvoiceError(
            f"{_joined(new.values())}: {bill} was imported before, and {why}. Use --part if it is "
            f"another part of that delivery. If it belongs to a new one, {_TOGETHER}."
        )


def refuse_later_parts(imported: _Files, known: _Files, later: Iterable[str], bill: str) -> None:
    """Refuse a new delivery if a part imported earlier may have been its first file.

    A part with the name of an imported file belongs to the previous delivery.

    Raises:
        InvoiceError: the files are ambiguous; says what to do.
    """
    names = set(imported.values())
    suspects = {
        digest: known[digest]
        for digest in later
        if digest not in imported and known[digest] not in names
    }
    first = {name_stem(name) for digest, name in known.items() if digest not in suspects}
    stems = {name_stem(name) for name in imported.values()}
    is_clear = None not in first | stems and not first & stems
    doubtful = [name for name in suspects.values() if not is_clear or name_stem(name) not in first]
    if doubtful:
        raise InvoiceError(
            f"{_joined(imported.values())}: this is a new delivery of {bill}, and "
            f"{_joined(doubtful)} was imported after the first files of the previous one, so it "
            f"may belong to either: {_TOGETHER}."
        )


def _named(known: _Files, *, without: _Files) -> str:
    return _joined(name for digest, name in known.items() if digest not in without)


def _joined(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
