"""HAProxy's configurations: its regression tests, its examples and those of projects, asked of a running HAProxy."""

import os, re, subprocess
from lib import *

SECTION = re.compile(r"^(global|defaults|frontend|backend|listen|userlist|peers|resolvers|mailers|program|ring|cache|http-errors|fcgi-app|ruleset|dynamic-update|crt-store|log-profile|traces|acme|healthcheck|log-forward)\b")
# What has nothing to do with where a request goes, or asks for what is not here.
DROPPED = re.compile(
    r"^(log|stats\s+(socket|timeout)|chroot|user|group|daemon|pidfile|nbproc|nbthread|cpu-map|lua-\S+|errorfile|"
    r"http-check|option\s+(httpchk|\S+-check|httplog|tcplog|dontlognull|log-\S+|dontlog-\S+|external-check)|default-server|"
    r"server-template|source|external-check|email-alert|errorloc\S*|filter|compression|balance|cookie|stick\S*|"
    r"timeout\s+check|usesrc|tcp-check|monitor-uri|monitor-net|rate-limit|hash-type|load-server-state-from-file|"
    r"unique-id-\S+|log-format\S*|capture|declare|tcp-request\s+inspect-delay|id|retries|acl\s+\S+\s+lua\S*|presetenv|"
    r"setenv|ca-base|crt-base|ssl-default-\S+|tune\.\S+|http-response|http-after-response|tcp-response|errorfiles|"
    r"maxconn|fullconn|option\s+tcp-check|http-error)\b")


def moved(text, upstreams):
    """The lines on loopback, the new ports by what they were, and hosts and paths to ask for."""
    lines, ports, hosts, paths, section, secure = [], {}, {}, {"/": None, "/x1/y?q=1": None}, "", {}
    for raw in text.split("\n"):
        raw = re.sub(r"\$\{HAPROXY_TEST_TIMEOUT-?(\w*)\}", lambda m: m.group(1) or "5s", raw)
        raw = re.sub(r"\$\{tmpdir\}", SCRATCH, raw)
        line = raw.strip()
        found = SECTION.match(line)
        if found and not raw.startswith((" ", "\t")) or found and found.group(1) in ("global", "defaults", "frontend", "backend", "listen", "userlist", "resolvers", "peers"):
            section = found.group(1)
        if section in ("global", "peers", "resolvers", "mailers", "program", "ring", "log-forward", "crt-store", "traces", "acme"):
            continue
        if DROPPED.match(line) or line.startswith("#") or not line:
            continue
        if re.match(r"bind\s", line) or section in ("listen", "frontend") and re.match(r"(listen|frontend)\s+\S+\s+[\w.*\"$\[:]*:\d+", line):
            words = line.split()
            address = words[1].strip('"') if words[0] == "bind" else words[2]
            for one in address.split(","):
                number = re.search(r":(\d+)(-\d+)?$", one)
                key = int(number.group(1)) if number else one
                if one.startswith(("unix@", "/", "abns@", "quic")):
                    continue
                # One of its own that others dial: then two of them would have the same stand-in.
                fresh = key not in ports
                ports.setdefault(key, free_port())
                if words[0] != "bind":
                    lines.append(f"{words[0]} {words[1]}")
                if fresh:
                    is_secure = " ssl" in line
                    secure[ports[key]] = is_secure
                    lines.append(f"  bind 127.0.0.1:{ports[key]}" + (f" ssl crt {certificate()}" if is_secure else ""))
                elif words[0] == "bind":
                    continue
            continue
        if re.match(r"server\s", line) and section in ("backend", "listen"):
            words = line.split()
            if len(words) < 3:
                lines.append("  " + line)
                continue
            rest = words[3:]
            kept = []
            for index, word in enumerate(rest):
                if word in ("backup", "disabled"):
                    kept.append(word)
                if word == "weight" and index + 1 < len(rest):
                    kept += rest[index:index + 2]
                if word == "ssl":
                    kept += ["ssl", "verify", "none"]
            port = upstreams.port(words[2].strip('"'))
            lines.append(f"  server {words[1]} 127.0.0.1:{port} " + " ".join(kept))
            continue
        if re.search(r"hdr\w*\(|req\.hdr\w*\(|base\w*|hdr_\w+\(", line) and "host" in line.lower():
            after = re.split(r"host(?:,[^)]*)?\)", line, maxsplit=1, flags=re.I)[-1]
            for word in after.split():
                word = word.strip('"{}')
                if re.fullmatch(r"[\w-]+(\.[\w-]+)+|\.[\w.-]+", word) and "." in word and not word.endswith(".map"):
                    hosts.setdefault("w" + word if word.startswith(".") else word)
        for word in re.findall(r"(?<![\w@])/[\w./-]+", line):
            if re.search(r"path|url|base|uri", line):
                paths.setdefault(word)
                paths.setdefault(word.rstrip("/") + "/x1")
        lines.append(line if SECTION.match(line) else "  " + line)
    return lines, ports, list(hosts)[:5] + ["other.invalid"], list(paths)[:10], secure


def compare(table, file, text, upstreams, may_be_newer=False):
    """`may_be_newer`: what this HAProxy refuses may be valid in the one that the file is written for."""
    lines, ports, hosts, paths, secure = moved(text, upstreams)
    # A listener that lost every address, and a proxy without a mode, are the harness's doing.
    if not ports:
        return table.other("not run", file, "nobody listens")
    lines = ["defaults", "  timeout connect 3s", "  timeout client 5s", "  timeout server 5s"] + lines
    path = os.path.join(SCRATCH, "haproxy.cfg")
    dropped = 0
    for _ in range(25):
        with open(path, "w") as out:
            out.write("\n".join(lines) + "\n")
        test = subprocess.run(["/usr/sbin/haproxy", "-c", "-f", path], capture_output=True, text=True, errors="replace")
        if test.returncode == 0:
            break
        why = re.search(r"\[ALERT\].*?\[\S+haproxy\.cfg:(\d+)\] ?:? ?(.*)", test.stderr)
        said = why.group(2)[:150] if why else test.stderr.strip().split("\n")[0][:150]
        if why and re.search(r"unknown keyword|unable to (load|open)|failed to (load|open)|no such|can't open|not found|unknown (fetch|sample|converter)|unknown conv", why.group(2), re.I) and lines[int(why.group(1)) - 1].startswith(" "):
            lines[int(why.group(1)) - 1] = ""
            dropped += 1
            continue
        answer = table.read(question(lines, [(list(ports.values())[0], "a.test", "/")], secure), file)
        if not answer:
            return
        if mistake(answer):
            return table.right()
        return table.other("not run" if dropped or may_be_newer or not why else "taken", file, said)
    else:
        return table.other("not run", file, said)
    asked = [(port, host, path) for port in ports.values() for host in hosts for path in paths]
    asked = asked[::max(1, len(asked) // 40)]
    answer = table.read(question(lines, asked, secure), file)
    if not answer:
        return
    if mistake(answer):
        return table.other("refused", file, mistake(answer))

    def asking(port, host, where):
        real = ask(port, f"{host}:{port}", where, secure[port], 4)
        return None if real.get("own") in ("SSLError", "SSLEOFError", 400) else (f"{host}:{port}{where}", real)

    with Running(["/usr/sbin/haproxy", "-db", "-f", path], list(ports.values()), 6) as haproxy:
        if not haproxy.started:
            return table.other("not run", file, haproxy.said.strip()[-160:])
        table.compare(file, asked, answer, asking)


def question(lines, asked, secure):
    return {
        "kind": "haproxy", "files": {"/etc/haproxy/haproxy.cfg": "\n".join(lines) + "\n"},
        "command": ["haproxy", "-f", "/etc/haproxy/haproxy.cfg"],
        "requests": [{
            "url": f"{'https' if secure.get(port) else 'http'}://{host}:{port}{path}", "port": port}
            for port, host, path in asked]}


def own_tests(suites, verbose):
    upstreams, table = Upstreams(), Table("HAProxy, reg-tests", verbose)
    for path, text in suites.files("haproxy+haproxy", r"^reg-tests/.*\.vtc$"):
        for begin in re.finditer(r"^haproxy \S+.*?-conf\s*\{", text, re.M):
            at, depth = begin.end(), 1
            while at < len(text) and depth:
                depth += {"{": 1, "}": -1}.get(text[at], 0)
                at += 1
            compare(table, path, text[begin.end():at - 1], upstreams, may_be_newer=True)
    table.end()


def projects(suites, verbose):
    upstreams, table = Upstreams(), Table("HAProxy files of projects", verbose)
    for path, text in suites.everywhere(r"\.(cfg|cfg\.\w+)$|haproxy[^/]*\.(conf|txt)$"):
        if "reg-tests/" in path or not re.search(r"^\s*(frontend|listen)\s", text, re.M) or "{{" in text or "<%" in text:
            continue
        compare(table, path, text, upstreams)
    table.end()


SUITES = [own_tests, projects]
