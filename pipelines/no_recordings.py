"""Files that lie beside recordings and are none, known by their names alone.

A lecture's folder holds slides, a call's a chat log, a download one half of a file, and macOS puts
a `._` file beside each. They are left out, by `escriba add` and in the inbox, and told in a line;
each as a failed recording would hide the failures that matter. A recording under such a name has to
be renamed.
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
BESIDE: Final = ("._", "~$", ".~lock.")  # of macOS, of office suites


def is_no_recording(path: str) -> bool:
    """Whether a file of that name, or at the end of that path, is certainly no recording."""
    name = path.rpartition("/")[2].lower()
    stem, dot, ending = name.rpartition(".")
    return name in NAMES or name.startswith(BESIDE) or bool(dot and stem and ending in ENDINGS)


def left_out_line(names: list[str], shown: int = 3) -> str:
    """All of them in one line."""
    some = ", ".join(names[:shown]) + (", …" if len(names) > shown else "")
    what = "file that is no recording" if len(names) == 1 else "files that are no recordings"
    return f"left out {len(names):,} {what}: {some}"
