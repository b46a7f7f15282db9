"""A client's web site: what it publishes of itself, over TLS on loopback, and who asked for it."""

import datetime
import ipaddress
import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"
"""Another spelling of loopback than that of redirect addresses, to tell the two apart on a page."""


class Publisher:
    """Publishes JSON documents by their path; whatever else is asked for is a 404."""

    def __init__(self, authority: Path, port: int) -> None:
        self.authority = authority
        self.documents: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        self._port = port

    def url(self, path: str) -> str:
        return f"https://{HOST}:{self._port}{path}"


@contextmanager
def running_publisher(directory: Path) -> Iterator[Publisher]:
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    write_certificate(certificate, key)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            publisher.asked.append(self.path)
            document = publisher.documents.get(self.path)
            body = json.dumps(document).encode()
            self.send_response(404 if document is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Says nothing: `asked` has it all."""

    with ThreadingHTTPServer((HOST, 0), Handler) as http:
        publisher = Publisher(certificate, http.server_port)
        http.socket = tls.wrap_socket(http.socket, server_side=True)
        thread = Thread(target=http.serve_forever, daemon=True)
        thread.start()
        try:
            yield publisher
        finally:
            http.shutdown()
            thread.join()


def write_certificate(certificate: Path, key: Path) -> None:
    """Its own authority, good for an hour and for no other host."""
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a client of the end-to-end tests")])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(HOST))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    certificate.write_bytes(made.public_bytes(pem))
    encryption = serialization.NoEncryption()
    key.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, encryption))
