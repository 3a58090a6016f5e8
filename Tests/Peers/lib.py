"""What the suites share: our readers, the folder of suites, stand-in upstreams, real proxies, the table."""

import atexit, collections, http.client, json, os, random, re, resource, select, shutil, signal, socket, ssl, subprocess, sys
import tempfile, threading, time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
READER = os.environ.get("PEER_READER", str(ROOT / ".build/release/peer-reader"))
WHEELS = Path(os.environ.get("PEER_WHEELS", str(ROOT / ".build/peers/bin")))


# Our readers


# Where a reader goes by the version of the image; it is that of the real proxy here.
IMAGES = {"traefik": "traefik:v3.7"}


class Peer:
    """Asks `peer-reader`; one that takes longer than `limit` seconds, or dies, is started anew.

    What is told of the slowest answer is the time of the processor: other work on the machine does not count.
    """

    def __init__(self, limit=float(os.environ.get("PEER_LIMIT", "10"))):
        self.limit, self.process = limit, None
        self.slowest = (0.0, "")
        atexit.register(self.close)

    def start(self):
        def bounds():
            resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))

        self.process = subprocess.Popen(
            [READER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, preexec_fn=bounds)

    def close(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def ask(self, question, name=""):
        """A question as `Driver.swift` has it, or the forms below, which are turned into it."""
        if question.get("mode") == "caddy":
            return self.model(question)
        engine, containers = {}, question.get("containers", [])
        command = question["command"]
        edge = {
            "Id": "edge", "Name": "/edge", "Path": command[0], "Args": command[1:], "State": {"Running": True, "Pid": 7},
            "Config": {"Image": IMAGES.get(question["kind"], ""), "Env": question.get("environment", ["BACKEND=app"])},
            "NetworkSettings": {"Networks": {"web": {"NetworkID": "n", "IPAddress": "172.20.0.2"}}}}
        for one in containers:
            engine[f"/containers/{one['Id']}/json"] = json.dumps({
                "Id": one["Id"], "Name": one["Names"][0], "Config": {"Labels": one["Labels"]},
                "HostConfig": one.get("HostConfig", {}), "NetworkSettings": one.get("NetworkSettings", {}),
                "State": {"Running": True, "Status": "running", "Pid": 9}})
        engine["/containers/edge/json"] = json.dumps(edge)
        engine["/containers/json?all=1"] = json.dumps(containers)
        line = {
            "kind": question["kind"], "files": question["files"], "engine": engine,
            "requests": [{"url": r["url"], "port": r["port"]} for r in question["requests"]]}
        if not self.process:
            self.start()
        begin = self.used()
        answer = self.exchange(json.dumps(line).encode() + b"\n")
        self.slowest = max(self.slowest, (self.used() - begin if self.process else self.limit, name))
        return answer

    def used(self):
        """Seconds of the processor that the reader has taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def exchange(self, line):
        def write():
            try:
                self.process.stdin.write(line)
                self.process.stdin.flush()
            except OSError:
                pass

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        data, end = b"", time.monotonic() + self.limit
        while not data.endswith(b"\n"):
            left = end - time.monotonic()
            # Many stand-ins have taken the low numbers.
            poll = select.poll()
            poll.register(self.process.stdout, select.POLLIN)
            if left <= 0 or not poll.poll(left * 1000):
                self.close()
                return {"hang": True}
            piece = os.read(self.process.stdout.fileno(), 1 << 20)
            if not piece:
                self.close()
                return {"crash": True}
            data += piece
        writer.join()
        return json.loads(data)

    def model(self, question):
        """Caddy's file or JSON by the names that peer-inputs.py has for it."""
        path = question.get("main", "/etc/caddy/caddy.json")
        files = question.get("files") or {path: question["json"]}
        asked = [
            {"url": f"{'https' if r['tls'] else 'http'}://{r['host']}{r['path']}", "port": r["port"]}
            for r in question["requests"]]
        command = ["caddy", "run", "--config", path] + ([] if path.endswith(".json") else ["--adapter", "caddyfile"])
        answer = self.ask({"kind": "caddy", "files": files, "command": command, "requests": asked})
        if "routes" not in answer:
            return answer
        fates = [r["facts"].get("route.upstream") or f"empty: {r.get('outcome')}" for r in answer["routes"]]
        return {"fates": fates, "model": {"servers": [{"tls": s["tls"]} for s in answer["sites"]] or [{"tls": False}]}}


# The folder of suites


class Suites:
    """DIR/OWNER+NAME is a folder with files, or has the bare git directory `repo`."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def names(self):
        return sorted(p.name for p in self.folder.iterdir() if p.is_dir() and "+" in p.name)

    def files(self, name, pattern):
        """(path, text) of every file whose path the pattern finds, in order."""
        place, git = self.folder / name, self.folder / name / "repo"
        if not place.is_dir():
            return
        if not (git / "HEAD").exists():
            for path in sorted(place.rglob("*")):
                short = str(path.relative_to(place))
                if path.is_file() and not short.startswith(".git/") and re.search(pattern, short):
                    yield short, path.read_bytes().decode("utf-8", "replace")
            return
        run = ["git", "--git-dir", str(git)]
        listed = subprocess.run(run + ["ls-tree", "-rz", "HEAD"], capture_output=True, check=True).stdout
        wanted = []
        for entry in listed.decode("utf-8", "replace").split("\0"):
            about, _, path = entry.partition("\t")
            if path and about.startswith("100") and re.search(pattern, path):
                wanted.append((about.split()[2], path))
        batch = subprocess.run(
            run + ["cat-file", "--batch"], input="".join(f"{o}\n" for o, _ in wanted).encode(), capture_output=True).stdout
        at = 0
        for _, path in wanted:
            line = batch.index(b"\n", at)
            words = batch[at:line].split()
            if len(words) < 3:
                at = line + 1
                continue
            size = int(words[2])
            yield path, batch[line + 1:line + 1 + size].decode("utf-8", "replace")
            at = line + 2 + size

    def everywhere(self, pattern):
        for name in self.names():
            for path, text in self.files(name, pattern):
                yield f"{name}/{path}", text


# Stand-in upstreams


def free_port():
    """One below those that the system gives to others by itself, the stand-ins among them."""
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)):
                return port


# So that a proxy that runs is ended, too.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
SCRATCH = tempfile.mkdtemp(prefix="peers-")
atexit.register(shutil.rmtree, SCRATCH, True)


def certificate():
    """A certificate of no worth, for whoever asks for one: the path of a file with it and its key."""
    path = os.path.join(SCRATCH, "certificate.pem")
    if not os.path.exists(path):
        key = path + ".key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "3", "-subj", "/CN=localhost", "-keyout", key, "-out", path], check=True, capture_output=True)
        with open(path, "a") as whole:
            whole.write(open(key).read())
    return path


# What stand-ins were asked since the last `ask`.
HITS = []


class Upstreams:
    """An upstream a port, each for one address of a configuration; it tells which it is, and what it was asked."""

    def __init__(self):
        self.ports, self.names, self.context = {}, {}, None

    def port(self, name):
        """The loopback port that stands for the address."""
        if name not in self.ports:
            listener = socket.socket()
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("127.0.0.1", 0))
            listener.listen(64)
            port = listener.getsockname()[1]
            self.ports[name], self.names[port] = port, name
            threading.Thread(target=self.accept, args=(listener, port), daemon=True).start()
        return self.ports[name]

    def accept(self, listener, port):
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=self.serve, args=(connection, port), daemon=True).start()

    def serve(self, connection, port):
        try:
            connection.settimeout(4)
            first = connection.recv(1, socket.MSG_PEEK)
            secure = first == b"\x16"
            if secure:
                if not self.context:
                    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                    context.load_cert_chain(certificate())
                    self.context = context
                connection = self.context.wrap_socket(connection, server_side=True)
            if first == b"\x01":
                return self.fastcgi(connection, port)
            data = b""
            while b"\r\n\r\n" not in data:
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            if first == b"\x00":
                return
            if data.startswith(b"PROXY "):
                data = data.partition(b"\r\n")[2]
            head = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
            words = head[0].split(" ")
            if words[0] == "PRI":
                # HTTP/2: which upstream it is, is all that can be told.
                return HITS.append({"port": port, "path": None, "host": None, "scheme": None})
            headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:])}
            hosts = {line.lower() for line in head[1:] if line.lower().startswith("host:")}
            host = headers.get("host", "") if len(hosts) == 1 else None
            body = self.told(port, words[1], host, "https" if secure else "http")
            connection.sendall(
                b"HTTP/1.1 200 OK\r\nX-Peer: %d\r\nConnection: close\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n"
                % (port, len(body)) + body)
        except (OSError, ValueError, IndexError):
            pass
        finally:
            connection.close()

    def told(self, port, path, host, scheme):
        HITS.append({"port": port, "path": path, "host": host, "scheme": scheme})
        return ("PEER " + json.dumps(HITS[-1])).encode()

    def fastcgi(self, connection, port):
        data, pairs = b"", b""
        while True:
            while len(data) < 8 or len(data) < 8 + int.from_bytes(data[4:6], "big") + data[6]:
                piece = connection.recv(65536)
                if not piece:
                    return
                data += piece
            kind, length, padding = data[1], int.from_bytes(data[4:6], "big"), data[6]
            content, data = data[8:8 + length], data[8 + length + padding:]
            if kind == 4 and not length:
                break
            if kind == 4:
                pairs += content
        parameters, at = {}, 0
        while at < len(pairs):
            sizes = []
            for _ in range(2):
                long = pairs[at] >> 7
                sizes.append(int.from_bytes(pairs[at:at + 4], "big") & 0x7FFFFFFF if long else pairs[at])
                at += 4 if long else 1
            name = pairs[at:at + sizes[0]].decode("latin-1")
            parameters[name] = pairs[at + sizes[0]:at + sum(sizes)].decode("latin-1")
            at += sum(sizes)
        path = parameters.get("SCRIPT_NAME") or parameters.get("SCRIPT_FILENAME", "")
        body = b"Status: 200\r\nX-Peer: %d\r\nContent-Type: text/plain\r\n\r\n" % port
        body += self.told(port, path, parameters.get("HTTP_HOST", ""), "fastcgi")
        connection.sendall(
            b"\x01\x06\x00\x01" + len(body).to_bytes(2, "big") + b"\0\0" + body + b"\x01\x06\x00\x01\0\0\0\0"
            + b"\x01\x03\x00\x01\0\x08\0\0" + bytes(8))


# Real proxies


class Running:
    """A real proxy on loopback; `with` ends it, by its own id."""

    def __init__(self, command, ports, seconds=15, environment=None, folder=SCRATCH):
        self.command, self.ports, self.seconds = command, ports, seconds
        self.environment, self.folder = environment, folder

    def __enter__(self):
        self.log = tempfile.NamedTemporaryFile(dir=SCRATCH, delete=False)
        self.process = subprocess.Popen(
            self.command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, cwd=self.folder,
            start_new_session=True, env=self.environment)
        end, self.started = time.monotonic() + self.seconds, False
        while time.monotonic() < end and self.process.poll() is None:
            if all(reachable(p) for p in self.ports):
                self.started = True
                break
            time.sleep(0.05)
        return self

    @property
    def said(self):
        return open(self.log.name, errors="replace").read()

    def __exit__(self, *_):
        # A proxy's workers are in the session that was made for it.
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
            except OSError:
                break
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                continue
        os.unlink(self.log.name)


def reachable(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0


def ask(port, host, path, secure=False, seconds=6):
    """What a real proxy does with the request: {"port", "path", "host", "scheme"} of the upstream, or {"own": status}."""
    HITS.clear()
    try:
        raw = socket.create_connection(("127.0.0.1", port), seconds)
        raw.settimeout(seconds)
        if secure:
            context = ssl._create_unverified_context()
            raw = context.wrap_socket(raw, server_hostname=host.rpartition(":")[0] or host)
        with raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAccept: */*\r\n\r\n".encode())
            response = http.client.HTTPResponse(raw)
            response.begin()
            body = response.read(1 << 16)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"own": type(error).__name__}
    if body.startswith(b"PEER "):
        return json.loads(body[5:].split(b"}")[0] + b"}")
    return {"own": response.status, "asked": HITS[-1] if HITS else None}


def document_root(scripts=()):
    """A folder in which every script that is asked for is there, and nothing else."""
    for script in ("/index.php", *scripts):
        path = os.path.normpath(f"{SCRATCH}/root{script}")
        if path.startswith(SCRATCH) and not os.path.exists(path):
            try:
                os.makedirs(os.path.dirname(path), exist_ok=True)
                open(path, "w").close()
            except OSError:
                pass


# The comparison and the table

REFUSING = {"misconfigured", "broken"}


def upstreams_of(route):
    """host:port of each server that a route may take."""
    facts = route["facts"]
    if not facts.get("route.upstream"):
        return []
    first = facts["route.upstream"].partition("://")[2]
    return [first] + [s.strip() for s in facts.get("route.servers", "").split(",") if s.strip()]


def difference(route, real, name=lambda address: address, upstream=lambda port: f"127.0.0.1:{port}", paths=True):
    """The smallest fact in which our reading of a request differs from what the proxy did; "" none, None unknown.

    `name` turns an upstream of ours into the harness's name of it, `upstream` does that for a port of the stand-ins.
    """
    outcome, facts = route.get("outcome"), route["facts"]
    if outcome in (None, "unknown"):
        return None
    ours = [name(u) for u in upstreams_of(route)] if outcome in ("found", "default", "other-protocol") else []
    if "own" in real:
        # An upstream that does not answer is an upstream all the same.
        if ours and real["own"] in (502, 503, 504):
            return ""
        # It may put an answer of its own in the place of the upstream's.
        if not ours or real.get("asked") and upstream(real["asked"]["port"]) in ours:
            return ""
        return f"outcome {outcome} to {ours[0]}, the proxy itself answers {real['own']}"
    theirs = upstream(real["port"])
    if outcome == "default" and not ours:
        # Of whoever asks for no site of its own, no more is told.
        return ""
    if not ours:
        if facts.get("config.unread"):
            return None
        return f"outcome {outcome}, the proxy asks {theirs}"
    if theirs not in ours:
        return f"upstream {ours[0]}, the proxy asks {theirs}"
    if not paths or real.get("scheme") == "fastcgi":
        return ""
    path = (real.get("path") or "").partition("?")[0]
    if facts.get("upstream.path") is not None and real.get("path") and facts["upstream.path"].partition("?")[0] != path:
        return f"path {facts['upstream.path']}, the proxy asks for {path}"
    host = real.get("host")
    if facts.get("route.sends-host") and host and facts["route.sends-host"].lower() != host.lower():
        if name(facts["route.sends-host"]) != upstream_name(host, upstream):
            return f"host {facts['route.sends-host']}, the proxy sends {host}"
    return ""


def upstream_name(host, upstream):
    _, _, port = host.rpartition(":")
    return upstream(int(port)) if port.isdigit() else host


def mistake(answer):
    """What our reader says is wrong with the files; None: nothing."""
    for route in answer["routes"]:
        if route.get("outcome") == "broken" or route["facts"].get("config.problem"):
            return route["facts"].get("config.problem") or "broken"
    return None


class Table:
    columns = ("cases", "requests", "right", "different", "by Host", "refused", "taken", "unknown", "not run")

    def __init__(self, name, verbose):
        self.name, self.verbose = name, verbose
        self.count = collections.Counter()
        self.peer = Peer()

    def case(self, file, differences, unknown=0, requests=0):
        """One file, read and compared."""
        self.count["cases"] += 1
        self.count["requests"] += requests
        if differences:
            # Where it goes tells more than what it is asked by.
            weights = [(": host " in d, ": path " in d, d) for d in differences]
            worst = min(weights)
            self.count["by Host"] += worst[0]
            self.add("different", file, worst[2] + (f" (and {len(differences) - 1} more)" if len(differences) > 1 else ""))
        elif unknown:
            self.add("unknown", file, f"{unknown} of {requests}")
        else:
            self.count["right"] += 1

    def read(self, question, file):
        """What our reader answers; None if it did not, which is counted."""
        answer = self.peer.ask(question, file)
        failed = next((why for why in ("crash", "hang") if why in answer), None)
        if failed:
            self.other("different", file, failed)
        return None if failed else answer

    def compare(self, file, asked, answer, ask, requests=None, **how):
        """Counts a file by what the proxy does with each request that our reader answered.

        `ask` takes a request apart, and gives what to call it and what the proxy did; None where that tells nothing.
        `requests`: how many count, if not only those; `how` is for `difference`.
        """
        different, unknown, count = [], 0, 0
        for one, route in zip(asked, answer["routes"]):
            told = ask(*one)
            if not told:
                continue
            name, real = told
            count += 1
            found = difference(route, real, **how)
            if found is None:
                unknown += 1
            elif found:
                different.append(f"{name}: {found}")
        self.case(file, different, unknown, count if requests is None else requests)

    def other(self, kind, file, why):
        """A file that is refused though valid, taken though invalid, unknown, or not run."""
        self.count["cases"] += 1
        self.add(kind, file, why)

    def right(self):
        self.count["cases"] += 1
        self.count["right"] += 1

    def add(self, kind, file, why):
        self.count[kind] += 1
        if self.verbose:
            print(f"  {kind}: {file}: {why}", flush=True)

    @classmethod
    def head(cls):
        print("| suite | cases | requests | right | different | of these by `Host` alone | refused though valid | taken though invalid | unknown | not run | slowest |")
        print("|---|---|---|---|---|---|---|---|---|---|---|", flush=True)

    def end(self):
        self.peer.close()
        seconds, file = self.peer.slowest
        numbers = " | ".join(str(self.count[c]) for c in self.columns)
        print(f"| {self.name} | {numbers} | {seconds:.2f} s {file} |", flush=True)
