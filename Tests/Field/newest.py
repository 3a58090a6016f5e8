"""A fourth collection, for the same registry, by another hand that had read neither the program nor its lab. A docstring says what
is broken and the public thread; `expect` has the first causes that would be right, written before the program was asked, and whether
commands and patches on this machine can mend it. Where two things are broken, the first on the way of a request counts."""
import json, os, shutil, sys, time
from faults import ALL, APP, ENVOY, PEERS, fault, fpm, fpm_nginx, host_haproxy, host_nginx, loc, nginx_main
from more import FILES, backend, caddyfile, certificate, node, tls_nginx, variable
from fresh import BALANCER, lighttpd, own_nginx, vhost, yaml
from stage import StagingError, get, sh

def page(title): return f"http.createServer((q, r) => {{ r.writeHead(200, html); r.end(page('{title}')); }})"
def caddy_json(s, n, dial, *, match=None, extra=None): # Caddy in a container, its configuration in JSON
    handler = {"handler": "reverse_proxy", "upstreams": [{"dial": d} for d in dial], **(extra or {})}
    text = json.dumps({"admin": {"listen": "localhost:2019"}, "apps": {"http": {"servers": {"srv0": {"listen": [":80"], "automatic_https": {"disable": True}, "routes": [{"match": [{"host": [match or s.site]}], "handle": [handler], "terminal": True}]}}}}}, indent=2)
    s.hp = s.hostport(); return s.run("caddy:2", "caddy", "run", "--config", "/etc/caddy/caddy.json", name=s.name("caddy"), net=n, opts=s.mount("caddy", "/etc/caddy", {"caddy.json": text}), publish=[f"{s.hp}:80"])
def services(s, text, middlewares="", more=""): return {"site.yml": f"http:\n  routers:\n    site:\n      rule: Host(`{s.site}`)\n      service: site\n{more}{middlewares}  services:\n{text}"}
def balancer(name, *urls, extra=""): return f"    {name}:\n      loadBalancer:\n{extra}        servers:\n" + "".join(f"          - url: {u}\n" for u in urls)
def envoy(s, n, up, port, cluster="", **changes): # changes: what stands there, and what is put in its place
    text = ENVOY.format(host=s.site, up=up, port=port, cluster=cluster)
    for a, b in changes.get("put", ()):
        if a not in text: raise StagingError(f"Envoy's file has no {a!r}")
        text = text.replace(a, b)
    return s.envoy(text, n)
def stop(*names):
    for c in names: sh("docker", "stop", "-t", "1", c)

# ---------------------------------------------------------------- Caddy
@fault
def caddy_json_old_port(s):
    """Caddy's configuration is JSON, as caddy-api users write it; the app moved to another port. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); caddy_json(s, n, [f"{a}:{p + 9}"]); s.expect("/", 502, "wrong-port", mend=True)
@fault
def caddy_health_uri_is_404(s):
    """`health_uri /` meets an app that has nothing at `/`: no upstreams available. https://github.com/yoanbernabeu/frankendeploy/pull/69"""
    n = s.net(); p = s.port(); a = s.app(p, "--base", "/api", net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p} {{\n\t\thealth_uri /\n\t\thealth_interval 2s\n\t}}\n}}\n", n); time.sleep(5); s.expect("/api/items", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def caddy_forward_auth_down(s):
    """`forward_auth` asks an Authelia that has been stopped: 502 for every page, the app is well. https://github.com/thomseddon/traefik-forward-auth/issues/200 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); u = s.app(9091, name=s.name("authelia"), net=n, image="field/base:1"); s.caddy(f"http://{s.site} {{\n\tforward_auth {u}:9091 {{\n\t\turi /api/authz/forward-auth\n\t\tcopy_headers Remote-User Remote-Groups\n\t}}\n\treverse_proxy {a}:{p}\n}}\n", n); s.ready(); stop(u); s.expect("/", 502, "auth-service-down", mend=True)
@fault
def caddy_resumes_old_file(s):
    """Caddy runs with --resume: the Caddyfile was mended, the container restarted, and autosave.json still counts. https://github.com/caddyserver/caddy/issues/3232"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.hp = s.hostport(); o = s.mount("caddy", "/etc/caddy", {"Caddyfile": caddyfile(s, f"{a}:{p + 4}")})
    c = s.run("caddy:2", "caddy", "run", "--resume", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile", name=s.name("caddy"), net=n, opts=o + ["-v", f"{s.dir}/config:/config"], publish=[f"{s.hp}:80"]); s.ready(502); time.sleep(1)
    s.file("caddy/Caddyfile", caddyfile(s, f"{a}:{p}")); sh("docker", "restart", "-t", "2", c); s.expect("/", 502, "config-not-reloaded", mend=True)
@fault
def caddy_imported_site_old_port(s):
    """The Caddyfile only has `import sites/*`, and the snippet takes the address as an argument; the port there is old. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.file("caddy/sites/books.caddy", f"http://{s.site} {{\n\timport proxied {a}:{p + 2}\n}}\n"); s.caddy("(proxied) {\n\tencode gzip\n\treverse_proxy {args[0]} {\n\t\theader_up X-Real-IP {remote_host}\n\t}\n}\nimport sites/*.caddy\n", n); s.expect("/", 502, "wrong-port", mend=True)
@fault
def caddy_own_error_page(s):
    """`handle_errors` answers with the house's own page; the app's container has exited. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p}\n\thandle_errors 5xx {{\n\t\theader Content-Type text/html\n\t\trespond \"<h1>We are tidying up</h1>\" 503\n\t}}\n}}\n", n); s.ready(); stop(a); s.expect("/", 503, "backend-stopped", mend=True)
@fault
def caddy_trusts_other_ca(s):
    """Caddy trusts the house's CA; the app's certificate is by the CA of the machine before. https://github.com/caddyserver/caddy/issues/3547 (kind)"""
    n = s.net(); p = s.port(); a = tls_nginx(s, n, p, "vault"); d = s.dir + "/trust"; os.makedirs(d); sh("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", d + "/ca.key", "-out", d + "/ca.crt", "-days", 365, "-subj", "/CN=Home CA"); os.chmod(d + "/ca.crt", 0o644)
    s.caddy(f"http://{s.site} {{\n\treverse_proxy https://{a}:{p} {{\n\t\ttransport http {{\n\t\t\ttls_trust_pool file /trust/ca.crt\n\t\t}}\n\t}}\n}}\n", n, opts=["-v", f"{d}:/trust"]); s.expect("/", 502, "untrusted-certificate", mend=True)
@fault
def caddy_dynamic_name_misspelt(s):
    """`dynamic a` looks for a name in which two letters are swapped. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); w = a[0] + a[2] + a[1] + a[3:]; s.caddy(f"http://{s.site} {{\n\treverse_proxy {{\n\t\tdynamic a {{\n\t\t\tname {w}\n\t\t\tport {p}\n\t\t\trefresh 5s\n\t\t}}\n\t}}\n}}\n", n); s.expect("/", {502, 503}, "name-not-found", mend=True)
@fault
def caddy_small_header_limit(s):
    """`max_response_header 4KiB` was meant to be careful; the app's cookies are larger. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--header", 9000, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p} {{\n\t\ttransport http {{\n\t\t\tmax_response_header 4KiB\n\t\t}}\n\t}}\n}}\n", n); s.expect("/", 502, "response-header-too-large", mend=True)
@fault
def caddy_has_only_www(s):
    """The Caddyfile has the name with www only; without it Caddy answers 200 and nothing. https://caddyserver.com/docs/caddyfile/concepts (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(f"http://www.{s.site} {{\n\treverse_proxy {a}:{p}\n}}\n", n); s.mark = "<title>"; s.expect("/", 200, "route-missing", "address-mistyped", mend=True)

# ---------------------------------------------------------------- Traefik
@fault
def traefik_weighted_half_is_down(s):
    """A weighted service of an old and a new release; the new one was stopped: half of the requests fail. https://github.com/traefik/traefik/issues/7693"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, name=s.name("blue")); b = s.app(p, net=n, name=s.name("green")); s.traefik(FILES, n, socket=False, files=services(s, "    site:\n      weighted:\n        services:\n          - name: blue\n            weight: 1\n          - name: green\n            weight: 1\n" + balancer("blue", f"http://{a}:{p}") + balancer("green", f"http://{b}:{p}"))); s.ready(); stop(b); s.expect("/", "mixed", "backend-stopped", mend=True)
@fault
def traefik_toml_old_port(s):
    """The dynamic file is TOML and has the port from before. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.traefik(FILES, n, socket=False, files={"routes.toml": f"[http.routers.wiki]\n  rule = \"Host(`{s.site}`)\"\n  service = \"wiki\"\n\n[http.services.wiki.loadBalancer]\n  passHostHeader = true\n\n  [[http.services.wiki.loadBalancer.servers]]\n    url = \"http://{a}:{p + 6}\"\n"}); s.expect("/", 502, "wrong-port", mend=True)
@fault
def traefik_transport_is_nowhere(s):
    """The service names a serversTransport that was never defined. https://github.com/traefik/traefik/issues/8445 (kind)"""
    n = s.net(); p = s.port(); a = tls_nginx(s, n, p, "panel"); s.traefik(FILES, n, socket=False, files=yaml(s, f"https://{a}:{p}", "        serversTransport: insecure\n")); s.expect("/", {404, 500, 502, 503}, "route-misconfigured", mend=True)
@fault
def traefik_failover_both_down(s):
    """A failover service: the main app was stopped, and so was the one that should step in. https://github.com/traefik/traefik/issues/8952 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); hc = "        healthCheck:\n          path: /\n          interval: 2s\n          timeout: 1s\n"
    s.traefik(FILES, n, socket=False, files=services(s, "    site:\n      failover:\n        service: main\n        fallback: spare\n" + balancer("main", f"http://{a}:{p}", extra=hc) + balancer("spare", f"http://{b}:{p}"))); s.ready(); stop(a, b); time.sleep(4); s.expect("/", {502, 503, 504}, "backend-stopped", mend=True)
@fault
def traefik_error_page_service(s):
    """The errors middleware shows the house's page by another service; the app behind it was stopped. https://github.com/traefik/traefik/issues/8952 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); e = node(s, page("please come back later") + ".listen(3000);\n", net=n, name=s.name("errors"))
    s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{a}:{p}") + balancer("pages", f"http://{e}:3000"), middlewares="  middlewares:\n    sorry:\n      errors:\n        status: [\"500-599\"]\n        service: pages\n        query: /{status}.html\n", more="      middlewares: [sorry]\n")); s.ready(); stop(a); s.expect("/", {502, 504}, "backend-stopped", mend=True)
@fault
def traefik_catch_all_wins(s):
    """A catch-all router with a high priority takes the site; what it leads to was stopped long ago. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n, name=s.name("parking")); stop(b); s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{a}:{p}") + balancer("parking", f"http://{b}:{p}"), more="    parking:\n      rule: PathPrefix(`/`)\n      priority: 1000\n      service: parking\n")); s.expect("/", {502, 504}, "route-misconfigured", "backend-stopped", mend=True)
@fault
def traefik_auth_and_app_down(s):
    """Two at once: the forward-auth service was stopped, and the app as well. What is asked first is the auth service. https://github.com/thomseddon/traefik-forward-auth/issues/200"""
    n = s.net(); p = s.port(); u = s.app(4181, name=s.name("oauth"), net=n, image="field/base:1"); a = s.app(p, net=n); s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{a}:{p}"), middlewares=f"  middlewares:\n    login:\n      forwardAuth:\n        address: http://{u}:4181\n", more="      middlewares: [login]\n")); s.ready(); stop(u, a); s.expect("/", 500, "auth-service-down", mend=True)

# ---------------------------------------------------------------- HAProxy
MAP = "frontend web\n    bind :80\n    use_backend %[req.hdr(host),field(1,:),lower,map(/usr/local/etc/haproxy/hosts.map,be_none)]\nbackend be_none\n    http-request deny deny_status 503\n"
@fault
def haproxy_map_misspelt(s):
    """The map from names to backends has a letter too many: the default answers 503. https://github.com/haproxy/haproxy/issues/2698 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.file("haproxy/hosts.map", f"{s.site[:2]}{s.site[1:]} be_app\nother.{s.site} be_app\n"); s.haproxy(MAP + f"backend be_app\n    server one {a}:{p}\n", n); s.expect("/", 503, "route-missing", mend=True)
@fault
def haproxy_map_old_port(s):
    """The map is right; the backend that it leads to has the old port. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); s.file("haproxy/hosts.map", f"other.{s.site} be_other\n{s.site} be_app\n"); s.haproxy(MAP + f"backend be_other\n    server one {b}:{p}\nbackend be_app\n    server one {a}:{p + 5}\n", n); s.expect("/", 503, "wrong-port", mend=True)
@fault
def haproxy_checks_closed_port(s):
    """`check port` names the app's old management port, which is closed; the app itself is well. https://github.com/caddyserver/caddy/issues/7544 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.haproxy(backend(f"{a}:{p}", f" check port {p + 11} inter 1s"), n); time.sleep(5); s.expect("/", 503, "backend-unhealthy", "wrong-port", "route-misconfigured", mend=True)
@fault
def haproxy_waits_too_short(s):
    """`timeout server 2s` and an app whose first byte takes 5 s: 504, sH. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 5, net=n); s.haproxy(backend(f"{a}:{p}", "\n    timeout server 2s"), n); s.expect("/", 504, "timeout-too-short", slow=6, mend=True)
@fault
def haproxy_speaks_h2(s):
    """`proto h2` to an app that speaks HTTP/1 only. https://github.com/envoyproxy/envoy/issues/7402 (kind)"""
    n = s.net(); p = s.port(); a = node(s, page("metrics") + f".listen({p});\n", net=n); time.sleep(1); s.haproxy(backend(f"{a}:{p}", " proto h2"), n); s.expect("/", {502, 503}, "protocol-mismatch", mend=True)
@fault
def haproxy_sends_proxy_line(s):
    """`send-proxy` to an app that does not know the PROXY protocol: it calls the request bad. https://github.com/netdata/netdata/issues/11822 (the reverse of it)"""
    n = s.net(); p = s.port(); a = node(s, page("netdata") + f".listen({p});\n", net=n); time.sleep(1); s.haproxy(backend(f"{a}:{p}", " send-proxy"), n); s.expect("/", {400, 502}, "protocol-mismatch", "route-misconfigured", mend=True)
@fault
def haproxy_tls_without_verify(s):
    """`server … ssl` without verify or ca-file: HAProxy refuses its file and does not start. (kind)"""
    n = s.net(); p = s.port(); a = tls_nginx(s, n, p, "console"); s.haproxy(backend(f"{a}:{p}", " ssl"), n, opts=["--restart", "unless-stopped"]); time.sleep(3); s.expect("/", None, "proxy-stopped", "proxy-config-invalid", mend=True)
@fault
def haproxy_connections_used_up(s):
    """`maxconn 8` in `global`, and as many clients that ask nothing: nobody else is let in. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); f = s.file("haproxy/haproxy.cfg", f"global\n    log stdout format raw local0\n    maxconn 8\ndefaults\n    mode http\n    log global\n    option httplog\n    timeout connect 3s\n    timeout client 300s\n    timeout http-request 300s\n    timeout server 40s\n{backend(f'{a}:{p}')}"); s.hp = s.hostport(); s.run("haproxy:3.0", name=s.name("haproxy"), net=n, opts=["-v", f"{os.path.dirname(f)}:/usr/local/etc/haproxy"], publish=[f"{s.hp}:80"]); s.ready(); s.hold(12, "127.0.0.1", s.hp); s.expect("/", None, "proxy-limit", mend=True)
@fault
def haproxy_old_v6_address(s):
    """The server is an IPv6 address; the app's container was made again and has another one. https://github.com/haproxy/haproxy/issues/508 (kind)"""
    x = s.rnd.randrange(0x1000, 0xffff); n = s.net(None, "--ipv6", "--subnet", f"fd00:{x:x}::/64"); p = s.port(); v = lambda c: json.loads(sh("docker", "inspect", c))[0]["NetworkSettings"]["Networks"][n]["GlobalIPv6Address"]
    a = s.run(s.appimage(), "app", str(p), "--v6only", name=s.name(), net=n, opts=["--ip6", f"fd00:{x:x}::50"]); old = v(a); s.haproxy(backend(f"[{old}]:{p}"), n); s.ready(); i = sh("docker", "inspect", "-f", "{{.Config.Image}}", a); sh("docker", "rm", "-f", a)
    s.run(i, "app", str(p), "--v6only", name=a, net=n, opts=["--ip6", f"fd00:{x:x}::77"]); s.expect("/", 503, "stale-address", mend=True)

# ---------------------------------------------------------------- Apache
@fault
def apache_only_member_disabled(s):
    """The balancer's only member was left with status=+D after maintenance. https://github.com/openshift/origin-server/pull/5456 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(BALANCER + vhost(s, f"    <Proxy balancer://shop>\n        BalancerMember http://{a}:{p} status=+D\n    </Proxy>\n    ProxyPass / balancer://shop/\n    ProxyPreserveHost On\n"), n); s.expect("/", 503, "route-misconfigured", "backend-unhealthy", mend=True)
@fault
def apache_rewrite_old_port(s):
    """The route is a RewriteRule with [P], and its port is old. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd("LoadModule rewrite_module modules/mod_rewrite.so\n" + vhost(s, f"    RewriteEngine On\n    RewriteRule ^/(.*)$ http://{a}:{p + 8}/$1 [P,L]\n"), n); s.expect("/", 503, "wrong-port", mend=True)
@fault
def apache_slash_forgotten(s):
    """`ProxyPass / http://app:port` lacks the slash at the end: every page but the first is asked of a port with letters. https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(vhost(s, f"    ProxyPass / http://{a}:{p}\n    ProxyPreserveHost On\n"), n); s.expect("/dashboard", {400, 500, 502, 503}, "route-misconfigured", "path-rewrite-wrong", mend=True)
@fault
def apache_tls_engine_off(s):
    """ProxyPass to https:// without SSLProxyEngine: 500, AH01961. https://github.com/advplyr/audiobookshelf/pull/1814 (kind)"""
    n = s.net(); p = s.port(); a = tls_nginx(s, n, p, "unifi"); s.httpd("LoadModule socache_shmcb_module modules/mod_socache_shmcb.so\nLoadModule ssl_module modules/mod_ssl.so\n" + vhost(s, f"    ProxyPass / https://{a}:{p}/\n"), n); s.expect("/", {500, 502}, "route-misconfigured", mend=True)
@fault
def apache_waits_too_short(s):
    """`timeout=2` at the ProxyPass line, and a page that takes 5 s. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 5, net=n); s.httpd(vhost(s, f"    ProxyPass / http://{a}:{p}/ connectiontimeout=1 timeout=2\n"), n); s.expect("/", {502, 504}, "timeout-too-short", slow=6, mend=True)
@fault
def apache_fcgi_old_port(s):
    """SetHandler leads PHP to port 9001, where the pool listened before. https://github.com/docker-library/php/issues/1105 (kind)"""
    n = s.net(); a = fpm(s, n, "<?php echo '<title>shop</title>ok';\n"); s.httpd(vhost(s, f"    DocumentRoot /var/www/html\n    DirectoryIndex index.php\n    <FilesMatch \\.php$>\n        SetHandler \"proxy:fcgi://{a}:9001\"\n    </FilesMatch>\n"), n, opts=["-v", f"{s.dir}/html:/var/www/html"]); s.expect("/index.php", 503, "wrong-port", mend=True)

# ---------------------------------------------------------------- lighttpd
@fault
def lighttpd_socket_missing(s):
    """lighttpd hands on to a Unix socket that the app no longer makes: 503. https://github.com/pi-hole/pi-hole/issues/5131"""
    n = s.net(); lighttpd(s, n, '    proxy.server = ( "" => (( "socket" => "/run/%s.sock" )) )' % s.name("gitea")); s.expect("/", {500, 503}, "socket-unavailable", mend=False)
@fault
def lighttpd_name_misspelt(s):
    """The name in `$HTTP["host"] ==` lacks its hyphen, so the document root answers. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.hp = s.hostport(); s.run("lighttpd:1.4", name=s.name("lighttpd"), net=n, publish=[f"{s.hp}:80"], opts=s.mount("lighttpd", "/etc/lighttpd", {"lighttpd.conf": f'server.modules = ( "mod_proxy" )\nserver.document-root = "/var/www/html"\nserver.port = 80\nserver.errorlog = "/dev/stderr"\n$HTTP["host"] == "{s.site.replace("-", "")}" {{\n    proxy.server = ( "" => (( "host" => "{s.ip(a)}", "port" => {p} )) )\n}}\n'})); s.expect("/", {403, 404}, "route-missing", mend=True)
@fault
def lighttpd_module_missing(s):
    """proxy.server is there, mod_proxy is not among server.modules: the document root answers. https://github.com/liftoff/GateOne/issues/162 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.hp = s.hostport(); s.run("lighttpd:1.4", name=s.name("lighttpd"), net=n, publish=[f"{s.hp}:80"], opts=s.mount("lighttpd", "/etc/lighttpd", {"lighttpd.conf": f'server.modules = ( "mod_access", "mod_redirect" )\nserver.document-root = "/var/www/html"\nserver.port = 80\nserver.errorlog = "/dev/stderr"\nproxy.server = ( "" => (( "host" => "{s.ip(a)}", "port" => {p} )) )\n'})); s.expect("/", {403, 404}, "route-misconfigured", mend=True)

# ---------------------------------------------------------------- Envoy
@fault
def envoy_domain_without_port(s):
    """The virtual host has the name of another stage: 404, NR. https://github.com/envoyproxy/envoy/issues/8937 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); envoy(s, n, a, p, put=[(f'["{s.site}", "{s.site}:*"]', f'["stage-{s.site}", "stage-{s.site}:*"]')]); s.expect("/", 404, "route-missing", mend=True)
@fault
def envoy_waits_too_short(s):
    """The route's timeout is 2 s, the report takes 5: 504, UT. https://github.com/envoyproxy/envoy/issues/14606 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 5, net=n); envoy(s, n, a, p, put=[("timeout: 40s", "timeout: 2s")]); s.expect("/", 504, "timeout-too-short", slow=6, mend=True)
@fault
def envoy_health_path_is_404(s):
    """Envoy's health check asks /healthz, which the app does not have: no healthy upstream, UH. https://github.com/fosrl/pangolin/issues/2976 (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ const ok = q.url !== '/healthz'; r.writeHead(ok ? 200 : 404, html); r.end(page(ok ? 'orders' : 'Not Found')); }}).listen({p});\n", net=n); time.sleep(1)
    envoy(s, n, a, p, "    common_lb_config: { healthy_panic_threshold: { value: 0 } }\n    health_checks:\n    - timeout: 1s\n      interval: 2s\n      unhealthy_threshold: 1\n      healthy_threshold: 1\n      http_health_check: { path: /healthz }\n"); time.sleep(4); s.expect("/", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def envoy_authorisation_down(s):
    """ext_authz asks an oauth2 service that was stopped. https://github.com/goauthentik/authentik/issues/4207 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); u = s.app(4180, net=n, name=s.name("oauth2-proxy"), image="field/base:1")
    envoy(s, n, a, p, put=[("          http_filters:\n", f"          http_filters:\n          - name: envoy.filters.http.ext_authz\n            typed_config:\n              \"@type\": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz\n              status_on_error: {{ code: ServiceUnavailable }}\n              http_service:\n                server_uri: {{ uri: http://{u}:4180, cluster: login, timeout: 2s }}\n"),
        ("  clusters:\n", f"  clusters:\n  - name: login\n    type: STRICT_DNS\n    connect_timeout: 2s\n    load_assignment:\n      cluster_name: login\n      endpoints:\n      - lb_endpoints:\n        - endpoint: {{ address: {{ socket_address: {{ address: {u}, port_value: 4180 }} }} }}\n")]); s.ready(); stop(u); time.sleep(6); s.expect("/", {403, 503}, "auth-service-down", mend=True)
@fault
def envoy_cluster_is_nowhere(s):
    """The route names a cluster that no part of the file has: 503, NC. https://github.com/envoyproxy/envoy/issues/2853 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); envoy(s, n, a, p, put=[("          route_config:\n", "          route_config:\n            validate_clusters: false\n"), ("route: { cluster: app, timeout: 40s }", "route: { cluster: backend, timeout: 40s }")]); s.expect("/", 503, "route-misconfigured", mend=True)
@fault
def envoy_prefix_rewritten(s):
    """prefix_rewrite takes away the path below which the app lives. https://github.com/envoyproxy/envoy/issues/2853 (kind)"""
    n = s.net(); p = s.port(); b = "/" + s.rnd.choice(["grafana", "gitea", "plex"]); a = s.app(p, "--base", b, net=n); envoy(s, n, a, p, put=[('- match: { prefix: "/" }', f'- match: {{ prefix: "{b}/" }}'), ("route: { cluster: app, timeout: 40s }", 'route: { cluster: app, timeout: 40s, prefix_rewrite: "/" }')]); s.expect(b + "/login", 404, "path-rewrite-wrong", mend=True)
@fault
def envoy_socket_missing(s):
    """The cluster's endpoint is a pipe below /run that nobody makes. https://github.com/docker-library/php/issues/1138 (kind)"""
    n = s.net(); u = f"/run/{s.name('puma')}.sock"; envoy(s, n, "x", 1, put=[("type: STRICT_DNS", "type: STATIC"), ("address: { socket_address: { address: x, port_value: 1 } }", f"address: {{ pipe: {{ path: {u} }} }}")]); s.expect("/", 503, "socket-unavailable", mend=False)

# ---------------------------------------------------------------- nginx
@fault
def nginx_always_upgrade(s):
    """`Connection "upgrade"` is sent with every request; the app answers 400, Unsupported upgrade request. https://github.com/lnbits/lnbits/issues/1647"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ if (/upgrade/i.test(q.headers.connection || '')) {{ console.log('WARNING:  Unsupported upgrade request.'); r.writeHead(400, {{ 'Content-Type': 'text/plain' }}); return r.end('Unsupported upgrade request.'); }} r.writeHead(200, html); r.end(page('lnbits')); }}).listen({p});\n", net=n); time.sleep(1); s.nginx(loc(f"http://{a}:{p}", "        proxy_http_version 1.1;\n        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection \"upgrade\";\n"), n); s.expect("/", 400, "route-misconfigured", "protocol-mismatch", mend=True)
@fault
def nginx_grpc_to_http1(s):
    """grpc_pass to an app that speaks HTTP/1. https://github.com/nginx-proxy/nginx-proxy/issues/349 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(f"    location / {{\n        grpc_pass grpc://{a}:{p};\n        grpc_connect_timeout 3s;\n        grpc_read_timeout 5s;\n    }}", n); s.expect("/", {502, 504}, "protocol-mismatch", mend=True)
@fault
def nginx_binds_old_address(s):
    """`proxy_bind` has the machine's address from before: Cannot assign requested address (99). https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_bind"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}", f"        proxy_bind 192.168.{s.rnd.randrange(2, 250)}.{s.rnd.randrange(2, 250)};\n"), n); s.expect("/", {500, 502}, "route-misconfigured", mend=True)
@fault
def nginx_map_old_port(s):
    """The upstream comes from a map by the name of the host, and the site's line there has the old port. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); s.nginx("    resolver 127.0.0.11 valid=2s;\n    location / {\n        proxy_pass http://$target;\n        proxy_set_header Host $host;\n        proxy_connect_timeout 3s;\n    }", n, http=f"map $host $target {{\n    hostnames;\n    default {b}:{p};\n    other.{s.site} {b}:{p};\n    {s.site} {a}:{p + 10};\n}}\n"); s.expect("/", 502, "wrong-port", mend=True)
@fault
def nginx_one_protocol_only(s):
    """`proxy_ssl_protocols TLSv1.2`; since its update the app speaks TLS 1.3 only. https://github.com/caddyserver/caddy/issues/4747 (the reverse of it)"""
    n = s.net(); p = s.port(); a = tls_nginx(s, n, p, "proxmox", extra="ssl_protocols TLSv1.3;\n"); s.nginx(loc(f"https://{a}:{p}", "        proxy_ssl_protocols TLSv1.2;\n"), n); s.expect("/", 502, "tls-handshake-failed", mend=True)
@fault
def nginx_app_wants_client_certificate(s):
    """The app's own web server asks for a client certificate and says 400 in HTTP: No required SSL certificate was sent. https://github.com/caddyserver/caddy/issues/3547 (kind)"""
    n = s.net(); p = s.port(); a = s.name("step"); certificate(s, a, ca=True); tls_nginx(s, n, p, "ca", name=a, extra="ssl_client_certificate /certs/ca.crt;\nssl_verify_client on;\n"); s.nginx(loc(f"https://{a}:{p}"), n); s.needs("who has the app's CA makes the certificate", "client certificate"); s.expect("/", 400, "tls-handshake-failed", mend=False)
@fault
def nginx_name_has_port(s):
    """`server_name NAME:PORT` never matches, so the default site answers. https://github.com/matrix-org/synapse/pull/11128 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n, site=f"{s.site}:8443", http="server {\n    listen 80 default_server;\n    server_name _;\n    return 404;\n}\n"); s.expect("/", 404, "route-missing", "route-misconfigured", mend=True)
@fault
def nginx_sends_its_own_host(s):
    """Without Host the app sees the upstream's name and sends everybody to its right address, which is where they are: a loop. https://github.com/TryGhost/Ghost/issues/11578 (kind)"""
    n = s.net(); s.hp = s.hostport(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ if ((q.headers.host || '').split(':')[0] !== '{s.site}') {{ r.writeHead(301, {{ Location: 'http://' + '{s.site}:' + process.env.PORT + q.url }}); return r.end(); }} r.writeHead(200, html); r.end(page('ghost')); }}).listen({p});\n", net=n, opts=["-e", f"PORT={s.hp}"]); time.sleep(1)
    s.run("nginx:1.27", name=s.name("nginx"), net=n, opts=s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen 80;\n    server_name {s.site};\n    location / {{\n        proxy_pass http://{a}:{p};\n    }}\n}}\n"}), publish=[f"{s.hp}:80"]); s.expect("/", 301, "route-misconfigured", mend=True)
@fault
def nginx_body_stalls(s):
    """The app sends its header and a part of the page, then works for 9 s; proxy_read_timeout is 3 s: the page breaks off. (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ const b = page('export') + 'row\\n'.repeat(2000); r.writeHead(200, {{ ...html, 'Content-Length': b.length }}); r.write(b.slice(0, 300)); setTimeout(() => r.end(b.slice(300)), 9000); }}).listen({p});\n", net=n); time.sleep(1); s.nginx(loc(f"http://{a}:{p}", "        proxy_read_timeout 3s;\n"), n); s.mark = "row"; s.expect("/export", 200, "timeout-too-short", "connection-dropped", slow=12, mend=True)
@fault
def nginx_few_descriptors(s):
    """worker_rlimit_nofile 24 on a small machine, and clients that stay: Too many open files (24). https://github.com/nginx-proxy/nginx-proxy/issues/778 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n, main="user www-data;\nworker_processes 1;\nworker_rlimit_nofile 24;\nerror_log /var/log/nginx/error.log notice;\npid /run/nginx.pid;\nevents { worker_connections 512; }\nhttp {\n    access_log /var/log/nginx/access.log;\n    keepalive_timeout 300;\n    include /etc/nginx/conf.d/*.conf;\n}\n"); s.ready(); s.hold(30, "127.0.0.1", s.hp, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"); s.expect("/", {500, None}, "proxy-limit", mend=True)

# ---------------------------------------------------------------- PHP and Python
@fault
def php_big_cookies(s):
    """The shop's cookies do not fit fastcgi_buffer_size: upstream sent too big header. https://github.com/wodby/docker4drupal/issues/440 (kind)"""
    n = s.net(); a = fpm(s, n, "<?php for ($i = 0; $i < 9; $i++) { setcookie('cart' . $i, str_repeat('x', 900)); } echo '<title>shop</title>ok';\n"); fpm_nginx(s, n, a); s.expect("/", 502, "response-header-too-large", mend=True)
@fault
def php_memory_limit(s):
    """The script needs more than PHP's memory_limit: Allowed memory size exhausted, 500. https://github.com/nextcloud/docker/issues (kind)"""
    n = s.net(); a = fpm(s, n, "<?php $a = []; while (true) { $a[] = str_repeat('x', 100000); }\n", extra="php_admin_value[memory_limit] = 16M\nphp_admin_flag[display_errors] = off\nphp_admin_flag[log_errors] = on\nphp_admin_value[error_log] = /proc/self/fd/2\ncatch_workers_output = yes\n"); fpm_nginx(s, n, a); s.needs("the script or its limit is its owner's", f"docker logs --tail 50 {a}"); s.expect("/", 500, "app-error", mend=False)
@fault
def uwsgi_harakiri(s):
    """uWSGI ends its worker after --harakiri 3, the report takes 8 s. https://github.com/unbit/uwsgi/issues/2437 (kind)"""
    q = s.hostport(); f = s.file("wsgi.py", "import time\ndef application(e, r):\n    if e['PATH_INFO'] == '/report': time.sleep(8)\n    r('200 OK', [('Content-Type', 'text/html')])\n    return [b'<title>survey</title>']\n"); s.bg("/usr/bin/uwsgi-core", "--plugin", "/usr/lib/uwsgi/plugins/python311_plugin.so", "--uwsgi-socket", f"127.0.0.1:{q}", "--wsgi-file", f, "--master", "--harakiri", "3", "--die-on-term"); time.sleep(2)
    own_nginx(s, f"    location / {{ include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:{q}; }}"); s.ready(); s.needs("how uWSGI was started, its owner knows", "harakiri"); s.expect("/report", 502, "connection-dropped", "timeout-too-short", mend=False)

# ---------------------------------------------------------------- names and addresses
@fault
def service_name_without_compose(s):
    """The stack is started by `docker run` since the move, and the route still has the name of the Compose service. https://github.com/linuxserver/reverse-proxy-confs/issues/135 (kind)"""
    n = s.net(); p = s.port(); w = s.rnd.choice(["grafana", "photos", "media"]); s.app(p, net=n, name=f"{s.name('stack')}-{w}-1"); s.caddy(caddyfile(s, f"{w}:{p}"), n); s.expect("/", 502, "name-not-found", mend=True)
@fault
def alias_on_the_other_network(s):
    """The app is on both networks, its alias only on the database's; the proxy comes by the other one. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1441 (kind)"""
    n = s.net(); m = s.net("data"); p = s.port(); w = "web" + s.tag; a = s.app(p, net=m, opts=["--network-alias", w]); s.join(n, a); s.haproxy(f"resolvers docker\n    nameserver dns 127.0.0.11:53\n    resolve_retries 1\n    timeout resolve 1s\n    timeout retry 1s\n    hold nx 1s\n" + backend(f"{w}:{p}", " init-addr last,libc,none resolvers docker"), n); time.sleep(3); s.expect("/", 503, "name-not-found", mend=True)
@fault
def host_network_asks_docker(s):
    """nginx in a container uses the host's network, where 127.0.0.11 answers nobody: its name for the app never resolves. https://github.com/jlesage/docker-nginx-proxy-manager/issues/257 (kind)"""
    n = s.net(); p = s.port(); q = s.hostport(); a = s.app(p, net=n, publish=[f"127.0.0.1:{q}:{p}"]); h = s.hostport(); s.hp = h; s.run("nginx:1.27", name=s.name("nginx"), net="host", opts=s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen {h};\n    server_name {s.site};\n{variable(a, p)}\n}}\n"})); s.expect("/", {502, 504}, "port-not-published", "name-not-found", "network-mismatch", "resolver-differs", mend=True)
@fault
def hosts_file_of_the_old_server(s):
    """This machine's hosts file still leads the name to the server from before the move. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n); x = f"203.0.113.{s.rnd.randrange(2, 250)}"
    open("/etc/hosts", "a").write(f"{x} {s.site} # field {s.seed}\n"); mine = lambda l: f" {s.site} " in l and "# field" in l
    s.undo.append(lambda: (lambda k: open("/etc/hosts", "w").write(k))("".join(l for l in open("/etc/hosts").read().splitlines(True) if not mine(l)))); s.expect("/", None, "dns-points-elsewhere", "client-side", host=False, mend=False)
@fault
def two_networks_and_loopback(s):
    """Two at once: the app is on its own project's network only, and listens on 127.0.0.1. Traefik reaches no network of it first. https://github.com/traefik/traefik/issues/5829 (kind)"""
    n = s.net(); m = s.net("project"); p = s.port(); a = s.app(p, "127.0.0.1", net=m); s.nginx(variable(a, p), n); s.expect("/", {502, 504}, "network-mismatch")
@fault
def stopped_and_old_port(s):
    """Two at once: the app was stopped, and the route has an old port as well. (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(caddyfile(s, f"{a}:{p + 3}"), n); stop(a); s.expect("/", 502, "backend-stopped", mend=True)

# ---------------------------------------------------------------- firewalls
@fault
def reset_by_a_rule(s):
    """A rule in DOCKER-USER answers with a reset, so the port looks closed although the app listens. https://github.com/mailcow/mailcow-dockerized/issues/2641 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); x = s.nginx(loc(f"http://{a}:{p}"), n); s.ready(); s.rule("-I", "DOCKER-USER", "-p", "tcp", "-d", s.ip(a), "--dport", str(p), "-j", "REJECT", "--reject-with", "tcp-reset"); s.expect("/", 502, "firewall-blocked", mend=True)
@fault
def bouncer_bans_the_proxy(s):
    """A CrowdSec-like bouncer has put the proxy's own address into its set; the app is a service of the host. https://github.com/cowrie/cowrie/issues/2551 (kind)"""
    n = s.net(); q = s.hostport(); s.bg(APP, q, "0.0.0.0", "--name", "navidrome"); x = s.caddy(f"http://{s.site} {{\n\treverse_proxy {s.gateway(n)}:{q} {{\n\t\ttransport http {{\n\t\t\tdial_timeout 3s\n\t\t}}\n\t}}\n}}\n", n); s.ready(); t = f"crowdsec{s.tag}"
    s.undo.append(lambda: sh("nft", "delete", "table", "ip", t, check=False)); sh("nft", "-f", "-", input=f"table ip {t} {{\n  set {t}-blacklists {{ type ipv4_addr; flags timeout; elements = {{ {s.ip(x)} timeout 4h, 198.51.100.7 timeout 4h }} }}\n  chain {t}-chain {{ type filter hook input priority -10; policy accept; ct state new ip saddr @{t}-blacklists drop; }}\n}}\n"); s.expect("/", {502, 504}, "firewall-blocked", mend=True)

# ---------------------------------------------------------------- containers
@fault
def silent_start(s):
    """After an update the app works for a while before it listens, and says nothing. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/3473 (kind)"""
    n = s.net(); p = s.port(); a = s.run("ghost:5", "sh", "-c", f"sleep 50; exec app {p} --name ghost", name=s.name("ghost"), net=n); s.haproxy(backend(f"{a}:{p}"), n); s.expect("/", 503, "backend-starting", mend=True)
@fault
def memory_limit_too_small(s):
    """mem_limit is less than the app needs to start: the kernel kills it, Docker starts it again, for ever. https://github.com/benoitc/gunicorn/issues/2215 (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"let keep = []; console.log('loading index'); const t = setInterval(() => {{ keep.push(Buffer.alloc(8 << 20, 1)); if (keep.length > 40) {{ clearInterval(t); {page('search')}.listen({p}); }} }}, 20);\n", net=n, name=s.name("search"), opts=["--memory", "120m", "--memory-swap", "120m", "--restart", "always"]); s.caddy(caddyfile(s, f"{a}:{p}"), n); time.sleep(8); s.expect("/", 502, "backend-out-of-memory", mend=True)
@fault
def for_another_machine(s):
    """The image is for arm64: exec format error, again and again. https://github.com/zammad/zammad-docker-compose/issues/228 (kind)"""
    n = s.net(); p = s.port(); b = bytearray(open(APP, "rb").read()); b[18:20] = (183).to_bytes(2, "little"); f = s.file("server", ""); open(f, "wb").write(b); os.chmod(f, 0o755)
    a = s.run(s.appimage(), "/srv/server", str(p), name=s.name(), net=n, opts=["-v", f"{f}:/srv/server:ro", "--restart", "always"]); s.nginx(variable(a, p), n); time.sleep(4); s.needs("an image for this machine has to be fetched", "exec format error"); s.expect("/", {502, 504}, "backend-crash-loop", mend=False)
@fault
def nothing_may_be_written(s):
    """`read_only: true` and an app that writes its process number before it listens. (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"fs.writeFileSync('/var/app.pid', String(process.pid));\n{page('paste')}.listen({p});\n", net=n, name=s.name("paste"), opts=["--read-only", "--restart", "unless-stopped"]); s.traefik(FILES, n, socket=False, files=yaml(s, f"http://{a}:{p}")); time.sleep(5); s.needs("where the app may write, its owner decides", "read-only file system"); s.expect("/", {502, 504}, "backend-crash-loop", mend=False)
@fault
def no_more_processes(s):
    """`pids_limit` is used up, so the app cannot start its converter and answers 500. (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"const cp = require('child_process'); const zoo = [];\nhttp.createServer((q, r) => {{ cp.exec('sleep 300', e => 0).on('error', e => {{ console.error('Error: ' + e.message + ' ' + e.code); r.writeHead(500, html); r.end(page('Internal Server Error')); }}).on('spawn', () => {{ r.writeHead(200, html); r.end(page('thumbs')); }}); }}).listen({p});\n", net=n, name=s.name("thumbs"), opts=["--pids-limit", "22"]); s.nginx(loc(f"http://{a}:{p}"), n); s.host()
    for _ in range(40):
        if get(f"http://{s.site}:{s.hp}/", 5)[0] == 500: break
        time.sleep(0.1)
    s.needs("what starts so many processes, its owner knows", "pids"); s.expect("/", 500, "host-exhausted", "app-error", mend=False)
@fault
def store_wants_a_password(s):
    """The app's Redis got a password, the app has none: 500, NOAUTH. (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ console.error(new Date().toISOString() + ' ReplyError: NOAUTH Authentication required.'); r.writeHead(500, html); r.end(page('Internal Server Error')); }}).listen({p});\n", net=n, name=s.name("peertube"), labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.needs("the password is its owner's", f"docker logs --tail 50 {a}"); s.expect("/", 500, "app-error", mend=False)
@fault
def start_script_not_executable(s):
    """The mounted entry script has no x: Docker made the container and could not start it. (kind)"""
    n = s.net(); p = s.port(); a = s.name("umami"); f = s.file("start.sh", f"#!/bin/sh\nexec app {p} --name umami\n", 0o644); s.undo.append(lambda: sh("docker", "rm", "-f", "-v", a, check=False)); sh("docker", "run", "-d", "--label", f"field={s.seed}", "--name", a, "--network", n, "-v", f"{f}:/start.sh:ro", "--entrypoint", "/start.sh", "field/base:1", check=False)
    s.caddy(caddyfile(s, f"{a}:{p}"), n); s.needs("the script's rights are its owner's", "permission denied"); s.expect("/", 502, "backend-stopped", mend=False)

# ---------------------------------------------------------------- healthy
@fault
def healthy_slow_eight(s):
    """The first byte takes 8 s, HAProxy waits for 40: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 8, net=n); s.haproxy(backend(f"{a}:{p}"), n); s.expect("/", 200, slow=9)
@fault
def healthy_backup_is_down(s):
    """HAProxy's backup server was stopped, the main one serves: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); s.haproxy(backend(f"{a}:{p}", f" check inter 1s\n    server spare {b}:{p} check inter 1s backup"), n); s.ready(); stop(b); time.sleep(3); s.expect("/", 200)
@fault
def healthy_mirror_is_down(s):
    """nginx mirrors each request to an analyser that is not there: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(f"    location / {{\n        mirror /copy;\n        proxy_pass http://{a}:{p};\n        proxy_set_header Host $host;\n    }}\n    location = /copy {{\n        internal;\n        proxy_connect_timeout 1s;\n        proxy_pass http://{s.subnet.rsplit('.', 1)[0]}.231:9999$request_uri;\n    }}", n); s.ready(); s.expect("/", 200)
@fault
def healthy_unused_cluster(s):
    """Envoy has a cluster without a route whose name does not resolve: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); envoy(s, n, a, p, put=[("  clusters:\n", "  clusters:\n  - name: legacy\n    type: STRICT_DNS\n    connect_timeout: 2s\n    load_assignment:\n      cluster_name: legacy\n      endpoints:\n      - lb_endpoints:\n        - endpoint: { address: { socket_address: { address: legacy-app, port_value: 80 } } }\n")]); s.expect("/", 200)
@fault
def healthy_empty_default_site(s):
    """nginx's default site answers nothing at all (444), this one works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n, http="server {\n    listen 80 default_server;\n    server_name _;\n    return 444;\n}\n"); s.expect("/", 200)
@fault
def healthy_registry_wants_login(s):
    """A container registry says 401 to whoever has not logged in: works."""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(401, {{ 'Content-Type': 'application/json', 'Www-Authenticate': 'Bearer realm=\"https://auth/token\",service=\"registry\"', 'Docker-Distribution-Api-Version': 'registry/2.0' }}); r.end('{{\"errors\":[{{\"code\":\"UNAUTHORIZED\",\"message\":\"authentication required\"}}]}}'); }}).listen({p});\n", net=n, name=s.name("registry")); s.traefik(FILES, n, socket=False, files=yaml(s, f"http://{a}:{p}")); s.expect("/v2/", 401, good=(401,))
@fault
def healthy_failover_serves(s):
    """Traefik's main service is down and known to be, the fallback serves: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); hc = "        healthCheck:\n          path: /\n          interval: 1s\n          timeout: 1s\n"
    s.traefik(FILES, n, socket=False, files=services(s, "    site:\n      failover:\n        service: main\n        fallback: spare\n" + balancer("main", f"http://{a}:{p}", extra=hc) + balancer("spare", f"http://{b}:{p}"))); s.ready(); stop(a); time.sleep(6); s.expect("/", 200)
@fault
def healthy_standby_never_started(s):
    """Apache's hot standby was never started, the other member serves: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); stop(b); s.httpd(BALANCER + vhost(s, f"    <Proxy balancer://shop>\n        BalancerMember http://{a}:{p}\n        BalancerMember http://10.255.255.9:{p} status=+H\n    </Proxy>\n    ProxyPass / balancer://shop/\n"), n); s.expect("/", 200)
@fault
def healthy_file_was_edited(s):
    """Somebody has edited the Caddyfile for a move next week and not loaded it; what runs works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(caddyfile(s, f"{a}:{p}"), n); s.ready(); s.file("caddy/Caddyfile", caddyfile(s, f"new-server:{p}")); s.expect("/", 200)
@fault
def healthy_moved_elsewhere(s):
    """The app sends everybody to its new address on another site (301): works."""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(301, {{ Location: 'https://docs.example.com' + q.url }}); r.end(); }}).listen({p});\n", net=n); s.nginx(loc(f"http://{a}:{p}"), n); s.expect("/old", 301, good=(301,))
@fault
def healthy_webhook_wants_post(s):
    """A webhook answers 405 to a browser: works."""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ if (q.method !== 'POST') {{ r.writeHead(405, {{ Allow: 'POST', 'Content-Type': 'application/json' }}); return r.end('{{\"detail\":\"Method Not Allowed\"}}'); }} r.writeHead(200, html); r.end('ok'); }}).listen({p});\n", net=n, name=s.name("hooks")); s.caddy(caddyfile(s, f"{a}:{p}"), n); s.expect("/hook", 405, good=(405,))
@fault
def healthy_no_content(s):
    """A page that has nothing to say (204): works."""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(204); r.end(); }}).listen({p});\n", net=n, name=s.name("beacon")); s.haproxy(backend(f"{a}:{p}"), n); s.expect("/generate_204", 204, good=(204,))
@fault
def healthy_lighttpd_one_of_two(s):
    """One of lighttpd's two backends was stopped, it goes on to the other: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); x = s.ip(b); lighttpd(s, n, f'    proxy.balance = "fair"\n    proxy.server = ( "" => (( "host" => "{s.ip(a)}", "port" => {p} ), ( "host" => "{x}", "port" => {p + 1} )) )'); s.ready()
    for _ in range(6): get(f"http://{s.site}:{s.hp}/", 5)
    s.expect("/", 200)
@fault
def healthy_h2_by_haproxy(s):
    """HAProxy speaks HTTP/2 to an app that speaks nothing else: works."""
    n = s.net(); p = s.port(); a = node(s, f"http2.createServer((q, r) => {{ r.writeHead(200, html); r.end(page('grpc gateway')); }}).listen({p});\n", net=n); time.sleep(1); s.haproxy(backend(f"{a}:{p}", " proto h2"), n); s.expect("/", 200)
@fault
def healthy_log_full_of_old_502(s):
    """nginx's error log is a file full of last month's refusals of the same site; it works since."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); old = time.strftime("%Y/%m/%d", time.localtime(time.time() - 30 * 86400)); lines = "".join(f'{old} 03:{i // 60:02d}:{i % 60:02d} [error] 31#31: *{i} connect() failed (111: Connection refused) while connecting to upstream, client: 198.51.100.7, server: {s.site}, request: "GET / HTTP/1.1", upstream: "http://{s.ip(a)}:{p}/", host: "{s.site}"\n' for i in range(300)); s.file("logs/error.log", lines); s.file("logs/access.log", "")
    s.nginx(loc(f"http://{a}:{p}"), n, opts=["-v", f"{s.dir}/logs:/srv/logs"], main="user www-data;\nworker_processes 1;\nerror_log /srv/logs/error.log notice;\npid /run/nginx.pid;\nevents { worker_connections 512; }\nhttp {\n    access_log /srv/logs/access.log;\n    include /etc/nginx/conf.d/*.conf;\n}\n"); s.expect("/", 200)
