"""What Azure answers beside its storage: the identity of a machine, and a certificate."""

import ipaddress
import json
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.loopback import Answering


class Identity(Answering, BaseHTTPRequestHandler):
    """Gives the machine a token that Azurite takes: it looks at all of it but the signature."""

    def do_GET(self):
        now = int(time.time())
        claims = {
            "aud": "https://storage.azure.com",
            "iss": "https://sts.windows.net/00000000-0000-0000-0000-000000000000/",
            "oid": "11111111-1111-1111-1111-111111111111",
            "tid": "00000000-0000-0000-0000-000000000000",
            "iat": now - 60,
            "nbf": now - 60,
            "exp": now + 3600,
        }
        parts = ({"alg": "RS256", "typ": "JWT"}, claims, {"signature": "none"})
        token = ".".join(
            urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts
        )
        given = {"access_token": token, "token_type": "Bearer", "expires_on": str(now + 3600)}
        given |= {"expires_in": "3600", "resource": "https://storage.azure.com"}
        self.answer(200, json.dumps(given).encode())


def coded(part):
    return urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@contextmanager
def identity_of_a_machine():
    with ThreadingHTTPServer(("127.0.0.1", 0), Identity) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def certificates(folder):
    """The files of an authority's certificate, and of one of 127.0.0.1 with its key."""
    authority, server = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ours = x509.BasicConstraints(ca=True, path_length=None)
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    pem = serialization.Encoding.PEM
    made = {
        "authority.pem": _certificate("authority", authority, authority, ours).public_bytes(pem),
        "server.pem": _certificate("server", server, authority, here).public_bytes(pem),
        "server.key": server.private_bytes(
            pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ),
    }
    for name, content in made.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in made]


def _certificate(name, key, issuer, extension):
    subject, authority = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, "authority")
    )
    now, day = datetime.now(UTC), timedelta(days=1)
    return (
        x509.CertificateBuilder(authority, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - day)
        .not_valid_after(now + day)
        .add_extension(extension, critical=True)
        .sign(issuer, hashes.SHA256())
    )
