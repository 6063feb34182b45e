"""Google's catalogue of prices, and an EC2 that refuses, on loopback."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit


def sku(description, usd, region="us-central1"):
    units, _, nanos = usd.partition(".")
    rate = {"units": units, "nanos": int(nanos.ljust(9, "0"))}
    free = {"startUsageAmount": 0, "unitPrice": {"units": "0", "nanos": 0}}
    rates = [free, {"startUsageAmount": 1, "unitPrice": rate}]
    return {
        "description": description,
        "serviceRegions": [region],
        "pricingInfo": [{"pricingExpression": {"usageUnit": "h", "tieredRates": rates}}],
    }


SKUS = [
    sku("Nvidia Tesla T4 GPU attached to Spot Preemptible VMs running in Americas", "0.14"),
    sku("Nvidia Tesla T4 GPU running in Americas", "0.35"),
    sku("Spot Preemptible N1 Predefined Instance Core running in Belgium", "9", "europe-west1"),
    sku("Spot Preemptible N1 Predefined Instance Core running in Americas", "0.006655"),
    sku("Spot Preemptible N1 Predefined Instance Ram running in Americas", "0.000892"),
]


class FakeBilling(BaseHTTPRequestHandler):
    """Two SKUs a page; wants the key in a header, where no log of addresses has it."""

    def do_GET(self):
        parts = urlsplit(self.path)
        begin = int(parse_qs(parts.query).get("pageToken", ["0"])[0])
        allowed = self.headers["X-Goog-Api-Key"] == "goog"
        more = {"nextPageToken": str(begin + 2)} if begin + 2 < len(SKUS) else {}
        body = json.dumps({"skus": SKUS[begin : begin + 2]} | more if allowed else {}).encode()
        self.send_response(200 if allowed else 403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class FakeRefusal(BaseHTTPRequestHandler):
    """EC2 where the keys are not known."""

    def do_POST(self):
        error = "<Error><Code>AuthFailure</Code><Message>no</Message></Error>"
        body = f"<Response><Errors>{error}</Errors><RequestID>1</RequestID></Response>".encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def serving(handler):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
