"""A small web application that can be made to fail in the ways real ones do.

It logs as applications do: start-up lines, where it listens, and the reason when it gives up.
"""
import argparse
import http.server
import os
import signal
import socket
import ssl
import struct
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--name", default="app", help="stands in every answer")
parser.add_argument("--port", type=int, default=3000)
parser.add_argument("--bind", default="0.0.0.0")
parser.add_argument("--tls", nargs=2, metavar=("CERTIFICATE", "KEY"), help="speak TLS; plain HTTP is closed")
parser.add_argument("--after", type=float, default=0, help="seconds of start-up before it listens")
parser.add_argument("--slow", type=float, default=0, help="seconds each answer takes")
parser.add_argument("--answer", default="200", help="status of /, with a location after a space")
parser.add_argument("--eat", type=int, default=0, help="MiB of memory taken at start-up")
parser.add_argument("--needs", help="exit with 3 unless this file exists")
parser.add_argument("--exit-when", help="exit with 1 as soon as this file exists, and remove it")
parser.add_argument("--leak", type=int, default=0, help="MiB that each request leaves in memory")
parser.add_argument("--race", action="store_true", help="reset a connection that is used a second time")
parser.add_argument("--first", choices=["hangs", "closes", "overloaded"], help="how the container's first start misbehaves")
parser.add_argument("--workers", type=int, help="how many requests it works on at a time; two more may wait")
parser.add_argument("--writes", help="a file that each request writes")
options = parser.parse_args()


def log(text):
    print(time.strftime("%Y-%m-%d %H:%M:%S"), text, flush=True)


def is_first_start():
    """Whether this container has not been started before: its own file system remembers."""
    try:
        open("/run/started", "x").close()
        return True
    except FileExistsError:
        return False


leaked = []


class Application(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1" if options.race else "HTTP/1.0"
    requests = 0

    def do_GET(self):
        time.sleep(options.slow)
        leaked.append(b"x" * (options.leak << 20))
        self.requests += 1
        if options.race and self.requests > 1:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()
            raise ConnectionAbortedError("idle connection ended")
        status, _, location = options.answer.partition(" ")
        own = self.path == "/" or status == "401"
        body = f"Hello from {options.name}\n".encode()
        if options.writes:
            try:
                with open(options.writes, "w") as file:
                    file.write("x" * 65536)
            except OSError as error:
                log(f"error: cannot keep {options.writes}: {error}")
                status, body = 500, b"Internal Server Error\n"
        self.send_response(int(status) if own else 200)
        if own and location:
            self.send_header("Location", location)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, form, *values):
        log(f"{self.client_address[0]} {form % values}")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 2 if options.workers else 5

    def process_request(self, request, client_address):
        if options.workers:
            http.server.HTTPServer.process_request(self, request, client_address)
        else:
            super().process_request(request, client_address)

    def get_request(self):
        connection, address = super().get_request()
        if options.tls:
            connection.settimeout(10)
            connection = tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        return connection, address

    def handle_error(self, request, client_address):
        log(f"{client_address[0]} {sys.exc_info()[1]}")


def misbehave(listener):
    """Takes connections and either keeps them unanswered or closes them once a request came."""
    kept = []
    while True:
        connection, address = listener.accept()
        if options.first == "hangs":
            kept.append(connection)
        else:
            threading.Thread(target=lambda c=connection: (c.recv(4096), c.close()), daemon=True).start()


def watch(path):
    while not os.path.exists(path):
        time.sleep(0.05)
    os.remove(path)
    log("fatal: lost the connection to the database, giving up")
    os._exit(1)


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])  # the thread that started it may block it
log(f"starting {options.name}")
if options.needs and not os.path.exists(options.needs):
    time.sleep(0.3)
    log(f"fatal: cannot read {options.needs}: no such file")
    sys.exit(3)
if options.eat:
    log("loading the index into memory")
    index = []
    for _ in range(options.eat):
        index.append(b"x" * (1 << 20))
        time.sleep(0.002)
if options.exit_when:
    threading.Thread(target=watch, args=[options.exit_when], daemon=True).start()
for step in range(1, int(options.after) + 1):
    log(f"applying migration {step} of {int(options.after)}")
    time.sleep(options.after / int(options.after))
if options.first == "overloaded" and is_first_start():
    options.slow = 60
elif options.first and is_first_start():
    listener = socket.create_server((options.bind, options.port), backlog=64)
    log(f"listening on {options.bind}:{options.port}")
    misbehave(listener)
if options.tls:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*options.tls)
server = Server((options.bind, options.port), Application)
log(f"listening on {options.bind}:{options.port}")
for _ in range((options.workers or 1) - 1):
    threading.Thread(target=server.serve_forever, daemon=True).start()
server.serve_forever()
