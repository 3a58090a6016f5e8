"""A web application on bare sockets, so that it can break its answers where real ones do: at any byte.

It logs where it listens. What is told by --first it does until it is started for the second time.
"""
import argparse
import os
import signal
import socket
import ssl
import struct
import sys
import threading

parser = argparse.ArgumentParser()
parser.add_argument("--name", default="app", help="stands in every answer")
parser.add_argument("--port", type=int)
parser.add_argument("--unix", help="listen at this Unix socket instead")
parser.add_argument("--mode", type=lambda text: int(text, 8), default=0o666, help="of the socket, octal")
parser.add_argument("--cookie", type=int, default=0, help="bytes of a cookie in each answer")
parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"))
parser.add_argument("--clients", metavar="CERTIFICATES", help="who may come by TLS: those that these signed")
parser.add_argument("--old", action="store_true", help="TLS 1.1 at most")
parser.add_argument("--first", choices=["close", "reset", "cut-header", "cut-body", "banner"])
options = parser.parse_args()


def log(text):
    print(text, flush=True)


def is_first_start():
    """Whether this container has not been started before: its own file system remembers."""
    try:
        open("/run/started", "x").close()
        return True
    except FileExistsError:
        return False


fault = options.first if options.first and is_first_start() else None


def request(connection):
    text = b""
    while b"\r\n\r\n" not in text:
        piece = connection.recv(4096)
        if not piece:
            break
        text += piece
    return text


def answer(connection):
    if fault == "close":
        return
    if fault == "banner":
        connection.sendall(b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n")
        request(connection)
        return
    if not request(connection):
        return
    if fault == "reset":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return
    body = f"{'.' * 400}\nHello from {options.name}\n".encode()
    header = f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\nConnection: close\r\n"
    if options.cookie:
        header += f"Set-Cookie: session={'x' * options.cookie}; Path=/\r\n"
    if fault == "cut-header":
        connection.sendall(header.encode()[:40])
        return
    connection.sendall(header.encode() + b"\r\n" + (body[:100] if fault == "cut-body" else body))


def serve(connection):
    try:
        if tls:
            connection.settimeout(10)
            connection = tls.wrap_socket(connection, server_side=True)
        answer(connection)
    except OSError as error:
        log(error)
    finally:
        connection.close()


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # the thread that started it may block it
tls = None
if options.tls:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if options.old:
        tls.minimum_version, tls.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        tls.set_ciphers("ALL:@SECLEVEL=0")
    tls.load_cert_chain(*options.tls)
    if options.clients:
        tls.load_verify_locations(options.clients)
        tls.verify_mode = ssl.CERT_REQUIRED
if options.unix:
    if os.path.exists(options.unix):
        os.remove(options.unix)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(options.unix)
    os.chmod(options.unix, options.mode)
    listener.listen(64)
else:
    listener = socket.create_server(("0.0.0.0", options.port), backlog=64)
log(f"listening on {options.unix or options.port}")
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
