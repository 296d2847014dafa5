#!/usr/bin/env python3
"""A chat client in Python's standard library: client.py HOST PORT NAME [FINGERPRINT].

Lines of standard input go to everyone; the messages of others are printed."""
import base64, hashlib, json, secrets, socket, ssl, sys, threading


def fingerprint(der):
    """The server's key as `lanchat fingerprint` prints it: the hash of the certificate's seventh field."""
    def content(at):  # Where the content of the DER element at this place begins and ends.
        length, at = der[at + 1], at + 2
        if length & 128:
            at, length = at + (length & 127), int.from_bytes(der[at:at + (length & 127)], "big")
        return at, at + length
    at, _ = content(content(0)[0])
    for _ in range(6):  # Version, number, algorithm, issuer, validity, subject.
        _, at = content(at)
    digest = hashlib.sha256(der[at:content(at)[1]]).digest()
    return "SHA256:" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


host, port, name, *expected = sys.argv[1:]
tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE  # The fingerprint is the proof, not an authority.
tls.set_alpn_protocols(["lanchat/1"])
server = tls.wrap_socket(socket.create_connection((host, int(port))))
if expected and fingerprint(server.getpeercert(binary_form=True)) != expected[0]:
    sys.exit("the server has another key; is it an impostor?")
wire = server.makefile("rw", encoding="utf-8", newline="\n")


def send(**packet):
    wire.write(json.dumps(packet) + "\n")
    wire.flush()


def read_input():
    for line in sys.stdin:
        send(to="all", msg=line.rstrip("\n"))
    send(to="server", type="quit")


send(type="hello", to="server", **{"from": {"name": name}, "token": secrets.token_hex(16)})
threading.Thread(target=read_input, daemon=True).start()
for packet in map(json.loads, wire):
    if packet["type"] in ("chat", "error"):
        text = packet["msg"].encode("unicode_escape").decode()  # Another user must not control your terminal.
        print(f'{packet["from"]["name"]}: {text}', flush=True)
