"""One staged system: containers, networks, processes of the host, rules, files and names, all drawn from the seed and all undone."""
import http.client, json, os, random, re, signal, socket, ssl, subprocess, threading, time, urllib.parse, shutil

class StagingError(Exception): pass
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PEERS = os.path.join(ROOT, ".build/peers/bin")
APP = os.path.join(ROOT, ".build/field/app")
WORDS = "maple cedar harbor falcon ember quartz willow saffron comet lagoon pepper marble orchid tundra velvet walnut zephyr basil coral delta fjord garnet hazel indigo juniper kelp lotus mango nectar olive".split()
STACKS = "photos recipes wiki budget music tickets notes library media tasks feeds metrics backup chat forum invoice".split()
DOMAINS = "home.arpa lan.test internal.test example.org example.net cloud.test".split()

def sh(*cmd, check=True, timeout=60, input=None):
    r = subprocess.run([str(c) for c in cmd], capture_output=True, text=True, timeout=timeout, input=input, errors="replace")
    if check and r.returncode: raise StagingError(f"{' '.join(map(str, cmd))[:300]}: {(r.stderr or r.stdout).strip()[-400:]}")
    return r.stdout.strip()

def get(url, timeout=25, method="GET"):
    """(status or None, body) without following redirects; None is no HTTP answer."""
    u = urllib.parse.urlsplit(url)
    try:
        if u.scheme == "https": c = http.client.HTTPSConnection(u.hostname, u.port or 443, timeout=timeout, context=ssl._create_unverified_context())
        else: c = http.client.HTTPConnection(u.hostname, u.port or 80, timeout=timeout)
        c.request(method, (u.path or "/") + ("?" + u.query if u.query else ""), headers={"Connection": "close", "User-Agent": "Mozilla/5.0"})
        r = c.getresponse(); b = r.read(20000).decode("utf-8", "replace"); c.close()
        return r.status, b
    except Exception as e:
        return None, f"{type(e).__name__}: {e}"

def free_port(rnd):
    while True:
        p = rnd.randrange(18000, 31900)
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try: s.bind(("0.0.0.0", p)); return p
            except OSError: pass

class Stage:
    def __init__(self, seed, fault):
        self.seed, self.fault = seed, fault
        self.rnd = random.Random(f"{seed}/{fault}")
        self.tag = "".join(self.rnd.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(3))
        self.undo = []; self.used = set(); self.stop = threading.Event(); self.procs = []; self.socks = []
        self.dir = f"/opt/{self.rnd.choice(STACKS)}-{self.tag}"
        os.makedirs(self.dir, exist_ok=True); self.undo.append(lambda: shutil.rmtree(self.dir, ignore_errors=True))
        self.site = f"{self.rnd.choice(STACKS)}.{self.rnd.choice(WORDS)}-{self.tag}.{self.rnd.choice(DOMAINS)}"
        self.url = self.status = None; self.causes = []; self.good = {200}; self.control = False; self.mend = None; self.slow = 0; self.body = None; self.mark = "" # what the right page has
        self.apart = None # why no command of the right page can mend it here, and what the page has to say instead
    # names and numbers
    def name(self, base=None):
        while True:
            n = f"{base or self.rnd.choice(WORDS)}-{self.rnd.choice(WORDS) if base is None else self.tag}"
            if base is None: n += self.rnd.choice("23456789")
            if n not in self.used: self.used.add(n); return n
            base = (base or "x") + self.rnd.choice("abcdef")
    def port(self): return self.rnd.choice([p for p in range(2100, 9800) if p not in (2375, 2376, 8080, 9000, 3306, 5432, 6379)])
    def hostport(self): return free_port(self.rnd)
    def appimage(self):
        from images import APPS
        return self.rnd.choice(APPS)
    def host(self, name=None):
        name = name or self.site
        with open("/etc/hosts", "a") as f: f.write(f"127.0.0.1 {name} # field {self.seed}\n")
        def undo():
            t = open("/etc/hosts").read(); k = "".join(l for l in t.splitlines(True) if not (f" {name} " in l and "# field" in l))
            if k != t: open("/etc/hosts", "w").write(k)
        self.undo.append(undo); return name
    # docker
    def net(self, base=None, *args, subnet=None):
        n = (base or self.rnd.choice(["frontend", "proxy", "web", "apps", "edge", "internal"])) + "_" + self.tag
        while n in self.used: n += "2"
        self.used.add(n)
        for _ in range(20):
            s = subnet or f"10.{self.rnd.randrange(70, 220)}.{self.rnd.randrange(256)}.0/24"
            self.subnet = s
            try: sh("docker", "network", "create", "--label", f"field={self.seed}", "--subnet", s, *args, n); break
            except StagingError as e:
                if "overlap" not in str(e).lower(): raise
        else: raise StagingError("no subnet")
        self.undo.append(lambda: sh("docker", "network", "rm", n, check=False)); self.undo.append(lambda net=self.subnet: self.forget(net)); return n
    def forget(self, subnet):
        """Takes away what a repair has let pass for this subnet."""
        for table in ("raw", "filter"):
            for l in sh("iptables-save", "-t", table, check=False).splitlines():
                if l.startswith("-A ") and f" -s {subnet} " in l and "! -s" not in l: sh("iptables", "-w", "-t", table, "-D", *l.split()[1:], check=False)
    def bridge(self, net): return "br-" + sh("docker", "network", "inspect", "-f", "{{.Id}}", net)[:12]
    def gateway(self, net): return sh("docker", "network", "inspect", "-f", "{{(index .IPAM.Config 0).Gateway}}", net) or self.subnet.rsplit(".", 1)[0] + ".1"
    def run(self, image, *cmd, name=None, net=None, opts=(), publish=(), labels=()):
        name = name or self.name()
        a = ["docker", "run", "-d", "--label", f"field={self.seed}", "--name", name]
        if net: a += ["--network", net]
        for p in publish: a += ["-p", p]
        for l in labels: a += ["--label", l]
        if not (net or "").startswith("container:"): a += ["--dns", "192.0.2.2"] # a name server of the LAN (field runs it) that knows no container
        a += list(opts) + [image] + list(cmd)
        self.undo.append(lambda: [sh("docker", "rm", "-f", "-v", c, check=False) for c in [name] + sh("docker", "ps", "-aq", "--filter", f"name=^/{name}-old-", check=False).split()]) # a repair may keep an old one
        sh(*a); return name
    def app(self, port, *args, name=None, net=None, image=None, **kw):
        name = name or self.name(); image = image or self.appimage()
        return self.run(image, "app", str(port), *map(str, args), "--name", image.split(":")[0].split("/")[-1], name=name, net=net, **kw)
    def ip(self, name, net=None):
        j = json.loads(sh("docker", "inspect", name))[0]["NetworkSettings"]["Networks"]
        return (j[net] if net else list(j.values())[0])["IPAddress"]
    def join(self, net, name, *args): sh("docker", "network", "connect", *args, net, name)
    # files and processes of the host
    def file(self, rel, text, mode=None):
        p = rel if rel.startswith("/") else f"{self.dir}/{rel}"
        os.makedirs(os.path.dirname(p), exist_ok=True)
        if rel.startswith("/"):
            old = open(p).read() if os.path.exists(p) else None
            self.undo.append(lambda: open(p, "w").write(old) if old is not None else (os.path.exists(p) and os.unlink(p)))
        open(p, "w").write(text)
        if mode: os.chmod(p, mode)
        return p
    def bg(self, *cmd, cwd=None, env=None, log=None):
        out = open(log or f"{self.dir}/{len(self.procs)}.log", "ab")
        p = subprocess.Popen([str(c) for c in cmd], stdout=out, stderr=out, stdin=subprocess.DEVNULL, cwd=cwd or self.dir, start_new_session=True, env={**os.environ, **(env or {})})
        self.procs.append(p)
        def undo():
            for sig, w in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
                try: os.killpg(p.pid, sig)
                except ProcessLookupError: pass
                try: p.wait(w); break
                except subprocess.TimeoutExpired: pass
        self.undo.append(undo); return p
    def rule(self, *args):
        """An iptables rule; undone literally."""
        sh("iptables", "-w", *args)
        back = ["-D" if a in ("-A", "-I") else a for a in args]
        self.undo.append(lambda: sh("iptables", "-w", *back, check=False))
    def load(self, n, url, seconds=30):
        """n requests that are open all the time."""
        u = urllib.parse.urlsplit(url)
        def one():
            while not self.stop.is_set():
                try:
                    s = socket.create_connection((u.hostname, u.port), 5); s.settimeout(seconds); self.socks.append(s)
                    s.sendall(f"GET {u.path or '/'}{'?' + u.query if u.query else ''} HTTP/1.1\r\nHost: {u.netloc}\r\nConnection: close\r\n\r\n".encode())
                    while s.recv(4096): pass
                except OSError: pass
                try: s.close()
                except Exception: pass
                self.stop.wait(0.3)
        for _ in range(n): threading.Thread(target=one, daemon=True).start()
        self.undo.append(self.stop.set); time.sleep(1.5)
    def hold(self, n, host, port, text=b""):
        """n idle connections."""
        def one():
            while not self.stop.is_set():
                try:
                    s = socket.create_connection((host, port), 5); self.socks.append(s); s.settimeout(1)
                    if text: s.sendall(text)
                    while not self.stop.is_set():
                        try:
                            if not s.recv(4096): break
                        except socket.timeout: pass
                    s.close()
                except OSError: pass
                self.stop.wait(0.3)
        for _ in range(n): threading.Thread(target=one, daemon=True).start()
        self.undo.append(self.stop.set); time.sleep(1)
    # proxies in containers: each returns its name; the URL is self.at(hostport)
    def mount(self, folder, inside, files):
        for n, t in files.items(): self.file(f"{folder}/{n}", t)
        return ["-v", f"{self.dir}/{folder}:{inside}"]
    def nginx(self, server, net, *, name=None, http="", opts=(), cmd=(), publish=True, image="nginx:1.27", main=None, port=80, site=None):
        hp = self.hostport(); self.hp = hp
        conf = f"{http}\nserver {{\n    listen {port};\n    server_name {site or self.site};\n{server}\n}}\n"
        o = self.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": conf}) + list(opts)
        if main: self.file("nginx.conf", main); o += ["-v", f"{self.dir}/nginx.conf:/etc/nginx/nginx.conf"]
        return self.run(image, *cmd, name=name or self.name("nginx"), net=net, opts=o, publish=[f"{hp}:{port}"] if publish else [])
    def caddy(self, text, net, *, name=None, opts=(), publish=True, port=80):
        hp = self.hostport(); self.hp = hp
        o = self.mount("caddy", "/etc/caddy", {"Caddyfile": text}) + list(opts)
        return self.run("caddy:2", name=name or self.name("caddy"), net=net, opts=o, publish=[f"{hp}:{port}"] if publish else [])
    def haproxy(self, text, net, *, name=None, opts=()):
        hp = self.hostport(); self.hp = hp
        base = "global\n    log stdout format raw local0\n    maxconn 2000\ndefaults\n    mode http\n    log global\n    option httplog\n    timeout connect 3s\n    timeout client 40s\n    timeout server 40s\n"
        o = self.mount("haproxy", "/usr/local/etc/haproxy", {"haproxy.cfg": base + text}) + list(opts)
        return self.run("haproxy:3.0", name=name or self.name("haproxy"), net=net, opts=o, publish=[f"{hp}:80"])
    def traefik(self, args, net, *, name=None, opts=(), files=None, socket=True, port=80, publish=True):
        hp = self.hostport(); self.hp = hp
        o = list(opts)
        if socket: o += ["-v", "/var/run/docker.sock:/var/run/docker.sock"]
        if files: o += self.mount("dynamic", "/etc/traefik/dynamic", files)
        return self.run("traefik:v3.1", f"--entrypoints.web.address=:{port}", "--log.level=INFO", "--serversTransport.forwardingTimeouts.dialTimeout=3s", "--global.checknewversion=false", "--global.sendanonymoususage=false", *args,
            name=name or self.name("traefik"), net=net, opts=o, publish=[f"{hp}:{port}"] if publish else [])
    def docker_provider(self, *extra): return ["--providers.docker=true", "--providers.docker.exposedbydefault=false", f"--providers.docker.constraints=Label(`stack`,`{self.tag}`)", *extra]
    def labels(self, port, site=None, router=None, extra=()):
        r = router or self.rnd.choice(WORDS)
        return ["traefik.enable=true", f"stack={self.tag}", f"traefik.http.routers.{r}.rule=Host(`{site or self.site}`)", f"traefik.http.services.{r}.loadbalancer.server.port={port}"] + [e.replace("ROUTER", r) for e in extra]
    def httpd(self, text, net, *, name=None, cmd=(), opts=(), conf="conf/httpd.conf", port=80):
        hp = self.hostport(); self.hp = hp
        mods = "mpm_event authz_core mime dir log_config proxy proxy_http proxy_fcgi setenvif alias"
        built = sh("/usr/sbin/apache2", "-l")
        base = "ServerRoot /usr/local/apache2\nListen %d\n" % port + "".join(f"LoadModule {m}_module modules/mod_{m}.so\n" for m in mods.split() if f"mod_{m}.c" not in built)
        base += "User www-data\nGroup www-data\nServerName localhost\nTypesConfig conf/mime.types\nErrorLog /proc/self/fd/2\nLogFormat \"%h %l %u %t \\\"%r\\\" %>s %b\" common\nCustomLog /proc/self/fd/1 common\n<Directory />\n    Require all granted\n</Directory>\nDocumentRoot /usr/local/apache2/htdocs\n"
        p = self.file(conf.split("/")[-1], base + text)
        o = ["-v", f"{p}:/usr/local/apache2/{conf}"] + list(opts)
        return self.run("httpd:2.4", *cmd, name=name or self.name("httpd"), net=net, opts=o, publish=[f"{hp}:{port}"])
    def envoy(self, text, net, *, name=None, opts=()):
        hp = self.hostport(); self.hp = hp
        o = self.mount("envoy", "/etc/envoy", {"envoy.yaml": text}) + list(opts)
        return self.run("envoyproxy/envoy:v1.31", name=name or self.name("envoy"), net=net, opts=o, publish=[f"{hp}:10000"])
    # what is expected
    def expect(self, path, status, *causes, good=(200,), host=True, url=None, slow=0, body=None, mend=None):
        if host and not any(f' {self.site} ' in l for l in open('/etc/hosts')): self.host()
        self.url = url or f"http://{self.site}:{self.hp}{path}"
        self.status = status if isinstance(status, (set, str)) else {status}
        self.causes, self.good, self.slow, self.body, self.mend = list(causes), set(good), slow, body, mend
        if not causes: self.control = True
    def needs(self, why, *says):
        """No command mends this: somebody has to decide, to know or to write something. The page says exactly what."""
        self.apart = (why, says)
    def wait(self, url, status, seconds=30, body=None):
        end = time.time() + seconds; got = None
        want = status if isinstance(status, set) else {status}
        while time.time() < end:
            got = get(url)
            if got[0] in want and (not body or body in got[1]): return got
            time.sleep(0.4)
        raise StagingError(f"{url}: wanted {sorted(map(str, want))}, got {got[0]} {got[1][:160]!r}")
    def ready(self, status=200, path="/", url=None):
        """Waits until the site works: for faults that come later."""
        if not any(self.site in l for l in open("/etc/hosts")): self.host()
        return self.wait(url or f"http://{self.site}:{self.hp}{path}", status)
    def shows(self):
        if self.status == "mixed":
            end = time.time() + 40
            while time.time() < end:
                seen = {get(self.url)[0] for _ in range(16)}
                if len(seen) > 1: return "mixed " + "/".join(sorted(map(str, seen)))
                time.sleep(0.5)
            raise StagingError(f"not mixed: {seen}")
        got = self.wait(self.url, self.status, 40)
        time.sleep(0.3); again = get(self.url)
        if again[0] not in self.status: raise StagingError(f"{self.url}: {got[0]}, then {again[0]} {again[1][:100]!r}")
        return str(got[0])
    def cleanup(self):
        self.stop.set()
        for s in self.socks:
            try: s.shutdown(socket.SHUT_RDWR)
            except OSError: pass
        for u in reversed(self.undo):
            try: u()
            except Exception as e: print(f"  cleanup: {e}", flush=True)
        self.undo = []
