"""What servers of one's own on loopback have in common."""

import socket
import struct


class Answering:
    """Of a BaseHTTPRequestHandler: answers with a status and a whole body, and writes no log."""

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def break_off(handler, fault):
    """Answer as a `Fault` of tests.fake_runpod says, instead of carrying a request out."""
    if fault.how == "answer":
        handler.send_response(fault.status)
        for name, value in fault.headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(fault.body)))
        handler.end_headers()
        handler.wfile.write(fault.body)
        return
    handler.send_response(200)
    handler.send_header("Content-Length", "100")
    handler.end_headers()
    handler.wfile.write(b'{"name": "pro')
    if fault.how == "reset":  # without lingering, closing sends RST
        linger = struct.pack("ii", 1, 0)
        handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.close_connection = True
