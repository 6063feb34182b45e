"""Files next to recordings that are not recordings, recognized by name alone.

The folder of a lecture holds slides, that of a call a chat log, a download leaves a partial file,
and macOS puts a `._` file next to each. `escriba add` and the inbox leave them out and report them
in one line: listing each as a failed recording would hide the failures that matter. A recording
with such a name must be renamed.
"""

from typing import Final

_ENDINGS: Final = """
    pdf doc docx odt rtf ppt pptx odp pps ppsx xls xlsx ods pages numbers epub
    txt md csv tsv json jsonl xml yaml yml html htm log ini conf cfg nfo url webloc lnk eml ics vcf
    srt vtt sub sbv ass ssa lrc rttm stm textgrid eaf
    jpg jpeg png gif bmp tif tiff webp heic heif svg psd ico
    zip rar 7z tar gz tgz bz2 xz
    m3u m3u8 pls cue xspf
    part partial crdownload download filepart opdownload tmp temp aria2
    md5 sha1 sha256 sfv asc sig bak
    pek pkf cfa asd reapeaks sfk zoom
    exe dll dmg pkg apk py ipynb sql db sqlite
"""
ENDINGS: Final = frozenset(_ENDINGS.split())
NAMES: Final = frozenset({"thumbs.db", "desktop.ini", ".ds_store", "icon\r"})
PREFIXES: Final = ("._", "~$", ".~lock.")  # of macOS and of office suites


def is_ignored(path: str) -> bool:
    """Whether a file with this name or path is certainly not a recording."""
    name = path.rpartition("/")[2].lower()
    stem, dot, ending = name.rpartition(".")
    return name in NAMES or name.startswith(PREFIXES) or bool(dot and stem and ending in ENDINGS)


def left_out_line(names: list[str], shown: int = 3) -> str:
    """One line that counts the files and names the first `shown` of them."""
    some = ", ".join(names[:shown]) + (", …" if len(names) > shown else "")
    what = "file that is not a recording" if len(names) == 1 else "files that are not recordings"
    return f"left out {len(names):,} {what}: {some}"
