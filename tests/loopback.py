"""What servers of one's own on loopback have in common."""


class Answering:
    """Of a BaseHTTPRequestHandler: answers with a status and a whole body, and writes no log."""

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass
