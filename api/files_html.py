"""Renders the files page as HTML; file names are escaped."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from urllib.parse import quote, urlencode

from escriba.text_for.web_page import html
from escriba.transcripts.render_options import FORMATS

from .files_listing import TRANSCRIPTS, Listed, ListingPage

_LABELS = {file: name.upper() for name, file in FORMATS.items()}
_LABELS |= {"transcript.json": "raw"}
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; --link: #1558d6; }
@media (prefers-color-scheme: dark) { :root { --soft: #aaa; --link: #8ab4f8; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 72rem; padding: 1rem; }
h1 { font-size: 1.4rem; margin: .5rem 0; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 .25rem; overflow-wrap: anywhere; }
a { color: var(--link); text-decoration: none; }
a:hover, a:focus { text-decoration: underline; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1rem; color: var(--soft); }
ul { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid var(--line); padding: .4rem 0; display: grid;
  grid-template-columns: minmax(0, 1fr) 11rem 27rem; gap: 0 1rem; align-items: baseline; }
li .name { overflow-wrap: anywhere; }
li time { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
li .files { display: flex; flex-wrap: wrap; gap: 0 .1rem; }
li .files a { padding: .1rem .35rem; }
p { color: var(--soft); }
@media (max-width: 60rem) {
  li { grid-template-columns: minmax(0, 1fr); }
  li .files { margin-left: -.5rem; }
  li .files a { padding: .4rem .5rem; }
}
"""


def listing(
    page: ListingPage, tenants: Sequence[str], folders: Iterable[str], root: str = "./"
) -> str:
    """Return a page that lists recordings or files.

    Args:
        page: What to list.
        tenants: Links at the top of the page.
        folders: More links, such as digests/.
        root: Relative path from this page to the top, such as `../../`, since a proxy may serve
            the pages below any path.
    """
    parts = [_navigation(tenants, folders, root), f"<h1>{html(_title(page))}</h1>"]
    for tenant, rows in groupby(page.listed, lambda one: one.tenant):
        parts.append(f"<h2>{html(tenant)}</h2>" if tenant not in {"", _title(page)} else "")
        parts.append(f"<ul>{''.join(_row(one, root) for one in rows)}</ul>")
    if not page.listed:
        parts.append("<p>Nothing here yet. Add a recording with <code>escriba add</code>, then ")
        parts.append("run <code>escriba run</code>.</p>")
    if page.after:
        following = f"{root}{quote(page.prefix)}?{urlencode({'after': page.after})}"
        parts.append(f'<p><a href="{html(following)}" rel="next">Next page</a></p>')
    return _document(_title(page), "\n".join(parts))


def _title(page: ListingPage) -> str:
    below = page.prefix.removeprefix(TRANSCRIPTS).rstrip("/")
    return below or "Transcripts"


def _navigation(tenants: Sequence[str], folders: Iterable[str], root: str) -> str:
    links = [("All transcripts", root)]
    links += [(tenant, f"{root}{TRANSCRIPTS}{quote(tenant)}/") for tenant in tenants]
    links += [(folder.rstrip("/").capitalize(), f"{root}{quote(folder)}") for folder in folders]
    shown = (f'<a href="{html(address)}">{html(name)}</a>' for name, address in links)
    return f"<nav>{' '.join(shown)}</nav>"


def _row(one: Listed, root: str) -> str:
    """Return a recording with links to its files, or a single file as one link."""
    when = f'<time datetime="{one.modified.isoformat()}">{one.modified:%Y-%m-%d %H:%M} UTC</time>'
    if not one.tenant:
        name, links = _link(f"{root}{quote(one.keys[0])}", one.path), ""
    else:
        name = html(one.path)
        links = "".join(
            _link(f"{root}{quote(key)}", _label(key), f"{one.path}: {_label(key)}")
            for key in one.keys
        )
    return f'<li><span class="name">{name}</span>{when}<span class="files">{links}</span></li>'


def _label(key: str) -> str:
    file = key.rpartition("/")[2]
    return _LABELS.get(file, file)


def _link(address: str, text: str, label: str = "") -> str:
    aria = f' aria-label="{html(label)}"' if label else ""
    return f'<a href="{html(address)}"{aria}>{html(text)}</a>'


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html(title)} · Escriba</title><style>{_STYLE}</style></head>"
        f"<body>{body}</body></html>\n"
    )
