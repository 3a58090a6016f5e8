"""A third collection, for the same registry, by somebody who had read neither the tree nor the pages nor the readers. A docstring says
what is broken and the public thread; `expect` has the first causes that would be right, written before the program was asked, and
whether commands and patches on this machine can mend it."""
import os, signal, sys, time
from faults import ALL, APP, ENVOY, LATE, PEERS, fault, fpm, fpm_nginx, host_haproxy, host_nginx, loc, nginx_main
from more import FILES, backend, caddyfile, certificate, node, variable
from stage import StagingError, get, sh

def own_nginx(s, server, *, program="/usr/sbin/nginx", user="www-data", http=""): # nginx of the host whose workers are another user
    s.hp = s.hostport(); os.makedirs(f"{s.dir}/nginx/logs", exist_ok=True)
    s.file("nginx/conf/nginx.conf", f"user {user};\n" + nginx_main(f"{http}    server {{\n        listen {s.hp};\n        server_name {s.site};\n{server}\n    }}"))
    return s.bg(program, "-p", f"{s.dir}/nginx", "-c", "conf/nginx.conf", "-g", "daemon off;")
def host_fpm(s, php, extra=""): # php-fpm of the host, as Debian sets it up: a socket in /run/php; returns the socket's path
    u = f"/run/php/php8.2-fpm-{s.tag}.sock"; os.makedirs("/run/php", exist_ok=True); s.file("html/index.php", php)
    f = s.file("php-fpm.conf", f"[global]\npid = {s.dir}/fpm.pid\nerror_log = {s.dir}/php8.2-fpm.log\n[{s.tag}]\nuser = www-data\ngroup = www-data\nlisten = {u}\nlisten.mode = 0666\npm = static\npm.max_children = 1\n{extra}")
    s.bg("/usr/sbin/php-fpm8.2", "-F", "-y", f); time.sleep(1); return u
def fastcgi(s, where): return f"    root {s.dir}/html;\n    location / {{\n        include /etc/nginx/fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME {s.dir}/html/index.php;\n        fastcgi_pass {where};\n    }}"
def lighttpd(s, n, inner): # lighttpd in a container; `inner` is what holds for the site
    s.hp = s.hostport(); o = s.mount("lighttpd", "/etc/lighttpd", {"lighttpd.conf": f'server.modules = ( "mod_access", "mod_proxy", "mod_fastcgi" )\nserver.document-root = "/var/www/html"\nserver.port = 80\nserver.errorlog = "/dev/stderr"\n$HTTP["host"] =~ "^{s.site.replace(".", chr(92) + ".")}(:[0-9]+)?$" {{\n{inner}\n}}\n'})
    return s.run("lighttpd:1.4", name=s.name("lighttpd"), net=n, opts=o, publish=[f"{s.hp}:80"])
def yaml(s, url, extra=""): return {"site.yml": f"http:\n  routers:\n    site:\n      rule: Host(`{s.site}`)\n      service: site\n  services:\n    site:\n      loadBalancer:\n{extra}        servers:\n          - url: {url}\n"}
def generated(s, n, upstreams): # nginx-proxy in two containers, docker-gen running; `upstreams` is (host, comment and server lines)
    conf = "# nginx-proxy version : 1.6.0\n# Networks available to the container running docker-gen (which are assumed to\n# match the networks available to the container running nginx):\n#     " + n + "\nserver {\n    server_name _; # This is just an invalid value which will never trigger on a real hostname.\n    listen 80;\n    return 503;\n}\n"
    for host, lines in upstreams: conf += f"# {host}/\nupstream {host} {{\n{lines}}}\nserver {{\n    server_name {host};\n    listen 80 ;\n    location / {{\n        proxy_pass http://{host};\n        proxy_set_header Host $host;\n        proxy_connect_timeout 3s;\n    }}\n}}\n"
    s.hp = s.hostport(); x = s.run("nginx:1.27", name=s.name("nginx-proxy"), net=n, opts=s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": conf}), publish=[f"{s.hp}:80"], labels=["com.github.nginx-proxy.nginx-proxy.nginx"])
    s.run("nginxproxy/docker-gen:0.14", "sh", "-c", "exec sleep infinity", "docker-gen", "-notify-sighup", x, "-watch", "/etc/docker-gen/templates/nginx.tmpl", "/etc/nginx/conf.d/default.conf", name=s.name("docker-gen"), net=n, opts=["-v", f"{s.dir}/conf.d:/etc/nginx/conf.d", "-v", "/var/run/docker.sock:/tmp/docker.sock:ro"], labels=["com.github.nginx-proxy.docker-gen"])
def upstream(name, net, where, port, server): return f"    # Container: {name}\n    #     networks:\n    #         {net} ({where})\n    #     IP address: {server.split(':')[0] if ':' in server else '(none usable)'}\n    #     default port: 80\n    #     using port: {port}\n" + (f"    server {server};\n" if ":" in server else f"    # Fallback entry\n    server {server};\n")
BALANCER = "".join(f"LoadModule {m}_module modules/mod_{m}.so\n" for m in ("slotmem_shm", "proxy_balancer", "lbmethod_byrequests"))
def vhost(s, inner): return f"<VirtualHost *:80>\n    ServerName {s.site}\n{inner}</VirtualHost>\n"

# ---------------------------------------------------------------- PHP and Python
@fault
def php_socket_of_old_version(s):
    """PHP was upgraded; nginx still has the socket of 7.4, php-fpm listens on that of 8.2. https://github.com/passbolt/passbolt_docker/issues/245, https://github.com/openmediavault/openmediavault/issues/1943"""
    u = host_fpm(s, "<?php echo '<title>shop</title>ok';\n"); own_nginx(s, fastcgi(s, "unix:" + u.replace("8.2", "7.4"))); s.expect("/", 502, "socket-unavailable", mend=True)
@fault
def php_socket_queue_full(s):
    """All php-fpm workers are busy and the queue of its Unix socket is full: (11: Resource temporarily unavailable). https://github.com/catchpoint/WebPageTest/issues/1174, https://github.com/caddyserver/caddy/issues/4025"""
    u = host_fpm(s, "<?php if (isset($_GET['report'])) { sleep(40); } echo '<title>shop</title>ok';\n", "listen.backlog = 1\n"); own_nginx(s, fastcgi(s, "unix:" + u)); s.ready(); s.load(8, f"http://{s.site}:{s.hp}/?report=1", 60); s.expect("/", 502, "workers-exhausted", mend=True)
@fault
def php_child_segfault(s):
    """The page makes the php-fpm child crash: exited on signal 11 (SIGSEGV). https://github.com/libvips/php-vips/issues/265, https://github.com/Newcomer1989/TSN-Ranksystem/issues/572"""
    n = s.net(); a = fpm(s, n, "<?php function f($x) { return array_map('f', [$x]); } f(1); echo '<title>rank</title>ok';\n", extra="php_admin_value[memory_limit] = -1\ncatch_workers_output = yes\n"); time.sleep(1); fpm_nginx(s, n, a); s.needs("the page's code or PHP has to be mended", "exited on signal 11", "docker logs --tail 50 "); s.expect("/", 502, "connection-dropped", mend=False)
@fault
def fpm_on_loopback(s):
    """The new php-fpm image listens on 127.0.0.1:9000 only; lighttpd comes from another container. https://github.com/bitnami/bitnami-docker-php-fpm/issues/119"""
    n = s.net(); s.file("fpm/www.conf", "[www]\nuser = www-data\ngroup = www-data\nlisten = 127.0.0.1:9000\npm = static\npm.max_children = 2\n"); s.file("html/index.php", "<?php echo '<title>shop</title>ok';\n")
    a = s.run("php:8.2-fpm", name=s.name("php"), net=n, opts=["-v", f"{s.dir}/fpm:/usr/local/etc/php-fpm.d", "-v", f"{s.dir}/html:/var/www/html"])
    lighttpd(s, n, f'    fastcgi.server = ( "/" => (( "host" => "{s.ip(a)}", "port" => 9000, "check-local" => "disable", "docroot" => "/var/www/html" )) )'); s.expect("/index.php", {500, 503}, "listens-on-localhost", mend=True)
@fault
def uwsgi_request_too_big(s):
    """The sign-in comes back with a long address; uWSGI's buffer-size is 4096: invalid request block size. https://github.com/unbit/uwsgi/issues/1164, https://github.com/alerta/alerta/issues/636"""
    q = s.hostport(); f = s.file("wsgi.py", "def application(e, r):\n    r('200 OK', [('Content-Type', 'text/html')])\n    return [b'<title>portal</title>']\n"); s.bg("/usr/bin/uwsgi-core", "--plugin", "/usr/lib/uwsgi/plugins/python311_plugin.so", "--uwsgi-socket", f"127.0.0.1:{q}", "--wsgi-file", f, "--master", "--die-on-term"); time.sleep(2)
    own_nginx(s, f"    location / {{ include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:{q}; }}"); s.ready(); s.needs("how uWSGI was started, its owner knows", "buffer-size"); s.expect("/oidc/callback?state=" + "".join(s.rnd.choice("0123456789abcdef") for _ in range(5200)), 502, "connection-dropped", mend=False)
@fault
def private_tmp(s):
    """The app's service has PrivateTmp=true, its socket in /tmp is one that nginx cannot see. https://github.com/hjwp/Book-TDD-Web-Dev-Python/issues/93, https://github.com/benoitc/gunicorn/issues/2399"""
    u = f"/tmp/{s.site}.sock"; s.bg("/usr/bin/unshare", "-m", "--propagation", "private", "sh", "-c", f"mount -t tmpfs -o mode=1777 tmpfs /tmp && umask 0 && exec {APP} 0 --unix {u} --name superlists"); time.sleep(1); own_nginx(s, loc("http://django"), http=f"    upstream django {{ server unix:{u} fail_timeout=0; }}\n"); s.needs("the app's service is its owner's", "PrivateTmp"); s.expect("/", 502, "socket-unavailable", mend=False)
@fault
def one_request_at_a_time(s):
    """A development server handles one connection after the other, and a browser holds an idle one. https://github.com/overshard/timestrap-django/issues/23 (kind)"""
    q = s.hostport(); f = s.file("manage.py", "import http.server, sys\nclass H(http.server.BaseHTTPRequestHandler):\n    def do_GET(self):\n        b = b'<title>timestrap</title>'\n        self.send_response(200); self.send_header('Content-Type', 'text/html'); self.send_header('Content-Length', str(len(b))); self.end_headers(); self.wfile.write(b)\nhttp.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), H).serve_forever()\n"); s.bg(sys.executable, f, q); time.sleep(1)
    own_nginx(s, loc(f"http://127.0.0.1:{q}", "        proxy_read_timeout 5s;\n")); s.ready(); s.hold(1, "127.0.0.1", q); s.needs("the app needs another server, which its owner sets up", "gunicorn --threads"); s.expect("/", 504, "workers-exhausted", "backend-unresponsive", mend=False)

# ---------------------------------------------------------------- the app
@fault
def crashes_on_one_page(s):
    """One page throws where nobody catches it: the process ends and Docker starts it again, 502 for that page. https://github.com/unbit/uwsgi/issues/2437 (kind)"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { if (q.url.startsWith('/export')) return setTimeout(() => { const result = undefined; result.rows.length; }, 80); r.writeHead(200, html); r.end(page('crm')); }).listen(3000, () => console.log('listening on 3000'));\n", net=n, name=s.name("crm"), opts=["--restart", "always"])
    s.traefik(FILES, n, socket=False, files=yaml(s, f"http://{a}:3000")); s.ready(); s.needs("the app's code has to be mended", "docker logs --tail 50 ", "that page is where its code fails"); s.expect("/export/2024", {502, 504}, "connection-dropped", "backend-crash-loop", mend=False)
@fault
def suspended_in_the_terminal(s):
    """Somebody pressed Ctrl-Z where the app runs: it is stopped (state T), the kernel still accepts. HAProxy of the host. (kind)"""
    q = s.hostport(); p = s.bg(APP, q, "127.0.0.1", "--name", "homebridge"); host_haproxy(s, f"backend app\n    timeout server 4s\n    server a 127.0.0.1:{q}\n"); s.ready(); os.kill(p.pid, signal.SIGSTOP); s.expect("/", 504, "backend-unresponsive", mend=True)
@fault
def folder_belongs_to_root(s):
    """Docker made the mounted folder, so it belongs to root; the app runs as 1000: EACCES, again and again. https://github.com/knrdl/hubleys-dashboard/issues/217, https://github.com/zammad/zammad-docker-compose/issues/228"""
    n = s.net(); os.makedirs(s.dir + "/data"); a = node(s, "fs.mkdirSync('/data/logos', { recursive: true });\nhttp.createServer((q, r) => { r.writeHead(200, html); r.end(page('dashboard')); }).listen(3000);\n", net=n, name=s.name("dashboard"), opts=["--user", "1000:1000", "-v", f"{s.dir}/data:/data", "--restart", "unless-stopped"]); time.sleep(6); s.caddy(caddyfile(s, f"{a}:3000"), n); s.expect("/", 502, "backend-crash-loop", mend=True)
@fault
def length_and_chunked(s):
    """After an update nginx refuses an answer that has both Content-Length and Transfer-Encoding. https://github.com/nginx/nginx/issues/1228, https://github.com/nginx/nginx/issues/546"""
    n = s.net(); q = s.hostport(); node(s, "net.createServer(c => { c.on('error', () => 0); c.once('data', () => c.end('HTTP/1.1 200 OK\\r\\nContent-Type: text/html\\r\\nTransfer-Encoding: chunked\\r\\nContent-Length: 21\\r\\nConnection: close\\r\\n\\r\\n15\\r\\n<title>router</title>\\r\\n0\\r\\n\\r\\n')); }).listen(80);\n", net=n, name=s.name("router"), publish=[f"127.0.0.1:{q}:80"]); time.sleep(1)
    own_nginx(s, loc(f"http://127.0.0.1:{q}"), program=PEERS + "/nginx"); s.needs("the app's own error", "Transfer-Encoding"); s.expect("/", 502, "protocol-mismatch", "app-error", mend=False)
@fault
def underscore_in_host(s):
    """Without proxy_set_header the app gets the upstream's name as Host, which has an underscore: 400. https://github.com/spring-projects/spring-boot/issues/15369, https://github.com/apache/apisix/issues/5470"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { const h = (q.headers.host || '').split(':')[0]; if (!/^[a-z0-9.-]+$/i.test(h)) { console.log('INFO o.apache.coyote.http11.Http11Processor : The host [' + h + '] is not valid'); r.writeHead(400, html); return r.end(page('HTTP Status 400')); } r.writeHead(200, html); r.end(page('inventory')); }).listen(8080);\n", net=n, name=s.name("inventory")); time.sleep(1)
    s.nginx("    location / { proxy_pass http://inventory_api; }", n, http=f"upstream inventory_api {{\n    server {a}:8080;\n}}"); s.expect("/", 400, "route-misconfigured", "app-error", mend=True)

# ---------------------------------------------------------------- nginx
@fault
def resolver_is_gone(s):
    """`resolver` has the address of the old router: every name times out (110), though the container itself resolves it. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1225 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(variable(a, p, f"    resolver 192.168.{s.rnd.randrange(60, 250)}.1 valid=30s; resolver_timeout 3s;\n"), n); s.expect("/", 502, "resolver-differs", mend=True)
@fault
def certificate_deleted(s):
    """The certificate was deleted with certbot, a site still names it: nginx does not start. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/3420, https://github.com/NginxProxyManager/nginx-proxy-manager/issues/229"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); os.makedirs(f"{s.dir}/letsencrypt/live"); c = f"/etc/letsencrypt/live/{s.site}"; s.nginx(f"    listen 443 ssl;\n    ssl_certificate {c}/fullchain.pem;\n    ssl_certificate_key {c}/privkey.pem;\n" + loc(f"http://{a}:{p}"), n, opts=["-v", f"{s.dir}/letsencrypt:/etc/letsencrypt", "--restart", "unless-stopped"]); time.sleep(3); s.needs("an authority has to give a certificate", "certbot certonly"); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=False)
@fault
def proxied_to_itself(s):
    """proxy_pass has the site's own name, which leads to nginx again, until its connections are used up. https://github.com/nginx-proxy/nginx-proxy/issues/1149"""
    n = s.net(); p = s.port(); s.app(p, net=n); s.nginx(f"    location / {{\n        resolver 127.0.0.11 valid=30s;\n        set $site {s.site};\n        proxy_pass http://$site;\n        proxy_set_header Host $host;\n    }}", n, opts=["--network-alias", s.site]); s.expect("/", {500, 502}, "route-misconfigured", "upstream-is-localhost", mend=True)
@fault
def rule_for_www_data(s):
    """A hardening rule forbids outgoing connections of www-data, which are nginx's workers; root's curl works. (kind)"""
    q = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "intranet"); s.rule("-A", "OUTPUT", "-p", "tcp", "-m", "owner", "--uid-owner", "www-data", "--dport", str(q), "-j", "REJECT"); own_nginx(s, loc(f"http://127.0.0.1:{q}")); s.expect("/", {502, 504}, "firewall-blocked", mend=True)
@fault
def hosts_file_is_old(s):
    """The app moved to this machine; /etc/hosts still has the old address for the name in proxy_pass. (kind)"""
    s.net(); x = s.subnet.rsplit(".", 1)[0] + ".77"; q = s.hostport(); h = f"{s.rnd.choice(['erp', 'crm', 'docs'])}-app-{s.tag}.lan"; s.bg(APP, q, "--name", "erp"); t = f"{x} {h} # field {s.seed}\n"
    with open("/etc/hosts", "a") as f: f.write(t)
    def undo():
        k = open("/etc/hosts").read(); open("/etc/hosts", "w").write(k.replace(t, ""))
    s.undo.append(undo); own_nginx(s, loc(f"http://{h}:{q}")); s.expect("/", {502, 504}, "stale-address", mend=True)
@fault
def sorry_page(s):
    """The app's container has exited; error_page shows the house's own page with 503 instead of nginx's 502. https://github.com/notional-labs/cosmosia/issues/95 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    error_page 502 504 =503 /sorry.html;\n    location = /sorry.html { root /usr/share/nginx/html; internal; }\n" + loc(f"http://{a}:{p}"), n, opts=s.mount("html", "/usr/share/nginx/html", {"sorry.html": "<title>Sorry</title><h1>We will be back soon</h1>\n"})); s.ready(); sh("docker", "stop", "-t", "1", a); time.sleep(1); s.expect("/", 503, "backend-stopped", mend=True)
@fault
def virtual_port_missing(s):
    """nginx-proxy: the container exposes two ports and has no VIRTUAL_PORT, so port 80 was taken. https://github.com/nginx-proxy/nginx-proxy/issues/413, https://github.com/nginx-proxy/nginx-proxy/issues/432"""
    n = s.net("nginx-proxy"); a = s.app(3000, name=s.name("gogs"), net=n, image="gitea/gitea:1.22", opts=["-e", f"VIRTUAL_HOST={s.site}", "--expose", "22", "--expose", "3000"]); generated(s, n, [(s.site, upstream(a, n, "reachable", 80, f"{s.ip(a)}:80"))]); s.needs("docker-gen is a stand-in here, and writes no file", "VIRTUAL_PORT=3000"); s.expect("/", 502, "wrong-port", mend=False)
@fault
def marked_down_by_docker_gen(s):
    """nginx-proxy: the app is on its project's network only, so docker-gen wrote `server 127.0.0.1 down;`. https://github.com/nginx-proxy/nginx-proxy/issues/743, https://github.com/nginx-proxy/nginx-proxy/issues/1495"""
    n = s.net("nginx-proxy"); m = s.net("app_default"); p = s.port(); a = s.app(p, net=m, opts=["-e", f"VIRTUAL_HOST={s.site}", "-e", f"VIRTUAL_PORT={p}", "--expose", str(p)]); generated(s, n, [(s.site, upstream(a, m, "unreachable", p, "127.0.0.1 down"))]); s.needs("docker-gen is a stand-in here, and writes no file", "docker network connect"); s.expect("/", {502, 503}, "network-mismatch", "route-misconfigured", mend=False)

# ---------------------------------------------------------------- HAProxy
@fault
def host_header_has_port(s):
    """`hdr(host) -i NAME` does not match as the browser sends NAME:PORT: 503, <NOSRV>. https://github.com/matrix-org/synapse/pull/11128"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.haproxy(f"frontend web\n    bind :80\n    acl site hdr(host) -i {s.site}\n    use_backend app if site\nbackend app\n    server s1 {a}:{p}\n", n); s.expect("/", 503, "route-missing", "route-misconfigured", mend=True)
@fault
def name_has_ipv6_first(s):
    """The network has IPv6, HAProxy takes the IPv6 address of the name, the app listens on IPv4 only. https://github.com/haproxy/haproxy/issues/508 (kind)"""
    n = s.net(None, "--ipv6", "--subnet", f"2001:db8:{s.rnd.randrange(1, 9999)}::/64"); p = s.port(); a = s.app(p, net=n); s.haproxy(backend(f"{a}:{p}"), n); s.expect("/", 503, "ipv6-mismatch", mend=True)
@fault
def reload_failed(s):
    """The app got a new port; the file has it, and a misspelt line as well, so the reload failed and the old workers go on. (kind)"""
    q, w = s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "intranet"); p = host_haproxy(s, f"backend app\n    server a 127.0.0.1:{w}\n"); s.ready(503); time.sleep(2)
    f = s.dir + "/haproxy.cfg"; t = open(f).read().replace(f"127.0.0.1:{w}", f"127.0.0.1:{q}") + "backend reports\n    option httpchkk GET /\n    server r 127.0.0.1:8090\n"; open(f, "w").write(t); os.kill(p.pid, signal.SIGUSR2); time.sleep(2); s.expect("/", 503, "proxy-config-invalid", "config-not-reloaded", mend=True)
@fault
def inner_proxy_times_out(s):
    """nginx of the host waits long enough, the HAProxy behind it 2 s; the report takes 5. (kind) of https://github.com/envoyproxy/envoy/issues/14606"""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 5, net=n); s.haproxy(backend(f"{a}:{p}") + "    timeout server 2s\n", n); host_nginx(s, loc(f"http://127.0.0.1:{s.hp}")); s.expect("/", 504, "timeout-too-short", mend=True)
@fault
def proxy_protocol_wanted(s):
    """The inner nginx listens with proxy_protocol, Caddy in front of it sends plain HTTP: broken header. https://github.com/netdata/netdata/issues/11822, https://github.com/stalwartlabs/website/pull/47"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); x = s.nginx(loc(f"http://{a}:{p}"), n, port="80 proxy_protocol", publish=False); s.caddy(caddyfile(s, f"{x}:80"), n); s.expect("/", 502, "protocol-mismatch", "connection-dropped", mend=True)

# ---------------------------------------------------------------- Apache and lighttpd
@fault
def peer_name_differs(s):
    """Apache checks the name in the app's certificate, which is that of the old machine: AH02411. (kind)"""
    n = s.net(); a = s.name("nas"); d = certificate(s, "old-nas.lan"); node(s, "https.createServer({ key: fs.readFileSync('/certs/old-nas.lan.key'), cert: fs.readFileSync('/certs/old-nas.lan.crt') }, (q, r) => { r.writeHead(200, html); r.end(page('nas')); }).listen(5001);\n", name=a, net=n, opts=["-v", f"{d}:/certs"]); time.sleep(1)
    s.httpd("LoadModule ssl_module modules/mod_ssl.so\n" + vhost(s, f"    SSLProxyEngine on\n    ProxyPass / https://{a}:5001/\n    ProxyPassReverse / https://{a}:5001/\n"), n); s.expect("/", {500, 502, 503}, "untrusted-certificate", mend=True)
@fault
def worker_in_error_state(s):
    """The app was away for a moment and is back; with retry=900 and forcerecovery=Off Apache's balancer does not ask it for a quarter of an hour: AH01170. https://github.com/openshift/origin-server/pull/5456, https://www.fixwikihub.com/articles/apache-mod-proxy-balancer-member-unavailable-fix"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(BALANCER + f"<Proxy balancer://app>\n    BalancerMember http://{a}:{p} retry=900 connectiontimeout=2\n    ProxySet forcerecovery=Off\n</Proxy>\n" + vhost(s, "    ProxyPass / balancer://app/\n    ProxyPassReverse / balancer://app/\n"), n); s.ready(); ip = s.ip(a); sh("docker", "kill", a); [get(f"http://{s.site}:{s.hp}/") for _ in range(3)]; sh("docker", "start", a); time.sleep(2)
    if s.ip(a) != ip: raise StagingError("the app has another address")
    s.expect("/", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def ajp_on_loopback(s):
    """Since an update Tomcat's AJP connector listens on 127.0.0.1 only; Apache comes from another container. https://github.com/modcluster/mod_cluster/pull/451, https://github.com/openequella/openEQUELLA/issues/1533"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { r.writeHead(200, html); r.end(page('tomcat')); }).listen(8080, () => console.log('Starting ProtocolHandler [\"http-nio-8080\"]'));\nnet.createServer(c => c.destroy()).listen(8009, '127.0.0.1', () => console.log('Starting ProtocolHandler [\"ajp-nio-127.0.0.1-8009\"]'));\n", net=n, name=s.name("tomcat")); time.sleep(1)
    s.httpd("LoadModule proxy_ajp_module modules/mod_proxy_ajp.so\n" + vhost(s, f"    ProxyPass / ajp://{a}:8009/\n"), n); s.needs("Tomcat is a stand-in here, and has no server.xml", "server.xml", "0.0.0.0"); s.expect("/", 503, "listens-on-localhost", mend=False)
@fault
def vhost_of_other_address(s):
    """The VirtualHost has the machine's old address, so the default host answers. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(f"<VirtualHost *:80>\n    ServerName localhost\n    Redirect 404 /\n</VirtualHost>\n<VirtualHost 192.168.{s.rnd.randrange(60, 250)}.10:80>\n    ServerName {s.site}\n    ProxyPass / http://{a}:{p}/\n    ProxyPassReverse / http://{a}:{p}/\n</VirtualHost>\n", n); s.ready(404); s.expect("/", 404, "route-missing", "route-misconfigured", mend=True)
@fault
def prefix_not_taken_away(s):
    """lighttpd passes /terminal/ on as it is, the app lives at /. https://github.com/shellinabox/shellinabox/issues/42, https://github.com/MagnaCapax/PMSS/issues/204"""
    n = s.net(); b = "/" + s.rnd.choice(["terminal", "deluge", "radicale"]); a = node(s, "http.createServer((q, r) => { const ok = q.url === '/' || q.url === '/app.js'; r.writeHead(ok ? 200 : 404, html); r.end(page(ok ? 'terminal' : 'No Such Resource')); }).listen(4200);\n", net=n, name=s.name(b[1:])); time.sleep(1)
    lighttpd(s, n, f'    $HTTP["url"] =~ "^{b}/" {{\n        proxy.server = ( "" => (( "host" => "{s.ip(a)}", "port" => 4200 )) )\n    }}'); s.expect(b + "/", 404, "path-rewrite-wrong", "route-misconfigured", mend=True)

# ---------------------------------------------------------------- Traefik
@fault
def rule_of_version_2(s):
    """Host(`a`, `b`) was right in version 2; version 3 drops the router: 404. https://github.com/traefik/traefik/issues/10697, https://github.com/traefik/traefik/issues/10116"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=["traefik.enable=true", f"stack={s.tag}", f"traefik.http.routers.web.rule=Host(`{s.site}`, `www.{s.site}`)", f"traefik.http.services.web.loadbalancer.server.port={p}"]); s.traefik(s.docker_provider(), n); s.ready(404); time.sleep(2); s.expect("/", 404, "route-misconfigured", mend=True)
@fault
def router_name_twice(s):
    """Two Compose files have the same router name with different rules: Traefik drops both. https://github.com/coollabsio/coolify/issues/2096, https://github.com/traefik/traefik/issues/7738"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p, router="web")); s.app(p + 5, net=n, labels=s.labels(p + 5, router="web", site="api." + s.site)); s.traefik(s.docker_provider(), n); s.ready(404); time.sleep(2); s.expect("/", 404, "route-misconfigured", mend=True)
@fault
def labels_on_host_network(s):
    """The app has network_mode: host and labels; Traefik in its container then dials 127.0.0.1. https://github.com/traefik/traefik/pull/5698, https://github.com/traefik/traefik/issues/5535"""
    n = s.net(); q = s.hostport(); s.app(q, name=s.name("homebridge"), net="host", image="homeassistant/home-assistant:2024.9", labels=s.labels(q)); s.traefik(s.docker_provider(), n); s.expect("/", {502, 504}, "host-network-backend", "upstream-is-localhost", mend=True)
@fault
def no_ip_in_certificate(s):
    """Traefik trusts the house's CA, and dials the container by its address, which is not in the certificate. https://github.com/traefik/traefik/issues/3906, https://github.com/traefik/traefik/issues/8445"""
    n = s.net(); a = s.name("vault"); d = certificate(s, a, ca=True); node(s, f"https.createServer({{ key: fs.readFileSync('/certs/{a}.key'), cert: fs.readFileSync('/certs/{a}.crt') }}, (q, r) => {{ r.writeHead(200, html); r.end(page('vault')); }}).listen(8200);\n", name=a, net=n, opts=["-v", f"{d}:/certs"], labels=s.labels(8200, router="vault", extra=["traefik.http.services.vault.loadbalancer.server.scheme=https", "traefik.http.services.vault.loadbalancer.serverstransport=home@file"])); time.sleep(1)
    s.traefik(s.docker_provider(*FILES), n, files={"transport.yml": "http:\n  serversTransports:\n    home:\n      rootCAs:\n        - /certs/ca.crt\n"}, opts=["-v", f"{d}:/certs"]); s.expect("/", {500, 502}, "untrusted-certificate", mend=True)
@fault
def health_path_is_404(s):
    """The health check asks a path that the app does not have: no available server. https://github.com/fosrl/pangolin/issues/2976"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { const ok = q.url !== '/healthz'; r.writeHead(ok ? 200 : 404, html); r.end(page(ok ? 'pocketbase' : 'Not Found')); }).listen(8090);\n", net=n, name=s.name("pocketbase")); time.sleep(1); s.traefik(FILES, n, socket=False, files=yaml(s, f"http://{a}:8090", "        healthCheck:\n          path: /healthz\n          interval: 1s\n          timeout: 1s\n")); time.sleep(3); s.expect("/", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def stopped_app_is_404(s):
    """The app's container was stopped; Traefik forgets its route, so there is 404 and not 502. https://github.com/traefik/traefik/pull/8170 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.ready(); sh("docker", "stop", "-t", "1", a); s.expect("/", 404, "backend-stopped", mend=True)

# ---------------------------------------------------------------- Caddy and Envoy
@fault
def empty_variable(s):
    """`reverse_proxy {$APP_HOST}:3000` without the variable is `:3000`, which is Caddy's own place. https://github.com/Glimesh/broadcast-box/issues/198 (kind)"""
    n = s.net(); s.app(3000, net=n); s.caddy(caddyfile(s, "{$APP_HOST}:3000"), n); s.expect("/", 502, "upstream-is-localhost", "route-misconfigured", mend=True)
@fault
def inner_proxy_gets_other_host(s):
    """Caddy sets Host to the upstream's name, the Traefik behind it has a route for the site's only. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/2821 (kind)"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p)); t = s.traefik(s.docker_provider(), n, publish=False); time.sleep(2); s.caddy(f"http://{s.site} {{\n\treverse_proxy {t}:80 {{\n\t\theader_up Host {{upstream_hostport}}\n\t}}\n}}\n", n); s.ready(404); s.expect("/", 404, "route-misconfigured", "route-missing", mend=True)
@fault
def cluster_tls_to_plain(s):
    """Envoy's cluster has a TLS transport socket, the app speaks plain HTTP: WRONG_VERSION_NUMBER. https://github.com/envoyproxy/envoy/issues/15584, https://github.com/envoyproxy/envoy/issues/17361"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { r.writeHead(200, html); r.end(page('orders')); }).listen(8080);\n", net=n, name=s.name("orders")); time.sleep(1); s.envoy(ENVOY.format(host=s.site, up=a, port=8080, cluster="    transport_socket:\n      name: envoy.transport_sockets.tls\n      typed_config:\n        \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext\n"), n); s.expect("/", {502, 503}, "https-to-http-backend", mend=True)
@fault
def cluster_asks_for_ipv6(s):
    """Envoy's cluster looks for IPv6 addresses only, the network has none: no healthy upstream. https://github.com/envoyproxy/envoy/pull/2488 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster="    dns_lookup_family: V6_ONLY\n"), n); s.expect("/", 503, "ipv6-mismatch", "name-not-found", mend=True)

# ---------------------------------------------------------------- healthy, and it looks bad
@fault
def healthy_ipv6_refused(s):
    """nginx tries the app's IPv6 address and is refused, then IPv4 answers: works. https://github.com/haproxy/haproxy/issues/508 (kind)"""
    n = s.net(None, "--ipv6", "--subnet", f"2001:db8:{s.rnd.randrange(1, 9999)}::/64"); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n); s.ready(); [get(f"http://{s.site}:{s.hp}/") for _ in range(5)]; s.expect("/", 200)
@fault
def healthy_balancer_member_down(s):
    """One of two members of Apache's balancer is in error: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); s.httpd(BALANCER + f"<Proxy balancer://app>\n    BalancerMember http://{a}:{p} retry=600 connectiontimeout=2\n    BalancerMember http://{b}:{p} retry=600 connectiontimeout=2\n</Proxy>\n" + vhost(s, "    ProxyPass / balancer://app/\n    ProxyPassReverse / balancer://app/\n"), n); s.ready(); sh("docker", "stop", "-t", "1", b); [get(f"http://{s.site}:{s.hp}/") for _ in range(3)]; s.expect("/", 200)
@fault
def healthy_proxy_protocol(s):
    """HAProxy sends the PROXY protocol and the inner nginx wants it; somebody's probe fills its log with broken headers: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); x = s.nginx(loc(f"http://{a}:{p}"), n, port="80 proxy_protocol", publish=False); s.haproxy(backend(f"{x}:80", " send-proxy"), n); s.ready(); [get(f"http://{s.ip(x)}/status", 3) for _ in range(3)]; s.expect("/", 200)
@fault
def healthy_one_server_unhealthy(s):
    """Traefik's health check has taken one of two servers out: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n, name=s.name("second")); y = yaml(s, f"http://{a}:{p}", "        healthCheck:\n          path: /\n          interval: 1s\n          timeout: 1s\n"); y["site.yml"] += f"          - url: http://{b}:{p}\n"; s.traefik(FILES, n, socket=False, files=y); s.ready(); sh("docker", "stop", "-t", "1", b); time.sleep(4); s.expect("/", 200)
@fault
def healthy_first_upstream_down(s):
    """Caddy prefers a server that is down and goes on to the second at once: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n, name=s.name("main")); s.caddy(f"http://{s.site} {{\n\treverse_proxy {b}:{p} {a}:{p} {{\n\t\tlb_policy first\n\t\tlb_try_duration 3s\n\t\tfail_duration 10m\n\t\ttransport http {{\n\t\t\tdial_timeout 1s\n\t\t}}\n\t}}\n}}\n", n); s.ready(); sh("docker", "stop", "-t", "1", b); [get(f"http://{s.site}:{s.hp}/") for _ in range(2)]; s.expect("/", 200)
@fault
def healthy_backup_serves(s):
    """nginx's first server refuses, the one marked backup answers: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n, name=s.name("main")); s.nginx(loc("http://pool"), n, http=f"upstream pool {{\n    server {b}:{p + 4} fail_timeout=2s;\n    server {a}:{p} backup;\n}}"); s.ready(); [get(f"http://{s.site}:{s.hp}/") for _ in range(3)]; s.expect("/", 200)
@fault
def healthy_rule_for_www_data(s):
    """A rule forbids www-data another port than the app's: works."""
    q = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "intranet"); s.rule("-A", "OUTPUT", "-p", "tcp", "-m", "owner", "--uid-owner", "www-data", "--dport", str(s.hostport()), "-j", "REJECT"); own_nginx(s, loc(f"http://127.0.0.1:{q}")); s.expect("/", 200)
@fault
def healthy_neighbour_marked_down(s):
    """nginx-proxy: docker-gen marked another site down, this one works."""
    n = s.net("nginx-proxy"); m = s.net("old_default"); p = s.port(); a = s.app(p, net=n, opts=["-e", f"VIRTUAL_HOST={s.site}", "-e", f"VIRTUAL_PORT={p}", "--expose", str(p)]); b = s.app(p, net=m, opts=["-e", f"VIRTUAL_HOST=old.{s.site}", "--expose", str(p)]); generated(s, n, [(f"old.{s.site}", upstream(b, m, "unreachable", p, "127.0.0.1 down")), (s.site, upstream(a, n, "reachable", p, f"{s.ip(a)}:{p}"))]); s.expect("/", 200)
@fault
def healthy_big_cookies(s):
    """PHP sends 9 KB of cookies and fastcgi_buffer_size is large enough: works."""
    n = s.net(); a = fpm(s, n, "<?php for ($i = 0; $i < 9; $i++) setcookie(\"cart$i\", str_repeat('x', 1000)); echo '<title>shop</title>ok';\n"); fpm_nginx(s, n, a, "        fastcgi_buffer_size 32k;\n        fastcgi_buffers 8 32k;\n"); s.expect("/", 200)
@fault
def healthy_after_segfaults(s):
    """One page of the shop makes php-fpm's child crash, its log and nginx's have it; the front page works."""
    n = s.net(); a = fpm(s, n, "<?php function f($x) { return array_map('f', [$x]); } if (isset($_GET['crash'])) f(1); echo '<title>shop</title>ok';\n", extra="php_admin_value[memory_limit] = -1\n"); fpm_nginx(s, n, a); s.ready(); [get(f"http://{s.site}:{s.hp}/?crash=1") for _ in range(3)]; s.expect("/", 200)
for name in LATE: ALL[name] = ALL.pop(name) # what changes the machine still comes last
