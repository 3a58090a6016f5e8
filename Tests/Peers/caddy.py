"""Caddyfiles: Caddy's own adaptation tests and those of projects, asked of a running Caddy."""

import json, os, re, subprocess
from lib import *

LIMIT = 40


def matchers(node, hosts, paths):
    """Hosts and paths that a part of the JSON asks for."""
    if isinstance(node, list):
        for one in node:
            matchers(one, hosts, paths)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("host", "path") and isinstance(value, list) and all(isinstance(v, str) for v in value):
                for text in value:
                    if "{" not in text and " " not in text and "%" not in text:
                        (hosts if key == "host" else paths).setdefault(text.replace("*", "w" if key == "host" else "x1"))
            matchers(value, hosts, paths)


def requests(adapted):
    """(authority, port, path, is TLS) for each server of the JSON."""
    asked = []
    for server in adapted.get("apps", {}).get("http", {}).get("servers", {}).values():
        hosts, paths = {}, {"/": None, "/a/b": None, "/index.php": None}
        matchers(server.get("routes", []), hosts, paths)
        hosts = list(hosts) or ["a.test"]
        for address in server.get("listen", []):
            port = address.rpartition(":")[2]
            if not port.isdigit() or "/" in address:
                continue
            secure = int(port) != 80 and ("tls_connection_policies" in server or port == "443")
            usual = port == ("443" if secure else "80")
            for host in hosts[:12] + ["other.invalid"]:
                for path in list(paths):
                    if path.startswith("/"):
                        authority = f"[{host}]" if ":" in host else host
                        asked.append((authority if usual else f"{authority}:{port}", int(port), path, secure))
    return asked[:LIMIT * 10][::max(1, len(asked[:LIMIT * 10]) // LIMIT)]


def moved(adapted, upstreams):
    """The JSON with listeners and upstreams on loopback, and the new port of each old one."""
    ports = {}

    def walk(node):
        if isinstance(node, list):
            return [walk(one) for one in node]
        if not isinstance(node, dict):
            return node
        node = {k: walk(v) for k, v in node.items() if k not in ("health_checks", "ca", "ca_pool", "root_ca_pool", "root_ca_pem_files", "client_certificate_file", "client_certificate_key_file", "client_certificate_automate", "logs", "access_logs")}
        dial = node.get("dial")
        if isinstance(dial, str) and "{" not in dial:
            node["dial"] = f"127.0.0.1:{upstreams.port(dial.replace('unix//', 'unix:/'))}"
        if isinstance(node.get("root"), str) and node["root"].startswith("/"):
            node["root"] = f"{SCRATCH}/root"
        if node.get("protocol") == "http" and "tls" in node:
            node["tls"] = {"insecure_skip_verify": True}
        if node.get("protocol") == "http" and "versions" in node:
            node["versions"] = ["1.1"]
        return node

    document_root(f"/{name}" for name in re.findall(r"[\w-]+\.php\d?\b", json.dumps(adapted)))
    servers = walk(adapted.get("apps", {}).get("http", {}).get("servers", {}))
    for server in servers.values():
        listen = []
        for address in server.get("listen", []):
            port = address.rpartition(":")[2]
            if port.isdigit() and "/" not in address and int(port) not in ports:
                ports[int(port)] = free_port()
                listen.append(f"127.0.0.1:{ports[int(port)]}")
        server["listen"] = listen
        server["protocols"] = ["h1"]
        server.pop("tls_connection_policies", None)
        server.pop("listener_wrappers", None)
        server.pop("trusted_proxies", None)
        server["automatic_https"] = {"disable": True}
    return {"admin": {"disabled": True}, "apps": {"http": {"servers": {k: v for k, v in servers.items() if v["listen"]}}}}, ports


def question(text, asked, beside):
    return {
        "kind": "caddy", "files": {"/etc/caddy/Caddyfile": text, **beside},
        "command": ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"],
        "requests": [
            {"url": f"{'https' if tls else 'http'}://{host}{path}", "port": port} for host, port, path, tls in asked]}


def compare(table, file, text, adapted, beside={}):
    """`adapted`: what Caddy makes of the text; None: it refuses it."""
    asked = requests(adapted) if adapted else []
    answer = table.read(question(text, asked or [("a.test", 80, "/", False)], beside), file)
    if not answer:
        return
    why = mistake(answer)
    if adapted is None:
        if why or not any(r.get("outcome") for r in answer["routes"]):
            return table.right()
        return table.other("taken", file, "Caddy refuses it")
    if why:
        return table.other("refused", file, why)
    if not asked:
        return table.right()
    upstreams = compare.upstreams
    configuration, ports = moved(adapted, upstreams)
    path = os.path.join(SCRATCH, "caddy.json")
    with open(path, "w") as out:
        json.dump(configuration, out)

    def asking(host, port, where, tls):
        real = ask(ports[port], host, where) if port in ports else {"own": 400}
        return None if real.get("own") == 400 else (f"{'https' if tls else 'http'}://{host}{where}", real)

    environment = dict(os.environ, HOME=SCRATCH, XDG_CONFIG_HOME=SCRATCH, XDG_DATA_HOME=SCRATCH)
    command = [str(WHEELS / "caddy"), "run", "--config", path]
    with Running(command, list(ports.values()), environment=environment, folder=f"{SCRATCH}/root") as caddy:
        if not caddy.started:
            return table.other("not run", file, caddy.said.strip().split("\n")[-1][:200])
        table.compare(
            file, asked, answer, asking, len(asked), upstream=lambda p: upstreams.names.get(p, f"127.0.0.1:{p}"))


compare.upstreams = Upstreams()


def adaptation(suites, verbose):
    table = Table("Caddy, caddyfile_adapt", verbose)
    beside = {
        "/etc/caddy/" + path.partition("integration/")[2]: text
        for path, text in suites.files("caddyserver+caddy", r"^caddytest/integration/testdata/")}
    for path, text in suites.files("caddyserver+caddy", r"caddyfile_adapt/.*\.(caddyfiletest|txt)$"):
        given, line, expected = text.partition("\n----------\n")
        if not line:
            continue
        expected = expected.strip()
        compare(table, path.rpartition("/")[2], given, json.loads(expected) if expected.startswith("{") else None, beside)
    table.end()


def projects(suites, verbose):
    table = Table("Caddyfiles of projects", verbose)
    for path, text in suites.everywhere(r"(^|/)Caddyfile[^/]*$|\.caddyfile$"):
        if path.startswith("caddyserver+caddy/") or path.endswith((".go", ".md")):
            continue
        file = os.path.join(SCRATCH, "Caddyfile")
        with open(file, "w") as out:
            out.write(text)
        run = subprocess.run(
            [str(WHEELS / "caddy"), "adapt", "--config", file, "--adapter", "caddyfile"], capture_output=True, text=True)
        if re.search(r"unrecognized directive|module not registered|unrecognized global option|unrecognized parameter|unknown subdirective", run.stderr):
            table.other("not run", path, run.stderr.strip().split("\n")[-1][:200])
            continue
        compare(table, path, text, json.loads(run.stdout) if run.returncode == 0 and run.stdout.startswith("{") else None)
    table.end()


SUITES = [adaptation, projects]
