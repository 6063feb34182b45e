"""A page of a stranger, and every way in which it can make a browser send something elsewhere."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

# each takes the address of another site, a query in JSON and the same query for an address
WAYS = {
    "fetch a form": """(url, json, query) => fetch(url + '/graphql', {
        method: 'POST', mode: 'no-cors', credentials: 'include', body: json})""",
    "fetch a form with the query in the address": """(url, json, query) => fetch(
        url + '/graphql?query=' + query, {method: 'POST', mode: 'no-cors'})""",
    "fetch by GET": """(url, json, query) => fetch(url + '/graphql?query=' + query, {
        mode: 'no-cors', credentials: 'include'})""",
    "fetch JSON": """(url, json, query) => fetch(url + '/graphql', {
        method: 'POST', headers: {'Content-Type': 'application/json'}, body: json})""",
    "XMLHttpRequest": """(url, json, query) => new Promise(done => {
        const asked = new XMLHttpRequest(); asked.onloadend = done;
        asked.open('POST', url + '/graphql?query=' + query); asked.send(json)})""",
    "beacon": "(url, json, query) => navigator.sendBeacon(url + '/graphql?query=' + query, json)",
    "image": """(url, json, query) => new Promise(done => {
        const image = new Image(); image.onload = image.onerror = done;
        image.src = url + '/graphql?query=' + query})""",
    "script": """(url, json, query) => new Promise(done => {
        const script = document.createElement('script'); script.onload = script.onerror = done;
        script.src = url + '/graphql?query=' + query; document.body.append(script)})""",
    "frame": """(url, json, query) => new Promise(done => {
        const frame = document.createElement('iframe'); frame.onload = done;
        frame.src = url + '/graphql?query=' + query; document.body.append(frame)})""",
    "form": """(url, json, query) => new Promise(done => {
        const frame = document.createElement('iframe'); frame.name = 'form';
        const form = document.createElement('form');
        form.method = 'POST'; form.target = 'form'; form.enctype = 'text/plain';
        form.action = url + '/graphql?query=' + query;
        document.body.append(frame, form); frame.onload = done; form.submit();
        setTimeout(done, 1000)})""",
    "events": """(url, json, query) => new Promise(done => {
        const events = new EventSource(url + '/graphql?query=' + query);
        events.onerror = () => { events.close(); done() }})""",
    "websocket": """(url, json, query) => new Promise(done => {
        const socket = new WebSocket(url.replace('http', 'ws') + '/graphql', 'graphql-ws');
        socket.onopen = () => {
          socket.send(JSON.stringify({type: 'connection_init', payload: {}}));
          socket.send(JSON.stringify({type: 'start', id: '1', payload: JSON.parse(json)}));
          setTimeout(() => socket.close(), 500) };
        socket.onclose = done})""",
    "link": """(url, json, query) => new Promise(done => {
        const link = document.createElement('a'); link.target = '_blank'; link.rel = 'noopener';
        link.href = url + '/graphql?query=' + query; document.body.append(link);
        link.click(); setTimeout(done, 500)})""",
}
TO_READ = """async ([url]) => {
  const found = [];
  for (const mode of ['cors', 'no-cors']) {
    try { found.push(await (await fetch(url, {mode, credentials: 'include'})).text()) }
    catch (error) { found.push('') }
  }
  return found }"""


def send(page, way, url, json, query):
    """Send a query in one of the WAYS from the page; what the browser refuses is no error."""
    script = f"""async ([url, json, query]) => {{
        try {{ await Promise.race([({WAYS[way]})(url, json, query),
                                   new Promise(done => setTimeout(done, 10000))]) }} catch (e) {{}}
    }}"""
    page.evaluate(script, [url, json, query])


@contextmanager
def stranger():
    """A server with an empty page, which keeps what others ask it for: method and body or path."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.command, unquote(self.path), self.headers.get("Upgrade", "")))
            self._answer()

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append((self.command, unquote(self.path), body.decode()))
            self._answer()

        def do_OPTIONS(self):
            asked.append((self.command, unquote(self.path), ""))
            self._answer()

        def _answer(self):
            body = b"<!doctype html><title>stranger</title><body>hello"
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()
