"""A chat client of Python's standard library: ADDRESS PORT PIN [CERTIFICATE KEY].

Refuses a server whose key is not PIN before it says anything. Sends what stands on its standard
input, a packet a line, and prints what comes.
"""

import base64
import hashlib
import socket
import ssl
import sys
import threading


def element(der, at):
    """The place of the contents of the DER element at `at`, and of its end."""
    length, at = der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(der[at : at + size], "big"), at + size
    return at, at + length


def key_info(certificate):
    """The SubjectPublicKeyInfo: the sixth of the certificate's fields, after the version."""
    at, _ = element(certificate, 0)
    at, _ = element(certificate, at)
    for _ in range(6):
        _, at = element(certificate, at)
    return certificate[at : element(certificate, at)[1]]


def fingerprint(certificate):
    digest = hashlib.sha256(key_info(certificate)).digest()
    return "SHA256:" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


address, port, pin, *own = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
context.minimum_version = ssl.TLSVersion.TLSv1_3
context.set_alpn_protocols(["lanchat/1"])
if own:
    context.load_cert_chain(*own)
stream = context.wrap_socket(socket.create_connection((address, int(port)), 20))
presented = fingerprint(stream.getpeercert(binary_form=True))
if presented != pin:
    sys.exit(f"refused: {presented}")
stream.settimeout(None)


def send():
    for line in sys.stdin:
        stream.sendall(line.encode())


threading.Thread(target=send, daemon=True).start()
for line in stream.makefile():
    print(line, end="", flush=True)
