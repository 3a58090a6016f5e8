"""Traefik: the tables of its rule and label tests, and dynamic files asked of a running Traefik."""

import json, os, re
import yaml
from lib import *

# Go's tables


class Go:
    """A reader of Go's composite literals: strings, numbers, names, lists and structs; no more of Go."""

    token = re.compile(r"""\s+|//[^\n]*|("(?:\\.|[^"\\])*")|(`[^`]*`)|([\w.]+)|(:=|&&|\|\||.)""", re.S)

    def __init__(self, text):
        self.words = [m.group() for m in self.token.finditer(text) if m.group().strip() and not m.group().startswith("//")]
        self.at = 0

    def take(self):
        self.at += 1
        return self.words[self.at - 1]

    @property
    def next(self):
        return self.words[self.at]

    def value(self):
        word = self.next
        if word[0] in "\"`":
            text = json.loads(self.take(), strict=False) if word[0] == '"' else self.take()[1:-1]
            if self.next == "+":
                self.take()
                return text + self.value()
            return text
        if word == "{":
            return self.body()
        if word == "func":
            raise ValueError("a function")
        last = ""
        while self.next not in ("{", "(", ",", "}", ")", ":"):
            if self.next == "[":
                while self.take() != "]":
                    pass
                continue
            last = self.take()
        if self.next == "{":
            return self.body()
        if self.next == "(":
            self.take()
            arguments = []
            while self.next != ")":
                arguments.append(self.value())
                if self.next == ",":
                    self.take()
            self.take()
            return arguments[0] if len(arguments) == 1 else arguments
        return {"true": True, "false": False, "nil": None}.get(last, int(last) if last.isdigit() else last)

    def body(self):
        self.take()
        items, pairs = [], {}
        while self.next != "}":
            one = self.value()
            if self.next == ":":
                self.take()
                pairs[one if isinstance(one, (str, int)) else json.dumps(one)] = self.value()
            else:
                items.append(one)
            if self.next == ",":
                self.take()
        self.take()
        return pairs or items


def tables(text):
    """(test, cases) for each table of a Go test."""
    for begin in re.finditer(r"^func (Test\w+)\(.*?\{\s*\n(?:\s*t\.Parallel\(\)\s*)?\s*(?:testCases|tests|testcases) := \[\]struct \{", text, re.M):
        at, depth = begin.end(), 1
        while depth:
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
        try:
            yield begin.group(1), Go(text[at:]).value()
        except (ValueError, IndexError):
            continue


def dynamic(rule, syntax):
    router = {"rule": rule, "service": "s"}
    if syntax:
        router["ruleSyntax"] = syntax
    return yaml.safe_dump({"http": {
        "routers": {"a": router}, "services": {"s": {"loadBalancer": {"servers": [{"url": "http://a:1"}]}}}}})


def rules(suites, verbose):
    table = Table("Traefik, rules", verbose)
    for path, text in suites.files("traefik+traefik", r"^pkg/muxer/http/\w+_test\.go$"):
        syntax = "v2" if "_v2_" in path else None
        for test, cases in tables(text):
            for case in cases:
                rule, expected = case.get("rule"), case.get("expected") or {}
                name = f"{path.rpartition('/')[2]} {test} {case.get('desc', '')}: {rule}"
                if not rule or not isinstance(rule, str) or not isinstance(expected, (dict, list)):
                    continue
                syntaxes = syntax or ("v2" if "V2" in test else None)
                # Who asks, and with which headers, is part of no question.
                headers = case.get("headers") or case.get("remoteAddr") or {}
                urls = [u for u in expected if isinstance(u, str) and re.match("https?:", u)] if isinstance(expected, dict) else []
                isolated = re.search(r"[\w*]+(\.[\w-]+)+", rule)
                asked = [re.sub(r"^https:", "http:", u) for u in urls] or [f"http://{isolated.group() if isolated and '*' not in isolated.group() else 'a.test'}/"]
                answer = table.read({
                    "kind": "traefik", "files": {"/d.yml": dynamic(rule, syntaxes)},
                    "command": ["traefik", "--providers.file.filename=/d.yml", "--entryPoints.web.address=:80"],
                    "requests": [{"url": u, "port": 80} for u in asked]}, name)
                if not answer:
                    continue
                if case.get("expectedError"):
                    # Without a route there is none, whatever is the reason.
                    found = [r for r in answer["routes"] if r.get("outcome") == "found" and not r["facts"].get("route.problem")]
                    table.other("taken", name, "Traefik refuses it, we: found") if found else table.right()
                    continue
                if any(r.get("outcome") in REFUSING for r in answer["routes"]):
                    table.other("refused", name, answer["routes"][0]["facts"].get("route.problem", ""))
                    continue
                different, unknown, count = [], 0, 0
                for url, route in zip(asked, answer["routes"]):
                    status = expected.get(url, expected.get(url.replace("http:", "https:"))) if urls else None
                    if status is None:
                        continue
                    count += 1
                    if route.get("outcome") in (None, "unknown"):
                        unknown += 1
                        continue
                    if headers:
                        count -= 1
                        continue
                    takes, ours = "OK" in str(status), bool(upstreams_of(route)) and route["outcome"] in ("found", "default")
                    if takes != ours:
                        different.append(f"{url}: Traefik {'takes' if takes else 'does not take'} it, we: {route['outcome']}")
                table.case(name, different, unknown, count)
    table.end()


def published(number, bindings):
    """A port of a container as the engine lists it, once for each address at which it is published."""
    listed = []
    for one in bindings if isinstance(bindings, list) else []:
        if isinstance(one, dict) and str(one.get("HostPort", "")).isdigit():
            listed.append({
                "PrivatePort": number, "PublicPort": int(one["HostPort"]), "IP": str(one.get("HostIP") or "0.0.0.0"),
                "Type": "tcp"})
    return listed or [{"PrivatePort": number, "Type": "tcp"}]


def labels(suites, verbose):
    table = Table("Traefik, label sets", verbose)
    for path, text in suites.files("traefik+traefik", r"^pkg/provider/docker/config_test\.go$"):
        for test, cases in tables(text):
            if test not in ("TestDynConfBuilder_DefaultRule", "TestDynConfBuilder_build"):
                continue
            for case in cases:
                name = f"{test} {case.get('desc')}"
                containers = []
                for index, one in enumerate(case.get("containers") or []):
                    settings = one.get("NetworkSettings") or {}
                    names = {k: v for k, v in (settings.get("Networks") or {}).items()} if isinstance(settings, dict) and settings.get("Networks") else {}
                    ports = settings.get("Ports") or {} if isinstance(settings, dict) else {}
                    numbers = []
                    for port, bindings in (ports.items() if isinstance(ports, dict) else [(p, None) for p in ports]):
                        found = re.search(r"(\d+)/tcp", str(port))
                        if found:
                            numbers += published(int(found.group(1)), bindings)
                    containers.append({
                        "Id": f"c{index}", "Names": ["/" + str(one.get("ServiceName") or one.get("Name"))], "State": "running", "Status": "Up" + (f" ({one['Health']})" if isinstance(one.get("Health"), str) and one["Health"] else ""),
                        "Labels": one.get("Labels") or {}, "Ports": numbers,
                        "HostConfig": {"NetworkMode": next(iter(names), "bridge")},
                        "NetworkSettings": {"Networks": {k: {"NetworkID": k, "IPAddress": (v or {}).get("Addr", "")} for k, v in names.items()}}})
                expected = ((case.get("expected") or {}).get("HTTP") or {}) if isinstance(case.get("expected"), dict) else {}
                routers, services = expected.get("Routers") or {}, expected.get("Services") or {}
                default = case.get("defaultRule", "Host(`{{ normalize .Name }}.traefik.wtf`)")
                if default == "DefaultTemplateRule":
                    default = "Host(`{{ normalize .Name }}`)"
                hosts = {}
                for router, about in (routers.items() if isinstance(routers, dict) else []):
                    service = services.get(about.get("Service"), {}) if isinstance(services, dict) else {}
                    urls = [s.get("URL") for s in ((service.get("LoadBalancer") or {}).get("Servers") or []) if isinstance(s, dict)]
                    host = re.search(r"Host\(`([^`]+)`\)", about.get("Rule") or "")
                    if host and re.fullmatch(r"[\w.-]+", host.group(1)):
                        hosts.setdefault(host.group(1), []).append(urls)
                if not routers:
                    texts = " ".join(str(c["Labels"]) for c in containers)
                    for host in re.findall(r"Host\(`([\w.-]+)`\)", texts) or ["test.traefik.wtf"]:
                        hosts[host.lower()] = []
                if not hosts or not containers:
                    table.other("not run", name, "a rule without a host")
                    continue
                constraints = [f"--providers.docker.constraints={case['constraints']}"] if case.get("constraints") else []
                answer = table.read({
                    "kind": "traefik", "files": {}, "containers": containers,
                    "command": ["traefik", "--providers.docker=true", f"--providers.docker.defaultRule={default}", "--entryPoints.web.address=:80"] + constraints
                    + (["--providers.docker.useBindPortIP=true"] if case.get("useBindPortIP") is True else [])
                    + (["--providers.docker.allowEmptyServices=true"] if case.get("allowEmptyServices") is True else []),
                    "requests": [{"url": f"http://{h}/", "port": 80} for h in hosts]}, name)
                if not answer:
                    continue
                different, unknown = [], 0
                for (host, wanted), route in zip(hosts.items(), answer["routes"]):
                    ours = upstreams_of(route) if route.get("outcome") in ("found", "default", "other-protocol") else []
                    if route.get("outcome") in (None, "unknown"):
                        unknown += 1
                    elif not any(wanted) and ours:
                        different.append(f"{host}: we say {ours[0]}, Traefik has none")
                    elif any(wanted) and not ours:
                        different.append(f"{host}: we say {route['outcome']}, Traefik {wanted}")
                    elif ours and not any(u.partition('://')[2] == ours[0] for urls in wanted for u in urls if u):
                        different.append(f"{host}: we say {ours[0]}, Traefik {wanted}")
                table.case(name, different, unknown, len(hosts))
    table.end()


# Dynamic files, asked of a running Traefik


def hosts_and_paths(text):
    hosts = [re.sub(r"^\*", "w", h) for h in re.findall(r"Host(?:Header)?\(\s*[`\"']([\w.*-]+)[`\"']", text)]
    paths = {"/": None, "/x1/y?q=1": None}
    for path in re.findall(r"[`\"'](/[\w./-]*)[`\"']", text):
        paths.setdefault(path)
        paths.setdefault(path.rstrip("/") + "/x1")
    return list(dict.fromkeys(hosts))[:8] + ["other.invalid"], list(paths)[:10]


def entry_points(tree):
    names = {}
    for router in tree.values():
        for name in (router or {}).get("entryPoints") or []:
            names.setdefault(str(name))
    return list(names) or ["web"]


def ask_both(table, file, text, command, ports, upstream, **question):
    """Both read the same text; `command` is what both are started with."""
    hosts, paths = hosts_and_paths(question.pop("about", text))
    asked = [(port, host, path) for port in ports for host in hosts for path in paths]
    asked = asked[::max(1, len(asked) // 40)]
    real_file = os.path.join(SCRATCH, "dynamic.yml")
    with open(real_file, "w") as out:
        out.write(text)
    with Running([str(WHEELS / "traefik")] + [w.replace("/d.yml", real_file) for w in command], ports, 15) as traefik:
        if not traefik.started:
            return table.other("not run", file, traefik.said[-200:])
        # The file is read a moment after the ports are there.
        time.sleep(1.2)
        answer = table.read({
            "kind": "traefik", "files": {"/d.yml": text}, "command": ["traefik"] + command,
            "requests": [{"url": f"http://{h}:{p}{w}", "port": p} for p, h, w in asked], **question}, file)
        if not answer:
            return
        is_refused = re.search(r"(Error occurred during watcher callback|error while building configuration|field not found|Cannot start the provider|yaml: )", traefik.said)
        problem = mistake(answer)
        if is_refused:
            unseen = not any(r.get("outcome") for r in answer["routes"])
            return table.right() if problem or unseen else table.other("taken", file, traefik.said[is_refused.start():][:200])
        if problem:
            return table.other("refused", file, problem)

        def asking(port, host, where):
            real = ask(port, f"{host}:{port}", where)
            own = real.get("own")
            is_passed_over = own in (401, 403, 429) or isinstance(own, int) and 300 <= own < 400
            return None if is_passed_over else (f"{host}{where}", real)

        table.compare(file, asked, answer, asking, len(asked), upstream=upstream)


def dynamic_files(suites, verbose):
    upstreams, table = Upstreams(), Table("Traefik, dynamic files", verbose)
    for path, text in suites.everywhere(r"\.(ya?ml)$"):
        if not re.search(r"^(http|tcp):", text, re.M) or "rule:" not in text or "loadBalancer" not in text and "service:" not in text:
            continue
        if "{{" in text:
            table.other("unknown", path, "a Go template")
            continue
        try:
            tree = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        if not isinstance(tree, dict) or not isinstance(tree.get("http"), dict) or not isinstance(tree["http"].get("routers"), dict):
            continue
        http = tree["http"]
        for service in (http.get("services") or {}).values():
            for server in ((service or {}).get("loadBalancer") or {}).get("servers") or []:
                url = re.fullmatch(r"(https?)://([^/:]+|\[[^\]]+\])(:\d+)?(/.*)?", str((server or {}).get("url") or ""))
                if url:
                    server["url"] = f"{url[1]}://127.0.0.1:{upstreams.port(url[2] + (url[3] or ''))}{url[4] or ''}"
            ((service or {}).get("loadBalancer") or {}).pop("healthCheck", None)
        for middleware in (http.get("middlewares") or {}).values():
            for name in ("basicAuth", "digestAuth", "ipAllowList", "ipWhiteList", "rateLimit", "inFlightReq"):
                if isinstance(middleware, dict) and name in middleware:
                    middleware.clear()
                    middleware["headers"] = {"customRequestHeaders": {"X-Peer": "1"}}
        for router in http["routers"].values():
            if isinstance(router, dict):
                router.pop("tls", None)
        names = entry_points(http["routers"])
        ports = [free_port() for _ in names]
        command = ["--providers.file.filename=/d.yml", "--log.level=ERROR", "--global.checknewversion=false", "--global.sendanonymoususage=false", "--serversTransport.insecureSkipVerify=true"]
        command += [f"--entryPoints.{n}.address=127.0.0.1:{p}" for n, p in zip(names, ports)]
        ask_both(table, path, yaml.safe_dump({"http": http}), command, ports, lambda p: f"127.0.0.1:{p}")
    table.end()


SUITES = [rules, labels, dynamic_files]
