"""More systems, for the same registry: what people who host for themselves or for a small company write of. A docstring says what
is broken and the public thread. What needs a program that talks back in another way than `app` is a Node script beside its system."""
import os, socket, subprocess, sys, threading, time
from faults import APP, ENVOY, fault, fpm, fpm_nginx, host_caddy, host_haproxy, host_nginx, loc, socket_proxy
from stage import ROOT, StagingError, get, sh

PAGE = "const page = t => `<!doctype html><html><head><title>${t}</title></head><body><h1>${t}</h1></body></html>\\n`, html = {'Content-Type': 'text/html; charset=utf-8'};\n"
def node(s, js, *, name=None, files=None, opts=(), **kw):
    """A container with server.js; `page` and `html` are at hand in it."""
    f = f"src{len(s.used)}"; o = s.mount(f, "/app", {"server.js": "const http = require('http'), https = require('https'), http2 = require('http2'), net = require('net'), fs = require('fs');\n" + PAGE + js, **(files or {})})
    return s.run("node:20-slim", "node", "server.js", name=name or s.name(), opts=o + list(opts), **kw)
def compose(project, service, folder): return [f"com.docker.compose.project={project}", f"com.docker.compose.service={service}", "com.docker.compose.container-number=1", "com.docker.compose.oneoff=False", f"com.docker.compose.project.working_dir={folder}", f"com.docker.compose.project.config_files={folder}/docker-compose.yml"]
def certificate(s, name, *, ca=False, days=30):
    """(folder) with NAME.crt, NAME.key, and ca.crt if it is signed by an authority of this stage."""
    d = f"{s.dir}/certs"; os.makedirs(d, exist_ok=True); ssl = lambda *a: sh("openssl", *a)
    if ca and not os.path.exists(d + "/ca.crt"): ssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", d + "/ca.key", "-out", d + "/ca.crt", "-days", 365, "-subj", "/CN=Home CA")
    e = s.file(f"certs/{name}.ext", f"subjectAltName=DNS:{name}\n"); c = f"{d}/{name}"
    ssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", c + ".key", "-out", c + ".csr", "-subj", f"/CN={name}")
    ssl("x509", "-req", "-in", c + ".csr", "-out", c + ".crt", "-days", days, "-extfile", e, *(["-CA", d + "/ca.crt", "-CAkey", d + "/ca.key", "-CAcreateserial"] if ca else ["-signkey", c + ".key"]))
    for f in os.listdir(d): os.chmod(f"{d}/{f}", 0o644)
    return d
def tls_nginx(s, net, port, body, *, name=None, extra=""): # an app that speaks TLS itself
    a = name or s.name(); d = certificate(s, a); f = f"tls{len(s.used)}"
    return s.run("nginx:1.27", name=a, net=net, opts=s.mount(f, "/etc/nginx/conf.d", {"default.conf": f"{extra}server {{\n    listen {port} ssl;\n    server_name {a};\n    ssl_certificate /certs/{a}.crt;\n    ssl_certificate_key /certs/{a}.key;\n    location / {{ default_type text/html; return 200 '<title>{body}</title>'; }}\n}}\n"}) + ["-v", f"{d}:/certs"])
def backend(up, extra=""): return f"frontend web\n    bind :80\n    default_backend app\nbackend app\n    server s1 {up}{extra}\n"
def caddyfile(s, up): return f"http://{s.site} {{\n\treverse_proxy {up}\n}}\n"
def variable(name, port, resolver="    resolver 127.0.0.11 valid=2s; resolver_timeout 3s;\n"): return f"{resolver}    location / {{\n        set $upstream {name};\n        proxy_pass http://$upstream:{port};\n        proxy_set_header Host $host;\n        proxy_connect_timeout 3s;\n    }}"
FILES = ["--providers.file.directory=/etc/traefik/dynamic"]
def always(s, seconds=0.7): # somebody who asks all the time
    def ask():
        while not s.stop.wait(seconds): get(f"http://{s.site}:{s.hp}/", 5)
    threading.Thread(target=ask, daemon=True).start()

# ---------------------------------------------------------------- Compose, containers and what became of them
@fault
def compose_underscores(s):
    """Compose v2 names containers with hyphens; nginx still has the name with underscores. https://github.com/louislam/dockge/issues/251"""
    n = s.net(); p = s.port(); j = f"shop{s.tag}"; s.app(p, name=f"{j}-web-1", net=n, labels=compose(j, "web", s.dir)); s.nginx(variable(f"{j}_web_1", p), n); s.expect("/", 502, "name-not-found")
@fault
def migrating_after_update(s):
    """After an update the app migrates its database for minutes before it listens. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/3473 (kind), https://github.com/JBEI/edd/issues/4"""
    n = s.net(); p = s.port(); a = s.run("paperlessngx/paperless-ngx:2.12", "sh", "-c", f"echo 'Apply database migrations...'; echo 'Operations to perform:'; echo '  Apply all migrations: admin, auth, documents'; i=1; while [ $i -lt 60 ]; do echo \"  Applying documents.00$i... OK\"; i=$((i+1)); sleep 1; done; exec app {p} --name paperless-ngx", name=s.name("paperless"), net=n)
    s.nginx(loc(f"http://{a}:{p}"), n); s.expect("/", 502, "backend-starting")
@fault
def entrypoint_waits_for_database(s):
    """The entrypoint waits for a database whose container has stopped. https://github.com/seanmorley15/AdventureLog/issues/625 (kind)"""
    n = s.net(); p = s.port(); j = s.name("stack"); d = s.app(5432, name=f"{j}-db-1", net=n, image="field/base:1", opts=["--network-alias", "db"], labels=compose(j, "db", s.dir)); sh("docker", "stop", "-t", "1", d)
    a = s.run("gitea/gitea:1.22", "sh", "-c", f"until nc -w 1 db 5432 </dev/null >/dev/null 2>&1; do echo 'Waiting for postgres at db:5432...'; sleep 2; done; exec app {p} --name gitea", name=f"{j}-server-1", net=n, labels=compose(j, "server", s.dir))
    s.caddy(caddyfile(s, f"{a}:{p}"), n); time.sleep(3); s.expect("/", 502, "backend-starting", "backend-stopped")
@fault
def published_port_taken(s):
    """The container could not start: its port belongs to another container, which is no web server; the host's Caddy asks that one. https://github.com/louislam/uptime-kuma/issues (kind)"""
    p = s.port(); q = s.hostport(); s.app(p, "--raw", name=s.name("mailrelay"), image="field/base:1", publish=[f"127.0.0.1:{q}:{p}"]); a = s.name("wiki"); s.undo.append(lambda: sh("docker", "rm", "-f", "-v", a, check=False))
    sh("docker", "run", "-d", "--label", f"field={s.seed}", "--name", a, "-p", f"127.0.0.1:{q}:3000", "gitea/gitea:1.22", "app", "3000", "--name", "gitea", check=False); host_caddy(s, f"\treverse_proxy 127.0.0.1:{q}"); s.needs("two want one port", "names its port"); s.expect("/", 502, "backend-stopped", "protocol-mismatch")
@fault
def created_never_started(s):
    """An update made the container again and left it in state created. https://github.com/nicholas-fedor/watchtower/issues/1831"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, image="vaultwarden/server:1.32"); s.caddy(caddyfile(s, f"{a}:{p}"), n); s.ready(); sh("docker", "rm", "-f", a)
    sh("docker", "create", "--label", f"field={s.seed}", "--name", a, "--network", n, "--dns", "192.0.2.2", "vaultwarden/server:1.32", "app", p, "--name", "server"); s.expect("/", 502, "backend-stopped")
@fault
def profile_not_active(s):
    """The service has a Compose profile that nobody activated: there is no container. https://docs.docker.com/compose/how-tos/profiles/"""
    n = s.net(); p = s.port(); j = f"office{s.tag}"; s.undo.append(lambda: sh("docker", "rm", "-f", "-v", f"{j}-wiki-1", check=False)) # a repair makes it
    s.file("docker-compose.yml", f"services:\n  proxy:\n    image: nginx:1.27\n    container_name: {j}-proxy-1\n    ports: [\"80:80\"]\n  wiki:\n    image: ghost:5\n    container_name: {j}-wiki-1\n    command: app {p}\n    profiles: [\"full\"]\nnetworks:\n  default:\n    name: {n}\n    external: true\n")
    s.nginx(variable(f"{j}-wiki-1", p), n, name=f"{j}-proxy-1", opts=[x for l in compose(j, "proxy", s.dir) for x in ("--label", l)]); s.expect("/", 502, "backend-stopped", "name-not-found")
@fault
def killed_for_memory(s):
    """A report needs more memory than the container's limit; it was killed and has no restart policy. https://github.com/benoitc/gunicorn/issues/2215 (kind)"""
    n = s.net(); a = node(s, "let keep = [];\nhttp.createServer((q, r) => { if (q.url.startsWith('/report')) { console.log('building report'); setInterval(() => keep.push(Buffer.alloc(8 << 20, 1)), 5); return; } r.writeHead(200, html); r.end(page('reports')); }).listen(3000, () => console.log('listening on 3000'));\n", net=n, name=s.name("reports"), opts=["--memory", "100m"])
    s.haproxy(backend(f"{a}:3000"), n); s.ready(); get(f"http://{s.site}:{s.hp}/report", 15); time.sleep(2); s.expect("/", 503, "backend-out-of-memory")
@fault
def volume_full(s):
    """The app's volume is full: it cannot write its session and answers 500 itself. https://github.com/pollinations/pollinations/issues/4557"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { try { fs.writeFileSync('/data/session-' + Date.now(), 'x'.repeat(8192)); r.writeHead(200, html); r.end(page('photos')); } catch (e) { console.error(new Date().toISOString() + ' ERROR ' + e.stack); r.writeHead(500, html); r.end(page('Internal Server Error')); } }).listen(3000);\n", net=n, name=s.name("photos"), opts=["--tmpfs", "/data:size=1m"]); time.sleep(1)
    subprocess.run(["docker", "exec", a, "sh", "-c", "cat /dev/zero > /data/cache.bin"], capture_output=True); s.nginx(loc(f"http://{a}:3000"), n); s.needs("what may be deleted, its owner knows", "/data"); s.expect("/", 500, "host-exhausted", "app-error")
@fault
def open_files_used_up(s):
    """A WebDAV server in Go has 48 descriptors and as many idle clients: it accepts nobody any more. https://github.com/hacdias/webdav/issues/128"""
    n = s.net(); o = s.mount("webdav", "/etc/caddy", {"Caddyfile": "{\n\tadmin off\n\tservers {\n\t\ttimeouts {\n\t\t\tread_header 1h\n\t\t}\n\t}\n}\n:8980 {\n\trespond \"<title>webdav</title>\"\n}\n"})
    a = s.run("caddy:2", name=s.name("webdav"), net=n, opts=o + ["--ulimit", "nofile=48:48"]); s.nginx(f"    proxy_read_timeout 6s;\n{loc(f'http://{a}:8980')}", n); s.ready(); s.hold(60, s.ip(a), 8980, b"PROPFIND / HTTP/1.1\r\nHost: dav\r\n"); time.sleep(3); s.expect("/", 504, "host-exhausted", "workers-exhausted", "proxy-limit")
@fault
def database_slots_used_up(s):
    """The app has leaked its database connections and answers 500 itself. https://github.com/langgenius/dify/issues/22695 (kind)"""
    n = s.net(); a = node(s, "let open = 0;\nhttp.createServer((q, r) => { if (q.url === '/export') open = 100; if (open < 97) { r.writeHead(200, html); return r.end(page('crm')); } console.error(new Date().toISOString() + ' error: FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute\\n    at Parser.parseErrorMessage (/app/node_modules/pg-protocol/dist/parser.js:283:98)'); r.writeHead(500, html); r.end(page('Internal Server Error')); }).listen(3000);\n", net=n, name=s.name("crm"))
    s.caddy(caddyfile(s, f"{a}:3000"), n); s.ready(); get(f"http://{s.site}:{s.hp}/export"); s.expect("/", 500, "app-error", "workers-exhausted")
@fault
def one_of_two_replicas_answers_500(s):
    """A rolling update stopped half way: the new replica answers 500, the old one is well; HAProxy only checks TCP. https://github.com/haproxy/haproxy/issues/1560 (kind)"""
    n = s.net(); p = s.port(); i = s.appimage(); a = s.app(p, net=n, image=i, name=s.name("web-1")); b = s.app(p, "--status", 500, net=n, image=i, name=s.name("web-2")); s.haproxy(f"frontend web\n    bind :80\n    default_backend app\nbackend app\n    balance roundrobin\n    server s1 {a}:{p} check inter 2s\n    server s2 {b}:{p} check inter 2s\n", n); s.needs("the app's own error", f"docker logs --tail 50 {b}"); s.expect("/", "mixed", "app-error"); always(s)
@fault
def network_taken_away(s):
    """`docker network disconnect` took the app out of the proxy's network (the other project was taken down). https://github.com/moby/moby/issues/35204 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(caddyfile(s, f"{a}:{p}"), n); s.ready(); sh("docker", "network", "disconnect", n, a); s.expect("/", 502, "network-mismatch")

# ---------------------------------------------------------------- nginx's own files
@fault
def upstream_marked_down(s):
    """`server app:80 down;` stayed in the upstream block after maintenance: no live upstreams. https://nginx.org/en/docs/http/ngx_http_upstream_module.html"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc("http://backend_app"), n, http=f"upstream backend_app {{\n    server {a}:{p} down;\n    keepalive 8;\n}}"); s.expect("/", 502, "route-misconfigured")
@fault
def two_files_one_name(s):
    """Two files have the same server_name; the old one is read first and has the old port. https://github.com/Rav4s/NginX-Config-Files/issues/4"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.file("conf.d/app-old.conf", f"server {{\n    listen 80;\n    server_name {s.site};\n{loc(f'http://{a}:{p + 11}')}\n}}\n"); s.nginx(loc(f"http://{a}:{p}"), n); s.expect("/", 502, "wrong-port", "route-misconfigured")
@fault
def file_with_other_ending(s):
    """The site is in conf.d as app.conf.new, which nginx does not include: the default site answers. https://github.com/chatmail/relay/issues/914 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.file(f"conf.d/{s.site}.conf.new", f"server {{\n    listen 80;\n    server_name {s.site};\n{loc(f'http://{a}:{p}')}\n}}\n"); s.nginx("    location / { return 404; }", n, site="_"); s.expect("/", 404, "route-missing")
@fault
def link_leads_nowhere(s):
    """sites-enabled has a link to a deleted file, so the reload failed and the new site is not loaded. https://nginx.org/en/docs/control.html"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); e, v = s.mount("sites-enabled", "/etc/nginx/sites-enabled", {"default": "server {\n    listen 80 default_server;\n    return 404;\n}\n"}), s.mount("sites-available", "/etc/nginx/sites-available", {"placeholder": ""})
    main = "user www-data;\nworker_processes 1;\npid /run/nginx.pid;\nerror_log /var/log/nginx/error.log notice;\nevents { worker_connections 256; }\nhttp {\n    access_log /var/log/nginx/access.log;\n    include /etc/nginx/sites-enabled/*;\n}\n"
    x = s.nginx("    return 404;", n, main=main, opts=e + v); s.ready(404); s.file(f"sites-available/{s.site}", f"server {{\n    listen 80;\n    server_name {s.site};\n{loc(f'http://{a}:{p}')}\n}}\n")
    for f in (s.site, "old-shop"): os.symlink(f"../sites-available/{f}", f"{s.dir}/sites-enabled/{f}")
    sh("docker", "exec", x, "nginx", "-s", "reload", check=False); time.sleep(2); s.expect("/", 404, "proxy-config-invalid", "config-not-reloaded")
@fault
def variable_and_uri(s):
    """`proxy_pass $backend/;` with a variable sends every path as `/`. https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_pass, https://github.com/kubernetes/ingress-nginx/issues (kind)"""
    n = s.net(); p = s.port(); b = "/" + s.rnd.choice(["api", "app", "git"]); a = s.app(p, "--base", b, net=n); s.nginx(f"    resolver 127.0.0.11 valid=5s;\n    location {b}/ {{\n        set $backend http://{a}:{p};\n        proxy_pass $backend/;\n        proxy_set_header Host $host;\n    }}", n); s.expect(b + "/users", 404, "path-rewrite-wrong")
@fault
def no_resolver(s):
    """proxy_pass has a variable and nginx has no resolver. https://github.com/TeamPiped/Piped/issues/1104"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(variable(a, p, ""), n); s.expect("/", 502, "resolver-differs", "route-misconfigured", "name-not-found")
@fault
def rate_limit(s):
    """limit_req with one request a minute: nginx itself answers 503. https://github.com/dev-sec/chef-nginx-hardening/issues/11"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    limit_req zone=perip;\n" + loc(f"http://{a}:{p}"), n, http="limit_req_zone $binary_remote_addr zone=perip:1m rate=1r/m;"); s.ready(); s.expect("/", 503, "proxy-limit", "route-misconfigured")
@fault
def maintenance_flag_left(s):
    """A failed deployment left its maintenance file, so nginx answers 503. https://github.com/silverstripe-archive/deploynaut/issues/76"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); o = s.mount("shared", "/srv/shared", {"maintenance.on": "deploy 2024-05-02\n"}); s.nginx("    if (-f /srv/shared/maintenance.on) { return 503; }\n" + loc(f"http://{a}:{p}"), n, opts=o); s.expect("/", 503, "route-misconfigured", "route-missing")
@fault
def auth_request_down(s):
    """nginx asks an Authelia container that has stopped: 500 for every page. https://github.com/goauthentik/authentik/issues/4207"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); u = s.app(9091, name=s.name("authelia"), net=n, image="field/base:1")
    s.nginx(f"    location = /internal/authz {{\n        internal;\n        proxy_pass http://{u}:9091/api/authz/auth-request;\n        proxy_pass_request_body off;\n        proxy_set_header Content-Length \"\";\n        proxy_connect_timeout 2s;\n    }}\n" + loc(f"http://{a}:{p}", "        auth_request /internal/authz;\n"), n); s.ready(); sh("docker", "stop", "-t", "1", u); s.expect("/", 500, "auth-service-down")
@fault
def home_directory_closed(s):
    """The socket lies in a home directory with mode 0750, nginx's workers are another user. https://github.com/bepasty/bepasty-server/issues/277"""
    d = f"{s.dir}/home/deploy"; os.makedirs(d + "/site"); u = d + "/site/app.sock"; s.bg(APP, 0, "--unix", u, "--name", "puma"); time.sleep(0.5); os.chmod(u, 0o777); os.chmod(d, 0o750); host_nginx(s, loc("http://site_app"), http=f"    upstream site_app {{ server unix:{u} fail_timeout=0; }}\n"); s.expect("/", 502, "socket-unavailable")
def gunicorn(s, app, *args):
    lib = os.path.join(ROOT, ".build/field/python")
    if not os.path.exists(lib + "/gunicorn"): raise StagingError("needs gunicorn: python3 -m pip install --target .build/field/python gunicorn==23.0.0")
    s.file("site/wsgi.py", app); return s.bg(sys.executable, "-m", "gunicorn", *args, "wsgi:application", cwd=s.dir + "/site", env={"PYTHONPATH": lib})
@fault
def gunicorn_worker_timeout(s):
    """gunicorn kills its worker after --timeout 3, the page calculates for longer. https://github.com/benoitc/gunicorn/issues/3098"""
    q = s.hostport(); gunicorn(s, "import hashlib\ndef application(e, r):\n    hashlib.pbkdf2_hmac('sha256', b'report', b'x', 60000000)\n    r('200 OK', [('Content-Type', 'text/html')])\n    return [b'<title>report</title>']\n", "--bind", f"127.0.0.1:{q}", "--workers", 2, "--timeout", 3); time.sleep(1.5); host_nginx(s, loc(f"http://127.0.0.1:{q}")); s.needs("how the app was started, its owner knows", "--timeout"); s.expect("/", 502, "connection-dropped")

# ---------------------------------------------------------------- HAProxy
@fault
def check_gets_401(s):
    """`option httpchk GET /` meets a login page (401): every server is down, 503. https://github.com/haproxy/haproxy/issues/1560"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { if (q.headers.cookie || (q.headers['user-agent'] || '').includes('Mozilla')) { r.writeHead(200, html); return r.end(page('plex')); } r.writeHead(401, html); r.end(page('Unauthorized')); }).listen(32400);\n", net=n, name=s.name("plex")); s.haproxy(f"frontend web\n    bind :80\n    default_backend app\nbackend app\n    option httpchk GET /\n    server s1 {a}:32400 check inter 1s fall 2\n", n); time.sleep(4); s.expect("/", 503, "backend-unhealthy", "route-misconfigured")
@fault
def left_in_maintenance(s):
    """Somebody set the server to maintenance by the stats socket and forgot it. https://github.com/haproxy/haproxy/issues/152 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); d = s.dir + "/run"; os.makedirs(d); s.haproxy("global\n    stats socket /run/haproxy/admin.sock mode 666 level admin\n" + backend(f"{a}:{p}", " check inter 2s"), n, opts=["-v", f"{d}:/run/haproxy"]); s.ready()
    with socket.socket(socket.AF_UNIX) as c: c.connect(d + "/admin.sock"); c.sendall(b"set server app/s1 state maint\n"); c.recv(100)
    time.sleep(1); s.expect("/", 503, "backend-unhealthy", "route-misconfigured")
@fault
def name_asked_once(s):
    """`init-addr last,libc,none` without resolvers: the app came up after HAProxy, which never asks again. https://github.com/docker-archive/dockercloud-haproxy/issues/225"""
    n = s.net(); p = s.port(); a = s.name(); s.haproxy("defaults\n    mode http\n    timeout connect 3s\n    timeout client 40s\n    timeout server 40s\n    default-server init-addr last,libc,none\n" + backend(f"{a}:{p}", " check inter 2s"), n); s.ready(503); s.app(p, name=a, net=n); time.sleep(1); s.expect("/", 503, "stale-address", "name-not-found", "config-not-reloaded")
@fault
def client_certificate_wanted(s):
    """The app wants a client certificate, HAProxy has none. https://github.com/caddyserver/caddy/issues/3547 (kind)"""
    n = s.net(); a = s.name("vault"); d = certificate(s, a, ca=True); node(s, f"https.createServer({{ key: fs.readFileSync('/certs/{a}.key'), cert: fs.readFileSync('/certs/{a}.crt'), ca: fs.readFileSync('/certs/ca.crt'), requestCert: true, rejectUnauthorized: true, maxVersion: 'TLSv1.2' }}, (q, r) => {{ r.writeHead(200, html); r.end(page('vault')); }}).on('tlsClientError', e => console.error('tls: ' + e.message)).listen(8200);\n", name=a, net=n, opts=["-v", f"{d}:/certs"])
    s.haproxy(backend(f"{a}:8200", " ssl verify none"), n); s.needs("a certificate has to be issued", "crt "); s.expect("/", {502, 503}, "tls-handshake-failed")
@fault
def expired_certificate(s):
    """HAProxy verifies with the house's CA; the app's certificate has expired. https://github.com/haproxy/haproxy/issues (kind)"""
    n = s.net(); a = s.name("intranet"); d = certificate(s, a, ca=True, days=0); node(s, f"https.createServer({{ key: fs.readFileSync('/certs/{a}.key'), cert: fs.readFileSync('/certs/{a}.crt') }}, (q, r) => {{ r.writeHead(200, html); r.end(page('intranet')); }}).listen(8443);\n", name=a, net=n, opts=["-v", f"{d}:/certs"])
    time.sleep(1); s.haproxy(backend(f"{a}:8443", f" ssl verify required ca-file /certs/ca.crt verifyhost {a}"), n, opts=["-v", f"{d}:/certs"]); s.expect("/", {502, 503}, "untrusted-certificate")
@fault
def plain_http_to_tls(s):
    """HAProxy speaks plain HTTP to a management page that speaks TLS. https://github.com/portainer/portainer/issues/6902"""
    n = s.net(); b = s.name("mgmt"); d = certificate(s, b); node(s, f"https.createServer({{ key: fs.readFileSync('/certs/{b}.key'), cert: fs.readFileSync('/certs/{b}.crt') }}, (q, r) => {{ r.writeHead(200, html); r.end(page('mgmt')); }}).listen(8006);\n", name=b, net=n, opts=["-v", f"{d}:/certs"])
    s.mark = "<title>mgmt</title>"; time.sleep(1); s.haproxy(backend(f"{b}:8006"), n); s.expect("/", {502, 503}, "http-to-https-backend")

# ---------------------------------------------------------------- Traefik
@fault
def unknown_entrypoint(s):
    """The router's label names an entry point that does not exist. https://github.com/getlago/lago/pull/618"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p, extra=["traefik.http.routers.ROUTER.entrypoints=http"])); s.traefik(s.docker_provider(), n); s.ready(404); s.expect("/", 404, "route-misconfigured")
@fault
def scheme_https_self_signed(s):
    """scheme=https to a self-signed certificate: 500. https://github.com/traefik/traefik/issues/5526"""
    n = s.net(); a = s.name("unifi"); d = certificate(s, a); node(s, f"https.createServer({{ key: fs.readFileSync('/certs/{a}.key'), cert: fs.readFileSync('/certs/{a}.crt') }}, (q, r) => {{ r.writeHead(200, html); r.end(page('unifi')); }}).listen(8443);\n", name=a, net=n, opts=["-v", f"{d}:/certs"], labels=s.labels(8443, router="unifi", extra=["traefik.http.services.unifi.loadbalancer.server.scheme=https"]))
    s.traefik(s.docker_provider(), n); s.expect("/", {500, 502}, "untrusted-certificate")
@fault
def missing_middleware(s):
    """The router uses a middleware that is nowhere defined. https://github.com/traefik/traefik/issues/11296 (kind)"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p, extra=["traefik.http.routers.ROUTER.middlewares=secure-headers@file"])); s.traefik(s.docker_provider(), n); s.ready(404); s.needs("what it was for, its owner knows", "secure-headers"); s.expect("/", 404, "route-misconfigured")
@fault
def yaml_indentation(s):
    """One line of the dynamic file is indented wrongly, Traefik drops the whole file. https://github.com/traefik/traefik/issues/12670"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.traefik(FILES, n, socket=False, files={"apps.yml": f"http:\n  routers:\n    app:\n      rule: Host(`{s.site}`)\n      service: app\n  services:\n    app:\n      loadBalancer:\n        servers:\n          - url: http://{a}:{p}\n       passHostHeader: true\n"}); s.ready(404); s.expect("/", 404, "proxy-config-invalid", "route-misconfigured")
@fault
def network_label_names_other(s):
    """traefik.docker.network names the app's database network, which Traefik is not on. https://github.com/traefik/traefik/issues/5040"""
    n = s.net("proxy"); m = s.net("backend"); p = s.port(); a = s.app(p, net=n, labels=s.labels(p, extra=[f"traefik.docker.network={m}"])); s.join(m, a); s.traefik(s.docker_provider(), n); s.expect("/", 504, "network-mismatch", "route-misconfigured")
@fault
def label_misspelt(s):
    """`traefik.http.router.` instead of `routers.`: Traefik skips the container. https://github.com/traefik/traefik/issues/7377 (kind)"""
    n = s.net(); p = s.port(); r = "files"; s.app(p, net=n, labels=["traefik.enable=true", f"stack={s.tag}", f"traefik.http.router.{r}.rule=Host(`{s.site}`)", f"traefik.http.services.{r}.loadbalancer.server.port={p}"]); s.traefik(s.docker_provider(), n); s.ready(404); s.expect("/", 404, "route-misconfigured", "route-missing")
@fault
def two_services_no_link(s):
    """Two services at one container and no router says which: Traefik skips it. https://github.com/traefik/traefik/issues/4807"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=["traefik.enable=true", f"stack={s.tag}", f"traefik.http.routers.site.rule=Host(`{s.site}`)", f"traefik.http.services.web.loadbalancer.server.port={p}", f"traefik.http.routers.admin.rule=Host(`admin.{s.site}`)", f"traefik.http.services.admin.loadbalancer.server.port={p + 1}"]); s.traefik(s.docker_provider(), n); s.ready(404); s.expect("/", 404, "route-misconfigured")
@fault
def unhealthy_for_want_of_curl(s):
    """The health check calls curl, which the image lacks; Traefik leaves unhealthy containers out. https://github.com/BeardedTek/notesnook-docker/issues/2"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p), opts=["--health-cmd", f"curl -fsS http://localhost:{p}/ || exit 1", "--health-interval", "1s", "--health-retries", "2"]); time.sleep(5); s.traefik(s.docker_provider(), n); s.ready(404); s.expect("/", 404, "backend-unhealthy")
@fault
def exposed_port_is_old(s):
    """No port label: Traefik takes the exposed port, the app listens where its PORT variable says. https://github.com/PanSalut/Koffan/issues/97"""
    n = s.net(); p = s.port(); node(s, "http.createServer((q, r) => { r.writeHead(200, html); r.end(page('shopping')); }).listen(process.env.PORT, () => console.log('listening on ' + process.env.PORT));\n", net=n, name=s.name("shopping"), opts=["--expose", "3000", "-e", f"PORT={p}"], labels=["traefik.enable=true", f"stack={s.tag}", f"traefik.http.routers.shopping.rule=Host(`{s.site}`)"]); s.traefik(s.docker_provider(), n); s.expect("/", 502, "wrong-port")
@fault
def forward_auth_down(s):
    """The forwardAuth address is a container that has stopped: 500. https://github.com/traefik/traefik/issues/4481 (kind), https://github.com/authelia/authelia/issues (kind)"""
    n = s.net(); p = s.port(); u = s.app(9091, name=s.name("authelia"), net=n, image="field/base:1"); s.app(p, net=n, labels=s.labels(p, extra=[f"traefik.http.middlewares.login.forwardauth.address=http://{u}:9091/api/authz/forward-auth", "traefik.http.routers.ROUTER.middlewares=login"])); s.traefik(s.docker_provider(), n); s.ready(); sh("docker", "stop", "-t", "1", u); time.sleep(1); s.expect("/", {500, 502}, "auth-service-down")
@fault
def socket_proxy_forbids(s):
    """The socket proxy allows /version and not /containers: 403 for Traefik, no routes. https://github.com/Tecnativa/docker-socket-proxy/issues/182 (kind), https://github.com/knrdl/docker-socket-protector/issues/38"""
    n = s.net(); m = s.net("socket"); p = s.port(); s.app(p, net=n, labels=s.labels(p)); k = socket_proxy(s, m, CONTAINERS=0); t = s.traefik(s.docker_provider(f"--providers.docker.endpoint=tcp://{k}:2375"), n, socket=False); s.join(m, t); sh("docker", "restart", "-t", "1", t); s.ready(404); s.expect("/", 404, "provider-unreachable")

# ---------------------------------------------------------------- Caddy
@fault
def mounted_file_replaced(s):
    """The Caddyfile is mounted as one file and an editor wrote a new one in its place: the container, and each reload, sees the old. https://github.com/caddyserver/caddy/issues/5735"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); f = s.file("Caddyfile", caddyfile(s, f"{a}:{p + 1}")); s.hp = s.hostport(); c = s.run("caddy:2", name=s.name("caddy"), net=n, opts=["-v", f"{f}:/etc/caddy/Caddyfile"], publish=[f"{s.hp}:80"]); s.ready(502)
    s.file("Caddyfile.swp", caddyfile(s, f"{a}:{p}")); os.replace(f"{s.dir}/Caddyfile.swp", f); time.sleep(1); sh("docker", "exec", c, "caddy", "reload", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile", check=False); s.expect("/", 502, "config-not-reloaded")
@fault
def h2c_to_http1(s):
    """`versions h2c` to an app that speaks HTTP/1 only. https://github.com/caddyserver/caddy/issues/4777 (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(200, html); r.end(page('budget')); }}).listen({p});\n", net=n); time.sleep(1); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p} {{\n\t\ttransport http {{\n\t\t\tversions h2c\n\t\t}}\n\t}}\n}}\n", n); s.expect("/", 502, "protocol-mismatch")
@fault
def tls10_only(s):
    """A device's page speaks TLS 1.0 only, Caddy from 1.2. https://github.com/caddyserver/caddy/issues/4747"""
    n = s.net(); a = s.name("ipmi"); d = certificate(s, a); node(s, f"https.createServer({{ key: fs.readFileSync('/certs/{a}.key'), cert: fs.readFileSync('/certs/{a}.crt'), minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' }}, (q, r) => {{ r.writeHead(200, html); r.end(page('ipmi')); }}).listen(443);\n", name=a, net=n, opts=["-v", f"{d}:/certs"])
    s.caddy(f"http://{s.site} {{\n\treverse_proxy https://{a} {{\n\t\ttransport http {{\n\t\t\ttls_insecure_skip_verify\n\t\t}}\n\t}}\n}}\n", n); s.needs("the device has to be updated", "TLS 1.2"); s.expect("/", 502, "tls-handshake-failed")
@fault
def https_to_plain(s):
    """The Caddyfile says https://, the app speaks plain HTTP. https://github.com/NX211/traefik-proxmox-provider/issues/14 (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(200, html); r.end(page('budget')); }}).listen({p});\n", net=n); time.sleep(1); s.caddy(f"http://{s.site} {{\n\treverse_proxy https://{a}:{p} {{\n\t\ttransport http {{\n\t\t\ttls_insecure_skip_verify\n\t\t}}\n\t}}\n}}\n", n); s.expect("/", 502, "https-to-http-backend")
@fault
def port_left_out(s):
    """`reverse_proxy app` without a port dials 80. https://caddyserver.com/docs/caddyfile/directives/reverse_proxy"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(caddyfile(s, a), n); s.expect("/", 502, "wrong-port")
@fault
def websocket_port_dialled(s):
    """The route has the port for notifications, which hangs up on anything but WebSocket. https://github.com/dani-garcia/vaultwarden/issues/194"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { r.writeHead(200, html); r.end(page('vaultwarden')); }).listen(80, () => console.log('Rocket has launched from http://0.0.0.0:80'));\nnet.createServer(c => { c.on('error', () => 0); c.once('data', d => { if (!/upgrade: *websocket/i.test(d)) c.destroy(); }); }).listen(3012, () => console.log('Listening for new connections on 0.0.0.0:3012.'));\n", net=n, name=s.name("vaultwarden")); time.sleep(1); s.caddy(caddyfile(s, f"{a}:3012"), n); s.expect("/", 502, "wrong-port", "protocol-mismatch", "connection-dropped")
@fault
def extra_hosts_is_old(s):
    """extra_hosts gives the app's name an address that it had before. https://github.com/lerd-env/lerd/issues/817 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); old = s.ip(a); s.caddy(caddyfile(s, f"{a}:{p}"), n, opts=["--add-host", f"{a}:{old}"]); s.ready(); sh("docker", "rm", "-f", a); s.run("field/base:1", "sleep", "infinity", name=s.name("redis"), net=n); s.app(p, name=a, net=n); s.expect("/", 502, "stale-address")
@fault
def no_host_gateway(s):
    """host.docker.internal does not exist on Linux without extra_hosts. https://github.com/EdanStarfire/claudecode_webui/issues/1184"""
    n = s.net(); q = s.hostport(); s.bg(APP, q, "--name", "homebridge"); s.caddy(caddyfile(s, f"host.docker.internal:{q}"), n); s.expect("/", 502, "name-not-found")

# ---------------------------------------------------------------- Apache, lighttpd, Envoy
@fault
def proxypass_order(s):
    """`ProxyPass /` stands before `ProxyPass /api`, so the API's requests go to the other app. https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass"""
    n = s.net(); p = s.port(); a = node(s, "http.createServer((q, r) => { r.writeHead(q.url === '/' ? 200 : 404, html); r.end(page(q.url === '/' ? 'shop' : 'Cannot GET ' + q.url)); }).listen(3000);\n", net=n, name=s.name("shop")); b = s.app(p, "--base", "/api", net=n, name=s.name("api"), image="field/base:1"); time.sleep(1); s.httpd(f"<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPass / http://{a}:3000/\n    ProxyPassReverse / http://{a}:3000/\n    ProxyPass /api http://{b}:{p}/api\n    ProxyPassReverse /api http://{b}:{p}/api\n</VirtualHost>\n", n); s.expect("/api/orders", 404, "route-misconfigured", "path-rewrite-wrong")
@fault
def proxy_http_not_loaded(s):
    """mod_proxy_http is not loaded: no protocol handler was valid. https://github.com/advplyr/audiobookshelf/pull/1814"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); x = s.httpd(f"<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPass / http://{a}:{p}/\n    ProxyPassReverse / http://{a}:{p}/\n</VirtualHost>\n", n); f = f"{s.dir}/httpd.conf"; t = open(f).read().replace("LoadModule proxy_http_module", "#LoadModule proxy_http_module"); open(f, "w").write(t); sh("docker", "restart", "-t", "1", x); s.expect("/", 500, "route-misconfigured")
@fault
def host_not_preserved(s):
    """Without ProxyPreserveHost the app gets another Host than the one it serves: 404. https://github.com/haiwen/seafile/issues/2210 (kind)"""
    n = s.net(); a = node(s, f"http.createServer((q, r) => {{ const ok = (q.headers.host || '').startsWith('{s.site}'); if (!ok) console.log('no tenant for host ' + q.headers.host); r.writeHead(ok ? 200 : 404, html); r.end(page(ok ? 'portal' : 'Unknown site')); }}).listen(3000);\n", net=n, name=s.name("portal")); time.sleep(1); s.httpd(f"<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPass / http://{a}:3000/\n    ProxyPassReverse / http://{a}:3000/\n</VirtualHost>\n", n); s.expect("/", 404, "route-misconfigured", "app-error")
@fault
def encoded_slash(s):
    """Apache refuses %2F in a path with its own 404 (AllowEncodedSlashes Off). https://github.com/yamcs/yamcs/issues/793"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(f"<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPass / http://{a}:{p}/ nocanon\n    ProxyPassReverse / http://{a}:{p}/\n</VirtualHost>\n", n); s.ready(); s.expect("/api/v4/projects/team%2Fsite", 404, "path-rewrite-wrong", "route-misconfigured")
def lighttpd(s, n, host, port):
    s.hp = s.hostport(); o = s.mount("lighttpd", "/etc/lighttpd", {"lighttpd.conf": f'server.modules = ( "mod_access", "mod_proxy" )\nserver.document-root = "/var/www/html"\nserver.port = 80\nserver.errorlog = "/dev/stderr"\n$HTTP["host"] =~ "^{s.site.replace(".", chr(92) + ".")}(:[0-9]+)?$" {{\n    proxy.server = ( "" => (( "host" => "{host}", "port" => {port} )) )\n}}\n'}); return s.run("lighttpd:1.4", name=s.name("lighttpd"), net=n, opts=o, publish=[f"{s.hp}:80"])
@fault
def lighttpd_wrong_port(s):
    """lighttpd's proxy.server has the old port. https://redmine.lighttpd.net/projects/lighttpd/wiki/Mod_proxy (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); lighttpd(s, n, a, p + 3); s.expect("/", {500, 502, 503}, "wrong-port")
@fault
def logical_dns_misspelt(s):
    """A LOGICAL_DNS cluster has a misspelt name: no healthy upstream. https://github.com/envoyproxy/envoy/issues/23883 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); w = a[:2] + a[3:]; s.envoy(ENVOY.format(host=s.site, up=w, port=p, cluster="").replace("STRICT_DNS", "LOGICAL_DNS"), n); s.expect("/", 503, "name-not-found")
H2 = "    typed_extension_protocol_options:\n      envoy.extensions.upstreams.http.v3.HttpProtocolOptions:\n        \"@type\": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions\n        explicit_http_config:\n          http2_protocol_options: {}\n"
@fault
def envoy_http2_to_http1(s):
    """The cluster has http2_protocol_options, the app speaks HTTP/1. https://github.com/envoyproxy/envoy/issues/7402"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(200, html); r.end(page('budget')); }}).listen({p});\n", net=n); time.sleep(1); s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster=H2), n); s.expect("/", {502, 503}, "protocol-mismatch")
@fault
def keepalive_race(s):
    """The app hangs up on the second request of a connection, Envoy reuses connections: every other request is 503 UC. https://github.com/envoyproxy/envoy/issues/23625"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { const k = q.socket; k.seen = (k.seen || 0) + 1; if (k.seen > 1) return k.destroy(); r.writeHead(200, html); r.end(page('express')); }).listen(3000);\n", net=n, name=s.name("express")); time.sleep(1); s.envoy(ENVOY.format(host=s.site, up=a, port=3000, cluster=""), n); s.expect("/", "mixed", "connection-dropped"); always(s)
@fault
def http10_to_envoy(s):
    """nginx speaks HTTP/1.0 to an Envoy, which answers 426. https://github.com/langflow-ai/langflow/issues/9010"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); e = s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster=""), n); s.nginx(loc(f"http://{e}:10000"), n); s.expect("/", 426, "protocol-mismatch")

# ---------------------------------------------------------------- protocols
@fault
def no_sni(s):
    """The upstream refuses a handshake without its name, nginx sends none by default. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/4457"""
    n = s.net(); a = tls_nginx(s, n, 8443, "second proxy", extra="server {\n    listen 8443 ssl default_server;\n    ssl_reject_handshake on;\n}\n"); s.nginx(f"    location / {{\n        proxy_pass https://{a}:8443;\n        proxy_connect_timeout 3s;\n    }}", n); s.expect("/", 502, "tls-handshake-failed")
@fault
def http2_only_app(s):
    """The app speaks HTTP/2 without TLS only; Traefik's label lacks scheme=h2c. https://github.com/nginx-proxy/nginx-proxy/issues/349 (kind)"""
    n = s.net(); node(s, "http2.createServer((q, r) => { r.writeHead(200, html); r.end(page('grpc')); }).on('sessionError', e => console.error(e.message)).listen(50051, () => console.log('gRPC server on :50051'));\n", net=n, name=s.name("grpc"), labels=s.labels(50051, router="grpc")); time.sleep(1); s.traefik(s.docker_provider(), n); s.expect("/", {500, 502}, "protocol-mismatch")
@fault
def invalid_header(s):
    """A line of the app's header has no colon: upstream sent invalid header. https://github.com/FreshRSS/FreshRSS/issues/4766"""
    n = s.net(); a = node(s, "net.createServer(c => { c.on('error', () => 0); c.once('data', d => /^[A-Z]+ \/.* HTTP\/1/.test(d) ? c.end('HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\nX-Report Q3 2024.pdf\\r\\nContent-Length: 22\\r\\nConnection: close\\r\\n\\r\\n<title>reports</title>') : c.destroy()); }).listen(3000);\n", net=n, name=s.name("reports")); time.sleep(1); s.nginx(loc(f"http://{a}:3000"), n); s.needs("the app's own error", "docker logs --tail 50 "); s.expect("/", 502, "protocol-mismatch", "app-error")
@fault
def uwsgi_pass_to_http(s):
    """uwsgi_pass to uWSGI's http-socket. https://github.com/caiqing0204/dev_task/issues/5 (the reverse of it)"""
    q = s.hostport(); f = s.file("wsgi.py", "def application(e, r):\n    r('200 OK', [('Content-Type', 'text/html')])\n    return [b'<title>ok</title>']\n"); s.bg("/usr/bin/uwsgi-core", "--plugin", "/usr/lib/uwsgi/plugins/python311_plugin.so", "--http-socket", f"127.0.0.1:{q}", "--wsgi-file", f, "--master", "--die-on-term")
    host_nginx(s, f"    location / {{ include /etc/nginx/uwsgi_params; uwsgi_read_timeout 8s; uwsgi_pass 127.0.0.1:{q}; }}"); time.sleep(2); s.expect("/", {502, 504}, "protocol-mismatch")
@fault
def allowed_clients(s):
    """php-fpm's listen.allowed_clients has 127.0.0.1 only: it hangs up on nginx. https://github.com/nextcloud/all-in-one/issues/3625"""
    n = s.net(); a = fpm(s, n, "<?php echo '<title>shop</title>ok';\n", extra="listen.allowed_clients = 127.0.0.1\n"); time.sleep(1); fpm_nginx(s, n, a); s.expect("/", 502, "connection-dropped")
@fault
def request_terminate_timeout(s):
    """php-fpm ends the script after 3 s (request_terminate_timeout): 502. https://github.com/ministryofjustice/intranet/pull/113"""
    n = s.net(); a = fpm(s, n, "<?php sleep(15); echo '<title>export</title>ok';\n", extra="request_terminate_timeout = 3s\ncatch_workers_output = yes\n"); time.sleep(1); fpm_nginx(s, n, a); s.expect("/", 502, "connection-dropped", slow=15)
@fault
def script_elsewhere(s):
    """SCRIPT_FILENAME is a path that only nginx has: Primary script unknown, 404. https://github.com/helderco/docker-php-5.3/issues/1"""
    n = s.net(); a = fpm(s, n, "<?php echo '<title>shop</title>ok';\n"); time.sleep(1); s.nginx("    root /usr/share/nginx/shop;\n    location / {\n        include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME $document_root/index.php;\n        fastcgi_pass " + a + ":9000;\n    }", n, opts=["-v", f"{s.dir}/html:/usr/share/nginx/shop"]); s.expect("/", 404, "path-rewrite-wrong", "route-misconfigured")
@fault
def untrusted_proxy(s):
    """Home Assistant answers 400 to what a proxy forwards that it does not trust. https://github.com/hassio-addons/app-nginx-proxy-manager/issues/650"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { if (q.headers['x-forwarded-for']) { console.error(new Date().toISOString() + ' ERROR (MainThread) [homeassistant.components.http.forwarded] A request from a reverse proxy was received from ' + q.socket.remoteAddress + ', but your HTTP integration is not set-up for reverse proxies'); r.writeHead(400, {'Content-Type': 'text/plain'}); return r.end('400: Bad Request'); } r.writeHead(200, html); r.end(page('Home Assistant')); }).listen(8123);\n", net=n, name=s.name("homeassistant")); time.sleep(1); s.nginx(loc(f"http://{a}:8123"), n); s.needs("the app's own setting", "trusted_proxies"); s.expect("/", 400, "app-error", "route-misconfigured")

# ---------------------------------------------------------------- addresses, ports and firewalls
@fault
def bound_to_other_network(s):
    """The app listens on its address in the database network only, the proxy comes by the other. https://github.com/moby/moby/issues/46162 (kind)"""
    n = s.net("proxy"); m = s.net("backend"); x = s.subnet.rsplit(".", 1)[0] + ".77"; p = s.port(); a = s.app(p, x, net=m, opts=["--ip", x]); s.join(n, a); s.nginx(loc(f"http://{a}:{p}"), n); s.expect("/", 502, "listens-on-localhost", "network-mismatch")
@fault
def no_talk_between_containers(s):
    """The network was made with enable_icc=false: its containers cannot reach each other. https://github.com/moby/moby/issues/31453"""
    n = s.net(None, "-o", "com.docker.network.bridge.enable_icc=false"); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n); s.expect("/", {502, 504}, "firewall-blocked", "network-mismatch")
@fault
def docker_user_drops(s):
    """A hardening rule in DOCKER-USER drops what the proxy sends to the app in the same network. https://github.com/mailcow/mailcow-dockerized/issues/2641 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.rule("-I", "DOCKER-USER", "-i", s.bridge(n), "-p", "tcp", "--dport", str(p), "-m", "conntrack", "--ctstate", "NEW", "-j", "DROP"); s.haproxy(backend(f"{a}:{p}"), n); s.expect("/", {503, 504}, "firewall-blocked")
@fault
def host_app_on_loopback(s):
    """The app of the host listens on 127.0.0.1, the proxy container comes by host.docker.internal. https://github.com/docker/for-linux/issues/264"""
    n = s.net(); q = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "ollama"); s.nginx(loc(f"http://host.docker.internal:{q}"), n, opts=["--add-host", f"host.docker.internal:{s.gateway(n)}"]); s.needs("how the app was started, its owner knows", "0.0.0.0"); s.expect("/", 502, "listens-on-localhost")
@fault
def host_app_on_v6_loopback(s):
    """The app of the host listens on localhost, which is ::1 to it; nginx dials 127.0.0.1. https://github.com/angular/angular-cli/issues/29028"""
    q = s.hostport(); s.bg(APP, q, "::1", "--name", "vite"); time.sleep(0.5); host_nginx(s, loc(f"http://127.0.0.1:{q}")); s.expect("/", 502, "ipv6-mismatch")
@fault
def published_on_other_address(s):
    """The port is published on another address of the host, HAProxy dials 127.0.0.1. https://github.com/moby/moby/issues/28693 (kind)"""
    x = f"10.{s.rnd.randrange(221, 250)}.{s.rnd.randrange(250)}.2"; d = f"hf{s.tag}2"; sh("ip", "link", "add", d, "type", "veth", "peer", "name", f"hf{s.tag}3"); s.undo.append(lambda: sh("ip", "link", "del", d, check=False)); sh("ip", "addr", "add", x + "/24", "dev", d); sh("ip", "link", "set", d, "up")
    p = s.port(); q = s.hostport(); s.app(p, publish=[f"{x}:{q}:{p}"]); host_haproxy(s, f"backend app\n    server a 127.0.0.1:{q}\n"); s.expect("/", 503, "port-not-published")
@fault
def internal_network(s):
    """The network is internal, so `ports:` has no effect; nginx is on the host. https://github.com/moby/moby/issues/36174"""
    n = s.net(None, "--internal"); p = s.port(); q = s.hostport(); s.app(p, net=n, publish=[f"127.0.0.1:{q}:{p}"]); host_nginx(s, loc(f"http://127.0.0.1:{q}")); s.expect("/", 502, "port-not-published", "network-mismatch")
@fault
def image_moved_its_port(s):
    """The new image listens on another port than the one that is published: the connection is reset. https://github.com/librespeed/speedtest/issues/688"""
    p = s.port(); q = s.hostport(); s.app(8080, name=s.name("speedtest"), image="field/base:1", publish=[f"127.0.0.1:{q}:80"]); host_caddy(s, f"\treverse_proxy 127.0.0.1:{q}"); s.expect("/", 502, "wrong-port", "port-not-published")
@fault
def app_on_host_network(s):
    """The app uses the host's network and the route has its container name. https://github.com/linuxserver/reverse-proxy-confs/issues/135"""
    n = s.net(); q = s.hostport(); a = s.app(q, name=s.name("homeassistant"), net="host", image="homeassistant/home-assistant:2024.9"); s.nginx(variable(a, q), n); s.expect("/", 502, "host-network-backend")
@fault
def both_on_default_bridge(s):
    """Both containers are on the default bridge only, where names do not resolve. https://github.com/jlesage/docker-nginx-proxy-manager/issues/173 (kind)"""
    p = s.port(); a = s.app(p); s.caddy(caddyfile(s, f"{a}:{p}"), None); s.expect("/", 502, "default-bridge-no-dns")

def lan(s):
    """A card with a network of its own; (network of containers beside the machine, the network's first three numbers, card)."""
    a, b = f"hf{s.tag}0", f"hf{s.tag}1"; x = f"10.{s.rnd.randrange(221, 250)}.{s.rnd.randrange(250)}"; sh("ip", "link", "add", a, "type", "veth", "peer", "name", b); s.undo.append(lambda: sh("ip", "link", "del", a, check=False))
    s.undo.append(lambda: sh("ip", "link", "del", "to-lan", check=False)); sh("ip", "addr", "add", f"{x}.2/24", "dev", a); sh("ip", "link", "set", a, "up"); sh("ip", "link", "set", b, "up")
    return s.net("lan", "-d", "macvlan", "-o", f"parent={a}", "--gateway", f"{x}.1", subnet=f"{x}.0/24"), x, a
@fault
def macvlan_app_host_nginx(s):
    """nginx of the host dials an app with its own address on the LAN (macvlan), which the host cannot reach. https://github.com/moby/moby/issues/21735 (kind)"""
    n, x, _ = lan(s); p = s.port(); s.app(p, name=s.name("homeassistant"), net=n, image="homeassistant/home-assistant:2024.9", opts=["--ip", f"{x}.53"]); host_nginx(s, loc(f"http://{x}.53:{p}")); s.expect("/", {502, 504}, "network-mismatch")
@fault
def macvlan_app_and_bridge_caddy(s):
    """Caddy on a bridge dials the app's address on the LAN (macvlan). https://github.com/jlesage/docker-nginx-proxy-manager/issues/136"""
    n, x, _ = lan(s); m = s.net("web"); p = s.port(); s.app(p, name=s.name("unifi"), net=n, opts=["--ip", f"{x}.60"]); s.caddy(caddyfile(s, f"{x}.60:{p}"), m); s.expect("/", {502, 504}, "network-mismatch")
@fault
def healthy_macvlan_with_a_way(s):
    """The host has made itself a way to its macvlan containers: works."""
    n, x, a = lan(s); p = s.port(); s.app(p, net=n, opts=["--ip", f"{x}.70"]); sh("ip", "link", "add", "to-lan", "link", a, "type", "macvlan", "mode", "bridge"); sh("ip", "link", "set", "to-lan", "up"); sh("ip", "route", "replace", f"{x}.70/32", "dev", "to-lan", "src", f"{x}.2"); host_nginx(s, loc(f"http://{x}.70:{p}")); s.expect("/", 200)
@fault
def macvlan_wrong_port_with_a_way(s):
    """The host has a way to its macvlan containers, the port is the old one. (control for the one above)"""
    n, x, a = lan(s); p = s.port(); s.app(p, net=n, opts=["--ip", f"{x}.80"]); sh("ip", "link", "add", "to-lan", "link", a, "type", "macvlan", "mode", "bridge"); sh("ip", "link", "set", "to-lan", "up"); sh("ip", "route", "replace", f"{x}.80/32", "dev", "to-lan", "src", f"{x}.2"); host_nginx(s, loc(f"http://{x}.80:{p + 3}")); s.expect("/", 502, "wrong-port")

# ---------------------------------------------------------------- healthy, and it looks bad
@fault
def healthy_localhost_v6_first(s):
    """nginx tries ::1 first and logs a refusal for each request, then 127.0.0.1 answers: works. https://github.com/graphite-project/docker-graphite-statsd/issues/87"""
    q = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "graphite"); time.sleep(0.5); host_nginx(s, loc(f"http://localhost:{q}")); s.ready(); [get(f"http://{s.site}:{s.hp}/") for _ in range(4)]; s.expect("/", 200)
@fault
def healthy_backup_files(s):
    """conf.d holds old copies with wrong ports that nginx does not read: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); [s.file(f"conf.d/default.conf{e}", f"server {{ listen 80; server_name {s.site}; location / {{ proxy_pass http://{a}:{p + 9}; }} }}\n") for e in (".bak", "~", ".dpkg-old")]; s.nginx(loc(f"http://{a}:{p}"), n); s.expect("/", 200)
@fault
def healthy_one_server_down(s):
    """One of HAProxy's two servers is down and known to be: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); s.haproxy(f"frontend web\n    bind :80\n    default_backend app\nbackend app\n    server s1 {a}:{p} check inter 1s fall 1\n    server s2 {b}:{p} check inter 1s fall 1\n", n); s.ready(); sh("docker", "stop", "-t", "1", b); time.sleep(4); s.expect("/", 200)
@fault
def healthy_other_router_broken(s):
    """Another app's router lacks its middleware, Traefik's log is full of it; this one works."""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p, router="good")); s.app(p, net=n, name=s.name("broken"), labels=s.labels(p, site=f"old.{s.site}", router="broken", extra=["traefik.http.routers.ROUTER.middlewares=nowhere@docker"])); s.traefik(s.docker_provider(), n); s.expect("/", 200)
@fault
def healthy_self_signed_upstream(s):
    """nginx to a self-signed certificate, which it does not verify by default: works."""
    n = s.net(); a = tls_nginx(s, n, 8443, "nas"); s.nginx(f"    location / {{ proxy_pass https://{a}:8443; }}", n); s.expect("/", 200)
@fault
def healthy_unhealthy_container(s):
    """Docker calls the app unhealthy as its check needs curl; nginx does not care: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n, opts=["--health-cmd", f"curl -fsS http://localhost:{p}/", "--health-interval", "1s", "--health-retries", "1"]); s.nginx(loc(f"http://{a}:{p}"), n); time.sleep(4); s.expect("/", 200)
@fault
def healthy_after_crashes(s):
    """The app crashed four times and runs since: works."""
    n = s.net(); a = node(s, "const n = +(fs.existsSync('/tmp/n') ? fs.readFileSync('/tmp/n') : 0) + 1; fs.writeFileSync('/tmp/n', String(n));\nif (n < 5) { console.error('Error: connect ECONNREFUSED 127.0.0.1:5432'); process.exit(1); }\nhttp.createServer((q, r) => { r.writeHead(200, html); r.end(page('blog')); }).listen(3000);\n", net=n, name=s.name("blog"), opts=["--restart", "always"]); time.sleep(6); s.caddy(caddyfile(s, f"{a}:3000"), n); s.expect("/", 200)
@fault
def healthy_page_about_502(s):
    """The page's own title is `502 Bad Gateway`: a wiki article. Works."""
    n = s.net(); a = node(s, "http.createServer((q, r) => { r.writeHead(200, html); r.end(page('502 Bad Gateway') + '<center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center><p>How we mended it</p>'); }).listen(3000);\n", net=n, name=s.name("wiki")); time.sleep(1); s.nginx(loc(f"http://{a}:3000"), n); s.expect("/", 200)
@fault
def healthy_h2c(s):
    """Envoy speaks HTTP/2 to an app that speaks nothing else: works."""
    n = s.net(); a = node(s, "http2.createServer((q, r) => { r.writeHead(200, html); r.end(page('grpc')); }).listen(50051);\n", net=n, name=s.name("grpc")); time.sleep(1); s.envoy(ENVOY.format(host=s.site, up=a, port=50051, cluster=H2), n); s.expect("/", 200)
@fault
def healthy_server_marked_down(s):
    """One of two upstream servers is marked down in nginx's file: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n, name=s.name("retired")); s.nginx(loc("http://pool"), n, http=f"upstream pool {{\n    server {b}:{p} down;\n    server {a}:{p};\n}}"); s.expect("/", 200)
@fault
def healthy_body_limit(s):
    """An upload was refused (413) a moment ago, client_max_body_size is 1 KiB; pages work."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    client_max_body_size 1k;\n" + loc(f"http://{a}:{p}"), n); s.ready()
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", s.hp), 5) as c: c.sendall(f"POST /upload HTTP/1.1\r\nHost: {s.site}\r\nContent-Length: 5000\r\nConnection: close\r\n\r\n".encode() + b"x" * 5000); c.recv(100)
    s.expect("/", 200)
@fault
def healthy_renamed_with_alias(s):
    """The container has a new name and keeps the old one as an alias; a stopped twin stands beside it: works."""
    n = s.net(); p = s.port(); j = f"shop{s.tag}"; s.app(p, name=f"{j}-web-1", net=n, opts=["--network-alias", f"{j}_web_1"], labels=compose(j, "web", s.dir)); b = s.app(p, name=f"{j}-web-old", net=n); sh("docker", "stop", "-t", "1", b); s.nginx(variable(f"{j}_web_1", p), n); s.expect("/", 200)
@fault
def healthy_not_found_once(s):
    """Traefik answers 404 for other hosts and this one works; the socket proxy allows what Traefik asks. Works."""
    n = s.net(); m = s.net("socket"); p = s.port(); s.app(p, net=n, labels=s.labels(p)); k = socket_proxy(s, m, CONTAINERS=1); t = s.traefik(s.docker_provider(f"--providers.docker.endpoint=tcp://{k}:2375"), n, socket=False); s.join(m, t); sh("docker", "restart", "-t", "1", t); s.expect("/", 200)
@fault
def healthy_forbidden(s):
    """The app says 403 to everybody, and nginx sends it another Host: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--status", 403, net=n); s.nginx(f"    if ($http_user_agent ~ badbot) {{ return 403; }}\n    location / {{ proxy_pass http://{a}:{p}; }}", n); s.expect("/", 403)
@fault
def healthy_bad_request(s):
    """The app says 400 to a request without its parameters, whoever asks: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--status", 400, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p} {{\n\t\theader_up Host api.internal\n\t}}\n}}\n", n); s.expect("/", 400)
@fault
def healthy_no_such_page(s):
    """The app has no such page, by whatever name it is asked: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--base", "/wiki", net=n); s.nginx(f"    location / {{ proxy_pass http://{a}:{p}; }}", n); s.expect("/nothing", 404)
@fault
def healthy_limits(s):
    """Limits and a maintenance file that is not there: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    limit_req zone=perip burst=20;\n    if (-f /srv/closed.on) { return 503; }\n" + loc(f"http://{a}:{p}"), n, http="limit_req_zone $binary_remote_addr zone=perip:1m rate=10r/s;"); s.expect("/", 200)
