"""nginx' configurations: those of projects and of nginx' own tests, asked of a running nginx."""

import os, re, subprocess
from lib import *

# What has nothing to do with where a request goes, or asks for files, users and addresses of another machine.
DROPPED = re.compile(
    r"^(user|pid|daemon|master_process|worker_.*|error_log|access_log|log_format|load_module|env|lock_file|pcre_jit|"
    r"ssl_.*|proxy_ssl_(certificate.*|trusted_certificate|verify.*|crl|password_file)|proxy_cache.*|fastcgi_cache.*|"
    r"uwsgi_cache.*|auth_basic.*|allow|deny|satisfy|limit_.*|resolver.*|proxy_bind|proxy_temp_path|client_body_temp_path|"
    r"fastcgi_temp_path|uwsgi_temp_path|scgi_temp_path|keepalive|keepalive_time.*|zone|sticky.*|ip_hash|hash|least_conn|"
    r"random|http2|http3.*|quic.*|aio|thread_pool|proxy_protocol.*|set_real_ip_from|real_ip_.*|more_.*|brotli.*|pagespeed.*|"
    r"geoip.*|modsecurity.*|lua_.*|health_check|status_zone|state|queue|ntlm|include)$")
PASSES = ("proxy_pass", "fastcgi_pass", "uwsgi_pass", "scgi_pass", "grpc_pass", "memcached_pass")


class NotRead(Exception):
    pass


def parsed(text):
    """[name, words as written, block or None] of each directive."""
    token = re.compile(r"""\s+|\#[^\n]*|([{};])|("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|((?:\\.|\$\{|[^\s{};"'\\]|(?<=[^\s{};])["'])(?:\\.|\$\{|\}(?<=\w\})|[^\s{};\\])*)""", re.S)
    stack, words, at = [[]], [], 0
    while at < len(text):
        found = token.match(text, at)
        if not found or found.end() == at:
            raise NotRead(f"at byte {at}")
        at = found.end()
        sign, quoted, word = found.groups()
        if quoted or word:
            words.append(quoted or word)
            if words[0].endswith("_by_lua_block") or words[0] == "js_content":
                raise NotRead("a script")
        elif sign == ";" and words:
            stack[-1].append([words[0], words[1:], None])
            words = []
        elif sign == "{" and words:
            stack[-1].append([words[0], words[1:], []])
            stack.append(stack[-1][-1][2])
            words = []
        elif sign == "}":
            if len(stack) == 1 or words:
                raise NotRead("an end too much")
            stack.pop()
        elif sign == "{":
            raise NotRead("a block without a name")
    if len(stack) > 1 or words:
        raise NotRead("an end is missing")
    return stack[0]


def written(tree, depth=0):
    for name, words, block in tree:
        line = "  " * depth + " ".join([name] + words)
        if block is None:
            yield line + ";"
        else:
            yield line + " {"
            yield from written(block, depth + 1)
            yield "  " * depth + "}"


def bare(word):
    return word[1:-1] if word[:1] in "\"'" and word[-1:] == word[:1] and len(word) > 1 else word


class Moved:
    """A configuration on loopback, and what to ask of it."""

    def __init__(self, tree, upstreams, found_by_name):
        self.upstreams, self.ports, self.asked = upstreams, {}, {}
        self.found_by_name = found_by_name
        names = [n for n, _, _ in tree]
        self.whole = "http" in names
        if not self.whole:
            if "server" in names or "upstream" in names or "map" in names:
                tree = [["http", [], tree]]
            elif "location" in names:
                tree = [["http", [], [["server", [], tree]]]]
            else:
                raise NotRead("neither a server nor a location")
        passes = " ".join(" ".join(words) for name, words, _ in self.all(tree) if name in PASSES)
        self.hosts = set(re.findall(r"://(\$\w+):", passes))
        self.numbers = set(re.findall(r":(\$\w+)", passes))
        self.groups = {words[0] for name, words, _ in self.all(tree) if name == "upstream" and words}
        http = [self.http(block) for name, _, block in tree if name == "http" and block is not None]
        if not http:
            raise NotRead("no http")
        pem = certificate()
        front = [["ssl_certificate", [pem], None], ["ssl_certificate_key", [pem], None]]
        if not any(n == "error_log" for n, _, _ in http[0]):
            front.append(["access_log", ["off"], None])
        self.tree = [
            ["daemon", ["off"], None], ["master_process", ["off"], None], ["pid", [SCRATCH + "/nginx.pid"], None],
            ["error_log", ["stderr", "emerg"], None], ["events", [], []], ["http", [], front + http[0]]]

    def all(self, tree):
        for one in tree:
            yield one
            if one[2]:
                yield from self.all(one[2])

    def address(self, text, usual):
        """The stand-in of an upstream's address; names of groups and what has variables stay."""
        if text in self.groups or "$" in text:
            return text
        if not text.startswith("unix:") and not re.search(r":\d+$", text):
            text += f":{usual}"
        return f"127.0.0.1:{self.upstreams.port(text)}"

    def value(self, word, usual=80):
        """A whole value that is an address or an URL."""
        text = bare(word)
        url = re.fullmatch(r"(https?|grpcs?)://(unix:[^:]+:?|[^/$?]+)(.*)", text)
        if url:
            scheme, host, rest = url.groups()
            return f'"{scheme}://{self.address(host.rstrip(":"), 443 if scheme.endswith("s") else 80)}{rest}"'
        if re.fullmatch(r"[\w.-]+:\d+|\[[0-9a-f:]+\]:\d+", text):
            return self.address(text, usual)
        return word

    def http(self, tree):
        moved = []
        for name, words, block in tree:
            if name == "include" and words:
                moved += self.http(self.included(words))
            elif DROPPED.match(name):
                continue
            elif name == "server" and block is not None:
                moved.append([name, words, self.server(block)])
            elif name == "upstream" and block is not None:
                servers = []
                for inner, arguments, _ in block:
                    if inner == "server" and arguments:
                        kept = [a for a in arguments[1:] if a in ("backup", "down") or a.startswith("weight=")]
                        servers.append([inner, [self.address(bare(arguments[0]), 80)] + kept, None])
                moved.append([name, words, servers])
            elif name == "map" and block is not None:
                moved.append([name, words, [
                    [key, [self.value(w) for w in arguments], inner] for key, arguments, inner in block]])
            else:
                moved.append([name, words, self.inner(block) if block is not None else None])
        return moved

    def included(self, words):
        text = self.found_by_name(bare(words[0]))
        try:
            return parsed(text) if text else []
        except NotRead:
            return []

    def server(self, block):
        block = [one for each in block for one in (self.included(each[1]) if each[0] == "include" and each[1] else [each])]
        listens, names, moved = {}, [], []
        is_secure = any(n == "ssl" and w[:1] == ["on"] for n, w, _ in block)
        for name, words, _ in block:
            if name == "listen" and words and not words[0].startswith("unix:") and "quic" not in words:
                number = re.search(r"(?:^|:)(\d+)$", bare(words[0]))
                port = int(number.group(1)) if number else 80
                flags = set(words[1:]) & {"default_server", "ssl"} | ({"ssl"} if is_secure else set())
                listens.setdefault(port, set()).update(flags | ({"default_server"} if "default" in words else set()))
            elif name == "server_name":
                names += [bare(w) for w in words]
        for port, flags in (listens or {80: set()}).items():
            self.ports.setdefault(port, free_port())
            moved.append(["listen", [f"127.0.0.1:{self.ports[port]}"] + sorted(flags), None])
        moved += self.inner([one for one in block if one[0] != "listen"])
        hosts = []
        for one in names:
            if one.startswith("~") or one in ("", "_") or "$" in one:
                continue
            hosts.append("w" + one[1:] if one.startswith("*.") else one[1:] if one.startswith(".") else one.replace("*", "w"))
        paths = {"/": None, "/x1/y?q=1": None}
        for name, words, inner in self.all(block):
            if name == "location" and words and inner is not None:
                paths.update(dict.fromkeys(samples(words)))
        for port, flags in (listens or {80: set()}).items():
            for host in hosts[:3] + ["other.invalid"]:
                for path in list(paths)[:14]:
                    self.asked.setdefault((host, port, path), "ssl" in flags)
        return moved

    def inner(self, tree):
        moved = []
        for name, words, block in tree:
            if name == "include" and words:
                moved += self.inner(self.included(words))
            elif DROPPED.match(name):
                continue
            elif name in PASSES and words:
                text = bare(words[0])
                value = self.value(words[0]) if "://" in text else self.address(text, 9000)
                moved.append([name, [value], None])
            elif name == "set" and len(words) == 2:
                if words[0] in self.hosts and "$" not in words[1]:
                    words = [words[0], "127.0.0.1"]
                elif words[0] in self.numbers and bare(words[1]).isdigit():
                    words = [words[0], str(self.upstreams.port(f"variable:{bare(words[1])}"))]
                else:
                    words = [words[0], self.value(words[1])]
                moved.append([name, words, None])
            elif name in ("root", "alias"):
                moved.append([name, [SCRATCH + "/root/"], None])
            else:
                moved.append([name, words, self.inner(block) if block is not None else None])
        return moved


def samples(words):
    """Paths that a location may take."""
    sign, path = (words[0], bare(words[1])) if len(words) > 1 else ("", bare(words[0]))
    if sign in ("~", "~*"):
        path = re.sub(r"\(\?[:i=!<][^)]*\)?", "(", path)
        for _ in range(5):
            path = re.sub(r"\(([^()|]*)(\|[^()]*)?\)[?*+]?", r"\1", path)
        path = re.sub(r"(\.|\[[^\]]*\]|\\[dw])[*+]\??", "1", path).replace("\\.", ".").replace("\\/", "/").rstrip("$")
        path = path[1:] if path.startswith("^") else "/x" + path.lstrip("/")
        path = path.replace("?", "")
        return [path] if re.fullmatch(r"/[\w./-]*", path) else []
    if sign == "@" or path.startswith("@") or not re.fullmatch(r"/[\w./-]*", path):
        return []
    return [path] if sign == "=" else [path, path.rstrip("/") + "/x1", path + "x1"]


def compare(table, file, text, upstreams, found_by_name=lambda path: None):
    try:
        moved = Moved(parsed(text), upstreams, found_by_name)
    except (NotRead, RecursionError) as why:
        return table.other("not run", file, str(why))
    if not any(moved.asked):
        return table.other("not run", file, "no server")
    # A word in quotes may go over several lines.
    lines, path = "\n".join(written(moved.tree)).split("\n"), os.path.join(SCRATCH, "nginx.conf")
    run = [str(WHEELS / "nginx"), "-p", SCRATCH, "-c", path, "-e", "stderr"]
    for _ in range(60):
        with open(path, "w") as out:
            out.write("\n".join(lines) + "\n")
        test = subprocess.run(run + ["-t"], capture_output=True, text=True, errors="replace")
        if test.returncode == 0:
            break
        why = re.search(r"\[emerg\] (?:\d+#\d+: )?(.*?) in \S+nginx\.conf:(\d+)", test.stderr)
        said = why.group(1) if why else test.stderr.strip().split("\n")[-1][:160]
        if why and re.search(r"unknown directive|No such file|cannot load|host not found|unknown log format|zero size", why.group(1)):
            number = int(why.group(2)) - 1
            if number < len(lines) and lines[number].endswith(";"):
                lines[number] = "#"
                continue
        if not moved.whole or re.search(r'unknown "|No such file|host not found|zero size', said):
            return table.other("not run", file, said)
        answer = table.read(question(lines, [("a.test", 80, "/")], moved), file)
        if not answer:
            return
        return table.right() if mistake(answer) else table.other("taken", file, said)
    else:
        return table.other("not run", file, said)
    named = re.findall(r"(?<=[\s\"'])/[\w./-]+\.php\b", "\n".join(lines))
    document_root([path for _, _, path in moved.asked if path.endswith(".php")] + named)
    asked = list(moved.asked)[::max(1, len(moved.asked) // 45)]
    answer = table.read(question(lines, asked, moved), file)
    if not answer:
        return
    if mistake(answer):
        return table.other("refused", file, mistake(answer))

    def asking(host, port, where):
        real = ask(moved.ports[port], f"{host}:{moved.ports[port]}", where, moved.asked[host, port, where])
        # What it does about TLS itself is no question of the route.
        if real.get("own") in (400, "SSLError", "SSLEOFError", "SSLZeroReturnError"):
            return None
        # A folder without an index is there only because of the harness.
        if real.get("own") == 403 and where.endswith("/"):
            return None
        return f"{host}:{port}{where}", real

    with Running(run, list(moved.ports.values())) as nginx:
        if not nginx.started:
            return table.other("not run", file, nginx.said[-200:])
        table.compare(file, asked, answer, asking)


def question(lines, asked, moved):
    return {
        "kind": "nginx", "files": {"/etc/nginx/nginx.conf": "\n".join(lines) + "\n"},
        "command": ["nginx: master process nginx"],
        "requests": [{
            "url": f"{'https' if moved.asked.get(one) else 'http'}://{one[0]}:{moved.ports.get(one[1], 80)}{one[2]}",
            "port": moved.ports.get(one[1], 80)} for one in asked]}


def projects(suites, verbose):
    upstreams, table = Upstreams(), Table("nginx files of projects", verbose)
    for name in suites.names():
        if name in ("nginx+nginx-tests", "nginx+agent"):
            continue
        files = dict(suites.files(name, r"\.(conf|conf\.(sample|template|example|erb|j2)|nginx|inc|vhost)$|sites-(available|enabled)/|/nginx/|(^|/)nginx[^/]*$"))
        by_name = {}
        for path, text in files.items():
            by_name.setdefault(path.rpartition("/")[2].removesuffix(".sample"), text)
        for path, text in files.items():
            if not re.search(r"^\s*(server|upstream|location)\b[^;\n]*\{", text, re.M) or not re.search(r"_pass\s", text):
                continue
            if "{{" in text or "{%" in text or "<%" in text or re.search(r"\.(md|py|go|sh|ya?ml|js|pl|t|rb|json|html|rst|php|c|h)$", path):
                continue
            compare(table, f"{name}/{path}", text, upstreams, lambda p: by_name.get(p.rpartition("/")[2]) if "*" not in p else None)
    table.end()


def own_tests(suites, verbose):
    upstreams, table = Upstreams(), Table("nginx, nginx-tests", verbose)
    for path, text in suites.files("nginx+nginx-tests", r"\.t$"):
        for body in re.findall(r"write_file_expand\('nginx\.conf', <<'?\"?EOF'?\"?\);\n(.*?)\nEOF\n", text, re.S):
            body = body.replace("%%TEST_GLOBALS%%", "").replace("%%TEST_GLOBALS_HTTP%%", "").replace("%%TESTDIR%%", SCRATCH)
            body = re.sub(r"%%PORT_(\d+)(_UDP)?%%", r"\1", body)
            if "%%" in body or re.search(r"^http \{", body, re.M) is None:
                table.other("not run", path, "no http, or other placeholders")
                continue
            compare(table, path, body, upstreams)
    table.end()


SUITES = [projects, own_tests]
