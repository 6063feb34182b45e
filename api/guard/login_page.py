"""The page that asks for the password."""

from urllib.parse import urlsplit

from starlette.responses import HTMLResponse

from escriba.text_for.web_page import html

LOGIN_PATH = "/escriba/login"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'"
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Log in · Escriba</title><style>
:root {{ color-scheme: light dark; --back: #f6f7f9; --card: #fff; --ink: #16181d; --soft: #5b616e;
  --line: #c9ced8; --action: #3b4fe0; --wrong: #b3261e; }}
@media (prefers-color-scheme: dark) {{ :root {{ --back: #101217; --card: #1a1d24; --ink: #eceef3;
  --soft: #a2a9b8; --line: #3b414e; --action: #5d70ff; --wrong: #ff8a80; }} }}
* {{ box-sizing: border-box; }}
body {{ font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid;
  place-items: center; padding: 1rem; background: var(--back); color: var(--ink); }}
form {{ width: 100%; max-width: 22rem; padding: 2rem; background: var(--card); border-radius: 12px;
  border: 1px solid var(--line); display: grid; gap: .75rem; }}
h1 {{ font-size: 1.25rem; margin: 0; }}
p {{ margin: 0; color: var(--soft); }}
p[role=alert] {{ color: var(--wrong); }}
label {{ font-weight: 600; }}
input, button {{ font: inherit; width: 100%; padding: .6rem .75rem; border-radius: 8px; }}
input {{ border: 1px solid var(--line); background: var(--back); color: inherit; }}
button {{ border: 0; background: var(--action); color: #fff; font-weight: 600; cursor: pointer; }}
input:focus-visible, button:focus-visible {{ outline: 3px solid var(--action);
  outline-offset: 2px; }}
</style></head><body>
<form method="post" action="login">
<h1>Escriba</h1>
{said}
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required
 autofocus>
<input type="hidden" name="next" value="{following}">
<button>Log in</button>
</form></body></html>
"""


def login_page(following: str, wrong: str = "", status: int = 200) -> HTMLResponse:
    """Return the page. following: the path to open after the login. wrong: why it failed."""
    said = f'<p role="alert">{html(wrong)}</p>' if wrong else "<p>These pages need a password.</p>"
    page = _PAGE.format(said=said, following=html(local_path(following)))
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}
    return HTMLResponse(page, status, headers)


def local_path(address: str) -> str:
    """Return an address of these pages, or `/` for one that leads elsewhere."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "/"
    is_local = address.startswith("/") and not address.startswith(("//", "/\\"))
    is_clean = address.isascii() and address.isprintable() and "\\" not in address
    return address if is_local and is_clean and not parts.netloc else "/"
