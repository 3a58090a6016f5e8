"""Compose files of projects: their labels, handed to a running Traefik by an engine that stands in for Docker."""

import http.server, json, os, re, tempfile, threading
import socketserver
import yaml
from lib import *
from traefik import ask_both


class Engine(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    """Answers what Traefik asks of Docker: its version, the list, each container, events that never come."""

    daemon_threads = True

    def __init__(self, containers):
        self.containers, self.path = containers, os.path.join(tempfile.mkdtemp(dir=SCRATCH), "docker.sock")

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def address_string(self):
                return "unix"

            def do_HEAD(self):
                self.answer(b"")

            def do_GET(self):
                path = re.sub(r"^/v[\d.]+", "", self.path.partition("?")[0])
                if path == "/events":
                    self.send_response(200)
                    self.send_header("Transfer-Encoding", "chunked")
                    self.end_headers()
                    time.sleep(60)
                elif path == "/version":
                    self.answer({"Version": "27.0.0", "ApiVersion": "1.47", "MinAPIVersion": "1.24"})
                elif path == "/containers/json":
                    self.answer(containers)
                elif path.startswith("/containers/"):
                    one = next((c for c in containers if c["Id"] == path.split("/")[2]), None)
                    ports = {f"{p['PrivatePort']}/tcp": None for p in (one or {}).get("Ports", [])}
                    self.answer(one and {
                        "Id": one["Id"], "Name": one["Names"][0], "Config": {"Labels": one["Labels"], "ExposedPorts": {k: {} for k in ports}},
                        "State": {"Status": "running", "Running": True}, "HostConfig": one["HostConfig"],
                        "NetworkSettings": {"Ports": ports, "Networks": one["NetworkSettings"]["Networks"]}})
                else:
                    self.answer(b"OK")

            def answer(self, body):
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Api-Version", "1.47")
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        super().__init__(self.path, Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


def labels(service):
    given = service.get("labels") or {}
    if isinstance(given, list):
        given = dict((str(one).split("=", 1) + [""])[:2] for one in given)
    return {str(k): "" if v is None else str(v).lower() if isinstance(v, bool) else str(v) for k, v in given.items()}


def filled(text):
    """Variables by what they have as a default, else by their names."""
    text = re.sub(r"\$\{(\w+):?[-+?]([^{}]*)\}", lambda m: m.group(2) or m.group(1).lower(), text)
    text = re.sub(r"\$\{(\w+)\}|\$(?!\$)(\w+)", lambda m: (m.group(1) or m.group(2)).lower().replace("_", "-") + ".test", text)
    return text.replace("$$", "$")


def projects(suites, verbose):
    upstreams, table = Upstreams(), Table("Compose files, labels of Traefik", verbose)
    for path, text in suites.everywhere(r"compose[^/]*\.ya?ml$"):
        if "traefik.http.routers" not in text or "{{" in text:
            continue
        try:
            tree = yaml.safe_load(filled(text))
        except yaml.YAMLError:
            continue
        if not isinstance(tree, dict) or not isinstance(tree.get("services"), dict):
            continue
        containers, points = [], {}
        for number, (name, service) in enumerate(tree["services"].items()):
            if not isinstance(service, dict):
                continue
            own = labels(service)
            numbers = [int(n) for n in re.findall(r"(?:^|:)(\d+)(?:/tcp)?$", "\n".join(str(p) for p in (service.get("ports") or []) + (service.get("expose") or [])), re.M)]
            moved = {}
            for key, value in own.items():
                if re.search(r"\.loadbalancer\.server\.port$", key, re.I) and value.isdigit():
                    value = str(upstreams.port(f"{path} {name}:{value}"))
                elif re.search(r"\.loadbalancer\.healthcheck\.|\.tls(\.|$)|middlewares\.\w*\.(basicauth|ipallowlist|ipwhitelist)", key, re.I):
                    continue
                elif re.search(r"\.entrypoints$", key, re.I):
                    for point in value.split(","):
                        points.setdefault(point.strip())
                moved[key] = value
            numbers = [upstreams.port(f"{path} {name}:{n}") for n in dict.fromkeys(numbers)]
            containers.append({
                "Id": f"c{number}", "Names": ["/" + str(service.get("container_name") or name)], "Image": str(service.get("image", "")),
                "State": "running", "Status": "Up", "Labels": {**moved, "com.docker.compose.project": "p", "com.docker.compose.service": str(name)},
                "Ports": [{"PrivatePort": n, "Type": "tcp"} for n in numbers], "HostConfig": {"NetworkMode": "web"},
                "NetworkSettings": {"Networks": {"web": {"NetworkID": "n", "IPAddress": "127.0.0.1"}}}})
        names = [p for p in points if re.fullmatch(r"[\w-]+", p)] or ["web"]
        ports = [free_port() for _ in names]
        engine = Engine(containers)
        try:
            command = [f"--entryPoints.{n}.address=127.0.0.1:{p}" for n, p in zip(names, ports)]
            command += ["--providers.docker.network=web", f"--providers.docker.endpoint=unix://{engine.path}", "--log.level=ERROR",
                        "--global.checknewversion=false", "--serversTransport.insecureSkipVerify=true"]
            about = " ".join(v for c in containers for k, v in c["Labels"].items() if k.endswith(".rule") or "prefix" in k)
            ask_both(table, path, "", command, ports, lambda p: f"127.0.0.1:{p}", containers=containers, about=about)
        finally:
            engine.shutdown()
            engine.server_close()
    table.end()


SUITES = [projects]
