"""Google's catalogue of prices, spot histories of EC2, and an EC2 that refuses, on loopback."""

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
    sku("N1 Predefined Instance Core running in Americas", "0.031611"),
    sku("N1 Predefined Instance Ram running in Americas", "0.004237"),
    sku("Commitment v1: G2 Instance Core running in Americas for 1 Year", "0.0157"),
    sku("Reserved Nvidia L4 GPU in Americas", "0.0"),
    sku("Nvidia L4 GPU attached to Spot Preemptible VMs running in Americas", "0.2862"),
    sku("Nvidia L4 GPU running in Americas", "0.56004"),
    sku("Spot Preemptible G2 Instance Core running in Americas", "0.01277"),
    sku("Spot Preemptible G2 Instance Ram running in Americas", "0.001496"),
    sku("G2 Instance Core running in Americas", "0.02499"),
    sku("G2 Instance Ram running in Americas", "0.00293"),
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


SPOT_CHANGES = {
    "us-east-1a": [("2026-03-01T00:00:00.000Z", "0.300000"), ("2026-03-10T13:00:00.000Z", "0.4")],
    "us-east-1b": [("2026-03-01T00:00:00.000Z", "0.500000")],
}


class FakeSpotHistory(BaseHTTPRequestHandler):
    """EC2's spot history of g5.xlarge: the price of the first moment asked for, then changes.

    It wants one type, one zone and Linux. server.asked has the form of each request.
    """

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        form = {name: values[0] for name, values in parse_qs(text).items()}
        self.server.asked = [*getattr(self.server, "asked", []), form]
        assert form["Action"] == "DescribeSpotPriceHistory"
        assert form["ProductDescription.1"] == "Linux/UNIX"
        changes = SPOT_CHANGES.get(form["AvailabilityZone"], [])
        before = [one for one in changes if one[0] <= form["StartTime"]][:-1]
        items = "".join(self.item(form, *one) for one in changes if one not in before)
        self.answer(f"<spotPriceHistorySet>{items}</spotPriceHistorySet>")

    def item(self, form, when, usd):
        return (
            f"<item><instanceType>{form['InstanceType.1']}</instanceType>"
            "<productDescription>Linux/UNIX</productDescription>"
            f"<spotPrice>{usd}</spotPrice><timestamp>{when}</timestamp>"
            f"<availabilityZone>{form['AvailabilityZone']}</availabilityZone></item>"
        )

    def answer(self, inner):
        name = "DescribeSpotPriceHistoryResponse"
        space = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
        body = f"<{name} {space}><requestId>1</requestId>{inner}<nextToken/></{name}>".encode()
        self.send_response(200)
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
