"""A Docker engine with the containers of one Compose file, for Traefik and for this program's readers.

    docker-stand-in.py FILE --list          what GET /containers/json?all=1 answers
    docker-stand-in.py FILE --serve SOCKET  answers at a Unix socket

FILE is what `docker-compose config` made of the Compose file; its x-file member names that one.
"""
import http.server
import json
import os
import re
import socketserver
import sys

import yaml

with open(sys.argv[1], encoding="utf-8") as file:
    COMPOSE = yaml.safe_load(file)


def container(number, name, service):
    networks = {
        network: {"NetworkID": network, "IPAddress": f"172.20.0.{number}", "Gateway": "172.20.0.1"}
        for network in service.get("networks") or {"shop_default": None}
    }
    labels = {
        **{key: str(value) for key, value in (service.get("labels") or {}).items()},
        "com.docker.compose.project": "shop",
        "com.docker.compose.service": name,
        "com.docker.compose.project.config_files": COMPOSE["x-file"],
        "com.docker.compose.project.working_dir": os.path.dirname(COMPOSE["x-file"]),
    }
    ports = [int(port) for port in service.get("expose") or []]
    return {
        "Id": f"{name}1",
        "Names": [f"/{service.get('container_name', name)}"],
        "State": "running",
        "Status": "Up 2 hours",
        "Labels": labels,
        "Ports": [{"PrivatePort": port, "Type": "tcp"} for port in ports],
        "HostConfig": {"NetworkMode": next(iter(networks))},
        "NetworkSettings": {"Networks": networks},
    }


CONTAINERS = [container(9 + n, name, service) for n, (name, service) in enumerate(COMPOSE["services"].items())]


def inspected(summary):
    return {
        "Id": summary["Id"],
        "Name": summary["Names"][0],
        "State": {"Status": "running", "Running": True, "Pid": 42},
        "Config": {"Labels": summary["Labels"], "Image": "shop"},
        "HostConfig": summary["HostConfig"],
        "NetworkSettings": {
            "Networks": summary["NetworkSettings"]["Networks"],
            "Ports": {f"{port['PrivatePort']}/tcp": None for port in summary["Ports"]},
        },
    }


class Engine(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer({})

    def do_GET(self):
        path = re.sub(r"^/v[0-9.]+", "", self.path.split("?")[0])
        one = re.fullmatch(r"/containers/(\w+)/json", path)
        if path == "/version":
            self.answer({"Version": "28.0.0", "ApiVersion": "1.48", "MinAPIVersion": "1.24"})
        elif path == "/containers/json":
            self.answer(CONTAINERS)
        elif one:
            self.answer(next(inspected(c) for c in CONTAINERS if c["Id"] == one[1]))
        elif path == "/events":
            self.send_response(200)
            self.send_header("Connection", "close")
            self.end_headers()
            self.rfile.read()
        else:
            self.answer({})

    def answer(self, value):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("API-Version", "1.48")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def address_string(self):
        return "-"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if sys.argv[2] == "--list":
    print(json.dumps(CONTAINERS))
else:
    Server(sys.argv[3], Engine).serve_forever()
