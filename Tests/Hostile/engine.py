"""A Docker engine with the containers of one JSON file, at a Unix socket: engine.py FILE SOCKET

FILE: [{"list": …, "inspect": …, "files": {PATH: TEXT}, "log": TEXT}], the first two as the engine's API has them.
Anything but GET and HEAD is written to FILE.changes.
"""
import http.server
import io
import json
import re
import socketserver
import sys
import tarfile
import urllib.parse

with open(sys.argv[1], encoding="utf-8") as file:
    CONTAINERS = json.load(file)


def archive(files, path):
    """What `GET /containers/ID/archive` answers: paths begin with the last part of `path`."""
    path = path.rstrip("/")
    data = io.BytesIO()
    found = False
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name, text in files.items():
            if name == path or name.startswith(path + "/"):
                found = True
                entry = tarfile.TarInfo(name[len(path.rpartition("/")[0]) + 1:])
                body = text.encode("utf-8", "surrogatepass")
                entry.size = len(body)
                tar.addfile(entry, io.BytesIO(body))
    return data.getvalue() if found else None


class Engine(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def changes(self):
        with open(sys.argv[1] + ".changes", "a", encoding="utf-8") as file:
            file.write(self.requestline + "\n")
        self.answer(b"{}")

    do_POST = do_PUT = do_DELETE = do_PATCH = changes

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        path = re.sub(r"^/v[0-9.]+", "", url.path)
        one = re.fullmatch(r"/containers/(\w+)/(json|logs|archive)", path)
        container = next((c for c in CONTAINERS if one and c["list"]["Id"] == one[1]), None)
        if path == "/containers/json":
            self.answer(json.dumps([c["list"] for c in CONTAINERS]).encode())
        elif one and container is None:
            self.answer(b'{"message":"No such container"}', 404)
        elif one and one[2] == "json":
            self.answer(json.dumps(container["inspect"]).encode())
        elif one and one[2] == "logs":
            body = container.get("log", "").encode()
            self.answer(b"\2\0\0\0" + len(body).to_bytes(4, "big") + body)
        elif one:
            body = archive(container.get("files", {}), urllib.parse.parse_qs(url.query)["path"][0])
            self.answer(b"{}" if body is None else body, 404 if body is None else 200)
        else:
            self.answer(b"OK" if path == "/_ping" else b"{}")

    def answer(self, body, status=200):
        self.send_response(status)
        self.send_header("Api-Version", "1.44")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def address_string(self):
        return "-"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


Server(sys.argv[2], Engine).serve_forever()
