"""httpd's configurations of projects, asked of a running httpd."""

import os, re, subprocess
from lib import *

MODULES = (
    "mpm_event authz_core authz_host authn_core authn_file auth_basic access_compat env setenvif mime alias dir headers "
    "rewrite proxy proxy_http proxy_fcgi proxy_ajp proxy_wstunnel proxy_balancer slotmem_shm lbmethod_byrequests "
    "lbmethod_bytraffic lbmethod_bybusyness socache_shmcb ssl macro filter deflate expires negotiation autoindex status "
    "info substitute remoteip vhost_alias actions include proxy_connect proxy_html xml2enc cgid").split()
FOLDER = "/usr/lib/apache2/modules"
# What asks for files, users and modules of another machine, or for who asks.
DROPPED = re.compile(
    r"^(Listen|LoadModule|Include\w*|User|Group|PidFile|ErrorLog|CustomLog|TransferLog|LogLevel|LogFormat|GlobalLog|Mutex|"
    r"SSL(?!Engine|ProxyEngine)\w*|Require\b|Allow\b|Deny\b|Order|Satisfy|Auth\w*|php_\w+|Wsgi\w*|WSGI\w*|ScriptSock|"
    r"ServerRoot|DefaultRuntimeDir|Protocols|H2\w*|MD\w+|ServerLimit|StartServers|MaxRequestWorkers|ThreadsPerChild|"
    r"MinSpareThreads|MaxSpareThreads|ThreadLimit|MaxConnectionsPerChild|Perl\w+|Passenger\w*|Sec\w+|JkMount|Jk\w+|"
    r"ServerTokens|TraceEnable|AcceptFilter|Suexec\w*|NameVirtualHost|LDAP\w+|DocumentRoot|ProxySet|Header|Cache\w+|"
    r"ServerSignature|ExtendedStatus|RewriteLog\w*|RewriteLock|ProxyRemote\w*|FilterProvider|BrotliF\w*|ModPagespeed\w*|"
    r"ErrorDocument|RequestHeader|SetOutputFilter|AddOutputFilter\w*|ProxyHTML\w*)\b", re.I)
ROUTING = re.compile(r"^(ProxyPass\w*|BalancerMember|RewriteRule|<Proxy\w*|SetHandler)\b", re.I)


def moved(text, upstreams):
    ports, hosts, paths, secure, lines = {}, {}, {"/": None, "/x1/y?q=1": None}, {}, []
    text = re.sub(r"\\\r?\n\s*", " ", text)
    at = None
    for raw in text.split("\n"):
        line = raw.strip()
        if not line or line.startswith("#") or DROPPED.match(line):
            if re.match(r"DocumentRoot", line, re.I):
                lines.append(f"DocumentRoot {SCRATCH}/root")
            continue
        opened = re.match(r"<VirtualHost\s+([^>]*)>", line, re.I)
        if opened:
            number = re.search(r":(\d+)", opened.group(1))
            at = int(number.group(1)) if number else 80
            ports.setdefault(at, free_port())
            line = f"<VirtualHost *:{ports[at]}>"
        elif re.match(r"SSLEngine\s+on", line, re.I):
            if at is not None:
                secure[at] = True
            lines += [f"SSLCertificateFile {certificate()}"]
        elif ROUTING.match(line):
            def stand(found):
                scheme, host, port = found.groups()
                if scheme == "balancer" or "$" in host or "%" in host:
                    return found.group()
                usual = {"https": "443", "wss": "443", "ajp": "8009", "fcgi": "8000"}.get(scheme, "80")
                return f"{scheme}://127.0.0.1:{upstreams.port(host + ':' + (port or usual))}"

            line = re.sub(r"unix:[^|\s\"]+\|", "", line)
            line = re.sub(r"\b(https?|wss?|fcgi|ajp|h2c?|balancer)://([^/:\s\"'>|]+|\[[0-9a-f:]+\])(?::(\d+))?(?=[/\s\"'>]|$)", stand, line)
        names = re.match(r"Server(Name|Alias)\s+(.*)", line, re.I)
        if names:
            for word in names.group(2).split():
                word = word.strip('"').rpartition("://")[2].partition(":")[0]
                if re.fullmatch(r"[\w.*-]+", word):
                    hosts.setdefault((at, word.replace("*", "w")))
        for word in re.findall(r"(?<=[\s\"^])/[\w./-]*", line if re.match(r"(<Location|ProxyPass|RewriteRule|RewriteCond|Alias|Redirect)", line, re.I) else ""):
            paths.setdefault(word)
            paths.setdefault(word.rstrip("/") + "/x1")
        lines.append(line)
    if not ports:
        ports[80] = free_port()
    head = [f"LoadModule {name}_module {FOLDER}/mod_{name}.so" for name in MODULES if os.path.exists(f"{FOLDER}/mod_{name}.so")]
    head += [f"ServerRoot {SCRATCH}", f"PidFile {SCRATCH}/httpd.pid", f"ErrorLog {SCRATCH}/httpd.log", "ServerName localhost",
             f"ScriptSock {SCRATCH}/cgi.sock", "SSLProxyVerify none", "SSLProxyCheckPeerName off", "TypesConfig /etc/mime.types",
             f"DocumentRoot {SCRATCH}/root"] + [f"Listen 127.0.0.1:{p}" for p in ports.values()]
    asked = []
    for port in ports:
        mine = [h for a, h in hosts if a in (port, None)][:4]
        asked += [(port, h, p) for h in mine + ["other.invalid"] for p in list(paths)[:12]]
    return head + lines, ports, asked[::max(1, len(asked) // 40)], secure


def question(lines, asked, ports, secure):
    return {
        "kind": "apache", "files": {"/etc/apache2/apache2.conf": "\n".join(lines) + "\n"}, "command": ["/usr/sbin/apache2"],
        "requests": [{
            "url": f"{'https' if secure.get(port) else 'http'}://{host}:{ports[port]}{path}", "port": ports[port]}
            for port, host, path in asked]}


def compare(table, file, text, upstreams):
    lines, ports, asked, secure = moved(text, upstreams)
    document_root(path for _, _, path in asked if path.endswith('.php'))
    path = os.path.join(SCRATCH, "httpd.conf")
    for _ in range(40):
        with open(path, "w") as out:
            out.write("\n".join(lines) + "\n")
        test = subprocess.run(["/usr/sbin/apache2", "-t", "-f", path], capture_output=True, text=True, errors="replace")
        if test.returncode == 0:
            break
        said = " ".join(line for line in test.stderr.split("\n") if ":warn]" not in line)[:300]
        why = re.search(r"Syntax error on line (\d+) of \S+httpd\.conf: (.*)", said)
        number = int(why.group(1)) - 1 if why else None
        if why and re.search(r"Invalid command|does not exist|cannot|not compiled|Could not open|takes|must be|not allowed|mod_\w+|Unknown", why.group(2)) \
                and "ProxyPass" not in lines[number] and not lines[number].startswith("<"):
            if "Invalid command" in why.group(2) or "does not exist" in why.group(2) or "not compiled" in why.group(2):
                lines[number] = "#"
                continue
        answer = table.read(question(lines, asked[:3], ports, secure), file)
        if not answer:
            return
        if mistake(answer) or any(r.get("outcome") is None for r in answer["routes"]):
            return table.right()
        return table.other("taken", file, said)
    else:
        return table.other("not run", file, said)
    answer = table.read(question(lines, asked, ports, secure), file)
    if not answer:
        return
    if mistake(answer):
        return table.other("refused", file, mistake(answer))

    def asking(port, host, where):
        real = ask(ports[port], f"{host}:{ports[port]}", where, secure.get(port, False))
        return None if str(real.get("own")).startswith("SSL") else (f"{host}:{port}{where}", real)

    with Running(["/usr/sbin/apache2", "-DFOREGROUND", "-f", path], list(ports.values()), 10) as httpd:
        if not httpd.started:
            return table.other("not run", file, httpd.said.strip()[-200:])
        table.compare(file, asked, answer, asking)


def projects(suites, verbose):
    upstreams, table = Upstreams(), Table("httpd files of projects", verbose)
    for path, text in suites.everywhere(r"\.(conf|conf\.(sample|in|example)|vhost)$|sites-(available|enabled)/"):
        if not re.search(r"^\s*(<VirtualHost|ProxyPass|RewriteRule|BalancerMember)", text, re.M | re.I):
            continue
        if "{{" in text or "<%" in text or re.search(r"@\w*@", text) or re.search(r"^\s*server\s*\{", text, re.M):
            continue
        compare(table, path, text, upstreams)
    table.end()


SUITES = [projects]
