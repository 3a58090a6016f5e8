"""A sixth collection, for the same registry, by another hand again that had read neither the program nor its pages, readers or lab.
A docstring says what is broken and the public thread; `expect` has the first causes that would be right, written before the program
was asked, and whether commands and patches on this machine can mend it. Many are ordinary faults in another dress: several sites in
one file, includes, templates, variables, hand-made names, a network namespace that no engine made, a tunnel."""
import os, time
from faults import APP, ENVOY, fault, fpm, fpm_nginx, guest, host_caddy, host_nginx, loc, nginx_main, vpn
from more import FILES, backend, caddyfile, certificate, compose, node, tls_nginx, variable
from fresh import lighttpd, vhost
from newest import balancer, page, services, stop
from other import loops, npm
from stage import StagingError, get, sh

def paths(title, good): # an app that has only the paths for which `good`, an expression of q.url, is true
    return f"http.createServer((q, r) => {{ const ok = {good}; r.writeHead(ok ? 200 : 404, html); r.end(page(ok ? '{title}' : 'Not Found')); }})"
def sites(s, files, folder="http.d"): # nginx of the host that includes a folder, as Alpine has it; returns what reloads it
    d = f"{s.dir}/nginx"; os.makedirs(d + "/logs", exist_ok=True)
    for name, text in files.items(): s.file(f"nginx/conf/{name}", text)
    s.file("nginx/conf/nginx.conf", "user www-data;\n" + nginx_main(f"    include {folder}/*.conf;")); s.bg("/usr/sbin/nginx", "-p", d, "-c", "conf/nginx.conf", "-g", "daemon off;")
    return lambda: sh("/usr/sbin/nginx", "-p", d, "-c", "conf/nginx.conf", "-s", "reload", check=False)
def own_image(s, n, files, *, cmd=(), opts=(), port=80, folder="conf.d", inside="/etc/nginx/conf.d", **kw): # nginx in a container with the files as they are
    s.hp = s.hostport(); return s.run("nginx:1.27", *cmd, name=s.name("nginx"), net=n, publish=[f"{s.hp}:{port}"], opts=s.mount(folder, inside, files) + list(opts), **kw)
def place(s, address): # a container that no engine made: a network namespace with an address of its own (LXC, systemd-nspawn)
    ns = f"ct{s.rnd.randrange(100, 999)}{s.tag}"; v = "ve" + s.tag + str(s.rnd.randrange(1000, 9999)); base = address.rsplit(".", 1)[0]
    sh("ip", "netns", "add", ns); s.undo.append(lambda: sh("ip", "netns", "del", ns, check=False)); sh("ip", "link", "add", v, "type", "veth", "peer", "name", "eth0", "netns", ns); s.undo.append(lambda: sh("ip", "link", "del", v, check=False))
    sh("ip", "addr", "add", f"{base}.1/24", "dev", v); sh("ip", "link", "set", v, "up")
    for a in (["addr", "add", f"{address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"], ["link", "set", "lo", "up"], ["route", "add", "default", "via", f"{base}.1"]): sh("ip", "-n", ns, *a)
    return ns
def tunnel(s, port): # a port of this machine that leads to another of it by a real ssh
    d = f"{s.dir}/ssh"; os.makedirs(d, mode=0o700); os.makedirs("/run/sshd", exist_ok=True); q, t = s.hostport(), s.hostport()
    for k in ("host", "key"): sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", f"{d}/{k}")
    c = s.file("ssh/sshd_config", f"Port {q}\nListenAddress 127.0.0.1\nHostKey {d}/host\nAuthorizedKeysFile {d}/key.pub\nStrictModes no\nPermitRootLogin yes\nUsePAM no\nPidFile none\n"); s.bg("/usr/sbin/sshd", "-D", "-e", "-f", c); time.sleep(0.7)
    s.bg("/usr/bin/ssh", "-N", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "ExitOnForwardFailure=yes", "-i", f"{d}/key", "-L", f"127.0.0.1:{t}:127.0.0.1:{port}", "-p", str(q), "root@127.0.0.1"); time.sleep(1.5); return t
def shut(s, v, *ports): # the VPN container's own firewall: nothing comes in but for these ports
    pid = sh("docker", "inspect", "-f", "{{.State.Pid}}", v); rule = lambda *a: sh("nsenter", "-t", pid, "-n", "iptables", "-w", *a)
    rule("-A", "INPUT", "-i", "lo", "-j", "ACCEPT"); rule("-A", "INPUT", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT")
    for p in ports: rule("-A", "INPUT", "-p", "tcp", "--dport", str(p), "-j", "ACCEPT")
    rule("-P", "INPUT", "DROP")
ENVSUBST = ["-v", "/usr/bin/envsubst:/usr/local/bin/envsubst:ro"]

# ---------------------------------------------------------------- nginx
@fault
def nginx_name_too_long_for_its_table(s):
    """A new site's name is longer than a bucket of server_names_hash, so the reload failed, and the default site answers. https://github.com/justsml/ssl-proxy/issues/14, https://github.com/kobotoolbox/kobo-docker/issues/124"""
    s.site = "customer-relationship-and-contract-management-portal." + s.site; s.hp, q = s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "contracts")
    again = sites(s, {"http.d/00-default.conf": f"server {{\n    listen {s.hp} default_server;\n    server_name _;\n    return 404;\n}}\n"}); s.ready(404); s.file("nginx/conf/http.d/portal.conf", f"server {{\n    listen {s.hp};\n    server_name {s.site};\n{loc(f'http://127.0.0.1:{q}')}\n}}\n"); again(); s.expect("/", 404, "proxy-config-invalid", "config-not-reloaded", mend=True)
@fault
def nginx_two_default_servers(s):
    """The new site's file was copied with its default_server: a duplicate default server, and nginx did not come up after the reboot. https://github.com/internetarchive/openlibrary/issues/7544, https://github.com/certbot/certbot/issues/5780"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); one = lambda site, up: f"server {{\n    listen 80 default_server;\n    server_name {site};\n{loc(up)}\n}}\n"
    own_image(s, n, {"blog.conf": one("blog." + s.site, f"http://{a}:{p}"), "main.conf": one(s.site, f"http://{a}:{p}")}, cmd=["nginx", "-g", "daemon off;"], opts=["--restart", "always"]); time.sleep(3); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=True)
@fault
def nginx_block_with_the_name_and_a_port(s):
    """The new upstream block has the app's name, and proxy_pass still the port: upstream may not have port. The reload failed. https://github.com/nginx-proxy/nginx-proxy/issues/1162"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); c = s.nginx(loc(f"http://{a}:{p + 3}"), n); s.ready(502); s.file("conf.d/default.conf", f"upstream {a} {{\n    server {a}:{p};\n    keepalive 8;\n}}\nserver {{\n    listen 80;\n    server_name {s.site};\n{loc(f'http://{a}:{p}')}\n}}\n"); sh("docker", "exec", c, "nginx", "-s", "reload", check=False); s.expect("/", 502, "proxy-config-invalid", "config-not-reloaded", mend=True)
@fault
def nginx_keeps_the_outage_in_its_cache(s):
    """`proxy_cache_valid any 60m`: while the app started somebody got 502, and nginx keeps showing that. https://github.com/engintron/engintron/issues/1013"""
    n = s.net(); p = s.port(); a = node(s, f"setTimeout(() => {page('forum')}.listen({p}), 7000);\n", net=n, name=s.name("forum"))
    s.nginx(loc(f"http://{a}:{p}", "        proxy_cache pages;\n        proxy_cache_valid any 60m;\n"), n, http="proxy_cache_path /var/cache/nginx/pages keys_zone=pages:2m inactive=2h;"); s.ready(502); time.sleep(7); s.ready(200, path="/about"); s.mark = "<title>forum"; s.expect("/", 502, "route-misconfigured", mend=True)
@fault
def nginx_own_server_for_loopback(s):
    """A status page listens on 127.0.0.1:PORT, the sites on PORT: requests from this machine and its tunnel all go to the status page. https://github.com/nginx/nginx/issues/220"""
    s.hp, q = s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "ledger"); sites(s, {"http.d/status.conf": f"server {{\n    listen 127.0.0.1:{s.hp};\n    server_name status.internal;\n    location = /nginx_status {{ stub_status; }}\n    location / {{ return 404; }}\n}}\n", "http.d/ledger.conf": f"server {{\n    listen {s.hp};\n    server_name {s.site};\n{loc(f'http://127.0.0.1:{q}')}\n}}\n"}); s.expect("/", 404, "route-misconfigured", "route-missing", mend=True)
@fault
def nginx_one_failure_and_a_server_marked_down(s):
    """One server is marked down, so the other is not the only one: after one failure nginx leaves it out for fail_timeout. https://github.com/nginx-proxy/nginx-proxy/issues/1495"""
    n = s.net(); p = s.port(); x = s.subnet.rsplit(".", 1)[0] + ".77"; a = s.app(p, net=n, opts=["--ip", x]); s.nginx(loc("http://music"), n, http=f"upstream music {{\n    zone music 64k;\n    server {a}:{p} fail_timeout=2h;\n    server 127.0.0.1:{p} down;\n}}"); s.ready(); stop(a); [get(f"http://{s.site}:{s.hp}/", 6) for _ in range(2)]; sh("docker", "start", a); time.sleep(1); s.expect("/", 502, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def nginx_two_at_a_time(s):
    """`max_conns=2` and two visitors who read a long feed: nobody else gets in, no live upstreams. https://nginx.org/en/docs/http/ngx_http_upstream_module.html#max_conns (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc("http://feeds"), n, http=f"upstream feeds {{\n    zone feeds 64k;\n    server {a}:{p} max_conns=2;\n}}"); s.ready(); s.load(4, f"http://{s.site}:{s.hp}/slow", 60); s.expect("/", 502, "proxy-limit", "workers-exhausted", "route-misconfigured", mend=True)
@fault
def nginx_prefix_without_its_slash(s):
    """`location /wiki` and `proxy_pass http://app:port/`: the app gets //pages. Two sites in one file. https://github.com/walf443/nginx-lint/pull/8 (kind), https://github.com/francescou/docker-compose-ui/issues/99"""
    n = s.net(); p = s.port(); a = node(s, paths("wiki", "!q.url.startsWith('//')") + f".listen({p});\n", net=n, name=s.name("wiki")); time.sleep(1)
    own_image(s, n, {"sites.conf": f"server {{ listen 80; server_name www.{s.site}; return 301 http://{s.site}$request_uri; }}\n\nserver {{\n    listen 80;\n    server_name {s.site};\n    location /wiki {{\n        proxy_pass http://{a}:{p}/;\n        include snippets/headers;\n    }}\n}}\n"}, opts=s.mount("snippets", "/etc/nginx/snippets", {"headers": "proxy_set_header Host $host;\nproxy_set_header X-Real-IP $remote_addr;\n"})); s.expect("/wiki/pages/7", 404, "path-rewrite-wrong", "route-misconfigured", mend=True)
@fault
def nginx_rewrite_goes_elsewhere(s):
    """`rewrite … last` looks for a location anew, and finds the one with the files; `break` would stay. https://github.com/mlrun/ui/pull/239"""
    n = s.net(); p = s.port(); a = node(s, paths("nuclio", "q.url.startsWith('/v1/')") + f".listen({p});\n", net=n, name=s.name("nuclio")); time.sleep(1)
    s.nginx(f"    root /srv/ui;\n    location / {{\n        try_files $uri $uri/index.html =404;\n    }}\n    location /nuclio/ {{\n        rewrite ^/nuclio/(.*)$ /$1 last;\n        proxy_pass http://{a}:{p};\n        proxy_set_header Host $host;\n    }}", n, opts=s.mount("ui", "/srv/ui", {"index.html": "<title>ui</title>\n"})); s.expect("/nuclio/v1/projects", 404, "path-rewrite-wrong", "route-misconfigured", mend=True)
@fault
def nginx_root_where_alias_is_meant(s):
    """`location /static/ { root …/static; }` looks for static/static: style sheets are 404, the pages work. https://github.com/nanobox-io/nanobox-guides/pull/70, https://github.com/O-X-L/ansible-webui/issues/30"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    location /static/ {\n        root /srv/portal/static;\n        expires 30d;\n    }\n" + loc(f"http://{a}:{p}"), n, opts=s.mount("portal/static/css", "/srv/portal/static/css", {"site.css": "body { margin: 0 }\n"})); s.expect("/static/css/site.css", 404, "route-misconfigured", "path-rewrite-wrong", mend=True)
@fault
def nginx_listens_for_http2_without_tls(s):
    """`listen 80 http2` was copied from the block with TLS: who speaks HTTP/1 gets HTTP/2's first bytes. https://github.com/continuouspipe/dockerfiles/pull/105, https://github.com/nginx/nginx/issues/396"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); own_image(s, n, {"default.conf": f"server {{\n    listen 80 http2;\n    server_name {s.site};\n{loc(f'http://{a}:{p}')}\n}}\n"}); s.expect("/", None, "route-misconfigured", "protocol-mismatch", mend=True)
@fault
def nginx_address_is_too_long(s):
    """The sign-in comes back with a long token in its address: 414, large_client_header_buffers. https://github.com/sartography/spiff-arena/pull/1550, https://github.com/SigNoz/signoz/pull/1594"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    client_header_buffer_size 1k;\n    large_client_header_buffers 4 2k;\n" + loc(f"http://{a}:{p}"), n); s.ready(); s.expect("/oidc/callback?id_token=" + "".join(s.rnd.choice("0123456789abcdef") for _ in range(3100)), 414, "route-misconfigured", "proxy-limit", mend=True)
@fault
def nginx_half_of_the_visitors(s):
    """split_clients sends half of the visitors to the new release, whose container was stopped. https://nginx.org/en/docs/http/ngx_http_split_clients_module.html (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, name=s.name("stable")); b = s.app(p, net=n, name=s.name("canary")); s.nginx("    location / {\n        proxy_pass http://$release;\n        proxy_set_header Host $host;\n        proxy_connect_timeout 1s;\n    }", n, http=f"split_clients \"$msec$remote_port\" $release {{\n    50%     canary;\n    *       stable;\n}}\nupstream stable {{ server {a}:{p}; }}\nupstream canary {{ server {b}:{p}; }}\n"); s.ready(); stop(b); s.expect("/", "mixed", "backend-stopped", mend=True)
@fault
def swag_says_https(s):
    """SWAG's sample has `$upstream_proto https`, the app speaks plain HTTP. https://github.com/linuxserver/reverse-proxy-confs/issues/282 (kind), https://github.com/jlesage/docker-firefox/issues/280 (the reverse)"""
    n = s.net(); p = s.port(); a = node(s, page("heimdall") + f".listen({p});\n", net=n, name=s.name("heimdall")); time.sleep(1); s.hp = s.hostport()
    s.run("lscr.io/linuxserver/swag:3.0", "nginx", "-c", "/config/nginx/nginx.conf", "-g", "daemon off;", name=s.name("swag"), net=n, publish=[f"{s.hp}:80"], opts=s.mount("config/nginx", "/config/nginx", {
        "nginx.conf": "user www-data;\nworker_processes 2;\npid /run/nginx.pid;\nerror_log /dev/stderr;\nevents { worker_connections 512; }\nhttp {\n    include /etc/nginx/mime.types;\n    access_log /dev/stdout;\n    include /config/nginx/site-confs/*.conf;\n    include /config/nginx/proxy-confs/*.subdomain.conf;\n}\n",
        "resolver.conf": "# This file is auto-generated only on first start, based on the container's /etc/resolv.conf file. Feel free to modify it as you wish.\n\nresolver 127.0.0.11 valid=30s;\n", "proxy.conf": "## Version 2023/02/09\nproxy_connect_timeout 4s;\nproxy_http_version 1.1;\nproxy_set_header Host $host;\nproxy_set_header X-Real-IP $remote_addr;\n", "site-confs/default.conf": "server {\n    listen 80 default_server;\n    server_name _;\n    location / { return 404; }\n}\n",
        "proxy-confs/heimdall.subdomain.conf": f"## Version 2023/05/31\nserver {{\n    listen 80;\n    server_name {s.site};\n    client_max_body_size 0;\n    location / {{\n        include /config/nginx/proxy.conf;\n        include /config/nginx/resolver.conf;\n        set $upstream_app {a};\n        set $upstream_port {p};\n        set $upstream_proto https;\n        proxy_pass $upstream_proto://$upstream_app:$upstream_port;\n    }}\n}}\n",
        "proxy-confs/wiki.subdomain.conf.sample": "server {\n    server_name wiki.*;\n    location / {\n        set $upstream_app dokuwiki;\n        proxy_pass http://$upstream_app:80;\n    }\n}\n"})); s.expect("/", 502, "https-to-http-backend", mend=True)
@fault
def nginx_port_of_the_environment(s):
    """The site is made of a template at each start, and the port in the container's environment is that of the release before. https://github.com/safe-global/safe-config-service/pull/23 (kind), https://github.com/nginx/docker-nginx/issues/938 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); own_image(s, n, {"app.conf.template": f"server {{\n    listen 80;\n    server_name {s.site};\n    location / {{\n        proxy_pass http://{a}:${{GUNICORN_BIND_PORT}};\n        proxy_set_header Host $host;\n    }}\n}}\n"}, folder="templates", inside="/etc/nginx/templates", cmd=["sh", "-c", "envsubst '$GUNICORN_BIND_PORT' < /etc/nginx/templates/app.conf.template > /etc/nginx/conf.d/default.conf && exec nginx -g 'daemon off;'"], opts=ENVSUBST + ["-e", f"GUNICORN_BIND_PORT={p + 11}"]); s.needs("the container has to be made again with another value", "GUNICORN_BIND_PORT"); s.expect("/", 502, "wrong-port", mend=False)
@fault
def nginx_envsubst_took_all_variables(s):
    """envsubst without a list took away $host as well: invalid number of arguments in proxy_set_header, again and again. https://github.com/docker-library/docs/issues/496, https://github.com/nginx/docker-nginx/issues/258"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); c = own_image(s, n, {"mysite.template": f"server {{\n    listen 80;\n    server_name ${{SITE}};\n    location / {{\n        proxy_pass http://{a}:{p};\n        proxy_set_header Host $host;\n    }}\n}}\n"}, folder="templates", inside="/etc/nginx/templates", cmd=["sh", "-c", "envsubst < /etc/nginx/templates/mysite.template > /etc/nginx/conf.d/default.conf && exec nginx -g 'daemon off;'"], opts=ENVSUBST + ["-e", f"SITE={s.site}", "--restart", "always"]); loops(s, c); s.needs("the container's command is its owner's", "envsubst"); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=False)
@fault
def nginx_three_sites_and_a_snippet(s):
    """Three sites in one file, each with `set $port` and one snippet that has the proxy_pass; the site's number is old. https://github.com/apache/answer/issues/647 (kind)"""
    s.hp, q, w = s.hostport(), s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "answer"); s.bg(APP, w, "127.0.0.1", "--name", "shop"); one = lambda name, port: f"server {{\n    listen {s.hp};\n    server_name {name};\n    set $port {port};\n    include snippets/to-app.inc;\n}}\n"
    sites(s, {"snippets/to-app.inc": "location / {\n    proxy_pass http://127.0.0.1:$port;\n    proxy_set_header Host $host;\n    proxy_connect_timeout 3s;\n}\n", "http.d/all-my-sites.conf": one("shop." + s.site, w) + one(s.site, q - 1) + one("old." + s.site, w)}); s.expect("/", 502, "wrong-port", mend=True)
@fault
def nginx_key_of_the_other_certificate(s):
    """Certificate and key were mixed up at the renewal: key values mismatch, nginx does not start. https://github.com/andreaswolf/ansible-role-letsencrypt/issues/31, https://github.com/mailcow/mailcow-dockerized/issues/417"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); d = certificate(s, s.site); certificate(s, "www." + s.site)
    c = own_image(s, n, {"default.conf": f"server {{\n    listen 443 ssl;\n    server_name {s.site};\n    ssl_certificate /certs/{s.site}.crt;\n    ssl_certificate_key /certs/www.{s.site}.key;\n{loc(f'http://{a}:{p}')}\n}}\n"}, port=443, opts=["-v", f"{d}:/certs", "--restart", "always"]); loops(s, c); s.needs("which key belongs to it, the owner knows", f"www.{s.site}.key"); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=False, url=f"https://{s.site}:{s.hp}/")
@fault
def nginx_socket_that_looks_open(s):
    """Since an update the app's socket is root's with mode 0755: www-data may read it, and cannot connect, which needs w. https://github.com/rommapp/romm/issues/3809"""
    n = s.net(); os.makedirs(s.dir + "/run"); os.chmod(s.dir + "/run", 0o755); s.app(0, "--unix", "/run/romm/gunicorn.sock", net=n, name=s.name("romm"), opts=["-v", f"{s.dir}/run:/run/romm"]); s.nginx(loc("http://wsgi_server"), n, http="upstream wsgi_server {\n    server unix:/run/romm/gunicorn.sock;\n}", opts=["-v", f"{s.dir}/run:/run/romm"]); time.sleep(1); os.chmod(s.dir + "/run/gunicorn.sock", 0o755); s.expect("/", 502, "socket-unavailable", mend=True)
@fault
def npm_app_with_an_odd_name_is_off(s):
    """An ordinary one: the container was stopped; its name was made by hand, with a dot and an underscore. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/2036 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, name=f"wiki.js_{s.tag}.v2"); npm(s, n, a, p); s.ready(); stop(a); s.expect("/", {502, 504}, "backend-stopped", mend=True)
@fault
def npm_scheme_is_https(s):
    """The scheme of the proxy host is https, the app speaks plain HTTP. https://github.com/jlesage/docker-firefox/issues/280 (the reverse)"""
    n = s.net(); p = s.port(); a = node(s, page("firefox") + f".listen({p});\n", net=n, name=s.name("firefox")); c = npm(s, n, a, p); f = "npm/data/nginx/proxy_host/1.conf"; s.file(f, open(f"{s.dir}/{f}").read().replace("$forward_scheme http;", "$forward_scheme https;")); sh("docker", "restart", "-t", "1", c); s.needs("NPM writes its files itself, so it has to be told", "Scheme"); s.expect("/", 502, "https-to-http-backend", mend=False)

# ---------------------------------------------------------------- Traefik
@fault
def traefik_asks_for_auth_at_localhost(s):
    """forwardAuth has http://localhost:9091, which is Traefik's own container; Authelia is well. https://github.com/authelia/authelia/issues/2852 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.app(9091, net=n, name=s.name("authelia"), image="field/base:1"); s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{a}:{p}"), more="      middlewares: [authelia]\n", middlewares="  middlewares:\n    authelia:\n      forwardAuth:\n        address: http://localhost:9091/api/verify\n        trustForwardHeader: true\n")); s.expect("/", 500, "auth-service-down", "upstream-is-localhost", mend=True)
@fault
def traefik_two_dollars_in_yaml(s):
    """`replacement: /$$1` is right in Compose's labels and wrong in a file: the app gets /$1. https://github.com/ckulka/baikal-docker/issues/70, https://github.com/traefik/traefik/issues/7276"""
    n = s.net(); p = s.port(); a = node(s, paths("baikal", "q.url.startsWith('/dav')") + f".listen({p});\n", net=n, name=s.name("baikal")); time.sleep(1); s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{a}:{p}"), more="      middlewares: [shorter]\n", middlewares="  middlewares:\n    shorter:\n      replacePathRegex:\n        regex: ^/calendar/(.*)\n        replacement: /$$1\n")); s.expect("/calendar/dav/principals", 404, "path-rewrite-wrong", "route-misconfigured", mend=True)
@fault
def traefik_labels_below_deploy(s):
    """The labels stand below `deploy:`, where Compose gives them to nobody: the container has none. https://github.com/eduardorfreitas93/traefik-nginx-phpfpm/pull/1"""
    n = s.net(); p = s.port(); j = s.name("stack"); s.file("docker-compose.yml", f"services:\n  whoami:\n    image: traefik/whoami:v1.10\n    networks: [proxy]\n    deploy:\n      labels:\n        - traefik.enable=true\n        - traefik.http.routers.whoami.rule=Host(`{s.site}`)\n        - traefik.http.services.whoami.loadbalancer.server.port={p}\nnetworks:\n  proxy:\n    name: {n}\n    external: true\n")
    s.app(p, net=n, name=f"{j}-whoami-1", image="traefik/whoami:v1.10", labels=compose(j, "whoami", s.dir)); s.traefik(s.docker_provider(), n); s.needs("the labels have to be moved in the owner's Compose file", "deploy"); s.expect("/", 404, "route-missing", "route-misconfigured", mend=False)
@fault
def traefik_breaker_is_open(s):
    """A circuit breaker counts one broken page, and closes the whole site for ten minutes. https://doc.traefik.io/traefik/middlewares/http/circuitbreaker/ (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ const ok = q.url !== '/broken'; r.writeHead(ok ? 200 : 500, html); r.end(page(ok ? 'tickets' : 'Internal Server Error')); }}).listen({p});\n", net=n, name=s.name("tickets")); time.sleep(1)
    s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{a}:{p}"), more="      middlewares: [careful]\n", middlewares="  middlewares:\n    careful:\n      circuitBreaker:\n        expression: ResponseCodeRatio(500, 600, 0, 600) > 0.25\n        checkPeriod: 200ms\n        fallbackDuration: 600s\n        recoveryDuration: 600s\n")); s.ready()
    for _ in range(30): get(f"http://{s.site}:{s.hp}/broken"); time.sleep(0.05)
    s.expect("/", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def traefik_constraint_is_for_others(s):
    """Traefik takes containers with one label only (constraints), and the app's has another stage's value. https://github.com/traefik/traefik/issues/4408 (kind)"""
    n = s.net(); p = s.port(); r = s.rnd.choice(["shop", "wiki"]); s.app(p, net=n, labels=["traefik.enable=true", "stack=staging", f"traefik.http.routers.{r}.rule=Host(`{s.site}`)", f"traefik.http.services.{r}.loadbalancer.server.port={p}"]); s.traefik(s.docker_provider(), n); s.needs("which label is meant, the owner decides", "stack"); s.expect("/", 404, "route-misconfigured", "route-missing", "provider-unreachable", mend=False)

# ---------------------------------------------------------------- Caddy
@fault
def caddy_path_without_its_star(s):
    """`reverse_proxy /filebrowser app` matches that one path only; what lies below is 200 and empty. https://github.com/filebrowser/filebrowser/issues/1206, https://github.com/caddyserver/caddy/issues/4878"""
    n = s.net(); p = s.port(); a = s.app(p, "--base", "/filebrowser", net=n, image="field/base:1"); s.mark = "<title>"; s.caddy(f"http://{s.site} {{\n\treverse_proxy /filebrowser {a}:{p}\n}}\n", n); s.expect("/filebrowser/files", 200, "route-misconfigured", "route-missing", mend=True)
@fault
def caddy_answer_left_from_the_move(s):
    """`respond "We are moving" 503` was left in the site; it comes before reverse_proxy, wherever it stands. https://caddyserver.com/docs/caddyfile/directives#directive-order (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p}\n\n\trespond \"We are moving, back at noon\" 503\n}}\n", n); s.expect("/", 503, "route-misconfigured", mend=True)
@fault
def caddy_default_of_a_variable(s):
    """`{$NOTES_PORT:3000}` and no such variable: the default counts, and the app listens elsewhere. https://github.com/searxng/searxng-docker/issues/444 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, name=s.name("notes")); s.caddy(f"(upstream) {{\n\treverse_proxy {{$NOTES_HOST:{a}}}:{{$NOTES_PORT:{p + 1}}}\n}}\nhttp://{s.site} {{\n\tencode zstd gzip\n\timport upstream\n}}\n", n); s.expect("/", 502, "wrong-port", mend=True)
@fault
def caddy_vpn_lets_nothing_in(s):
    """The VPN container's own firewall (kill switch) lets only its control port in, FIREWALL_INPUT_PORTS was forgotten. https://github.com/ionfury/homelab/pull/442"""
    n = s.net(); p = s.port(); v = vpn(s, n, p); guest(s, v, p); s.caddy(caddyfile(s, f"{v}:{p}"), n); s.ready(); shut(s, v, 8000); s.expect("/", {502, 504}, "firewall-blocked", mend=True)
@fault
def caddy_port_drawn_anew(s):
    """`ports: "3000"` without one for the host: each start draws a new one; Caddy of the host has the one from before. https://github.com/dokku/dokku/issues/82, https://github.com/moby/moby/issues/31926"""
    p = s.port(); a = s.app(p, publish=[f"127.0.0.1::{p}"]); where = lambda: int(sh("docker", "port", a, str(p)).splitlines()[0].rsplit(":", 1)[1]); q = where(); host_caddy(s, f"\treverse_proxy 127.0.0.1:{q}"); s.ready()
    for _ in range(4):
        sh("docker", "restart", "-t", "1", a)
        if where() != q: break
    else: raise StagingError("the port stays the same")
    s.expect("/", 502, "wrong-port", "port-not-published", "stale-address", mend=True)

# ---------------------------------------------------------------- HAProxy
@fault
def haproxy_last_line_has_no_end(s):
    """An editor of Windows left the last line without its end: Missing LF on last line, HAProxy does not start. https://github.com/haproxytech/haproxy-docker-ubuntu/issues/4, https://github.com/eu-digital-identity-wallet/eudi-srv-verifier-endpoint/pull/459"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); c = s.haproxy(backend(f"{a}:{p}").rstrip("\n"), n, opts=["--restart", "always"]); loops(s, c); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=True)
@fault
def haproxy_still_asks_for_tasks(s):
    """server-template with `tasks.web`, which is Swarm's name; since the move to Compose nobody has it. https://github.com/vfarcic/docker-flow-proxy/issues/262 (kind)"""
    n = s.net(); p = s.port(); j = s.name("shop"); s.app(p, net=n, name=f"{j}-web-1", opts=["--network-alias", "web"], labels=compose(j, "web", s.dir)); s.haproxy(f"resolvers docker\n    nameserver dns 127.0.0.11:53\n    hold valid 5s\nfrontend web\n    bind :80\n    default_backend app\nbackend app\n    server-template web- 3 tasks.web:{p} check resolvers docker init-addr none\n", n); time.sleep(2); s.expect("/", 503, "name-not-found", mend=True)
@fault
def haproxy_looks_before_the_hello(s):
    """mode tcp and req.ssl_sni without `tcp-request inspect-delay`: HAProxy looks before the name has come. https://github.com/opnsense/plugins/issues/2311, https://github.com/haproxy/haproxy/issues/3148"""
    n = s.net(); a = tls_nginx(s, n, 8443, "cloud"); s.hp = s.hostport(); s.run("haproxy:3.0", name=s.name("haproxy"), net=n, publish=[f"{s.hp}:443"], opts=s.mount("haproxy", "/usr/local/etc/haproxy", {"haproxy.cfg": f"global\n    log stdout format raw local0\ndefaults\n    mode tcp\n    log global\n    option tcplog\n    timeout connect 3s\n    timeout client 40s\n    timeout server 40s\nfrontend tls\n    bind :443\n    use_backend cloud if {{ req.ssl_sni -i {s.site} }}\nbackend cloud\n    server s1 {a}:8443\n"})); s.expect("/", "mixed", "route-misconfigured", mend=True, url=f"https://{s.site}:{s.hp}/")
@fault
def haproxy_sorry_unless_both_are_up(s):
    """A rule shows the house's sorry page when less than two servers are up; one was stopped for an update. https://github.com/haproxy/haproxy/issues/1560 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); s.haproxy(f"frontend web\n    bind :80\n    http-request return status 503 content-type text/html string \"<h1>Back soon</h1>\" if {{ nbsrv(pool) lt 2 }}\n    default_backend pool\nbackend pool\n    server one {a}:{p} check inter 1s\n    server two {b}:{p} check inter 1s\n", n); s.ready(); stop(b); time.sleep(3); s.expect("/", 503, "backend-stopped", "route-misconfigured", mend=True)
@fault
def haproxy_check_expects_a_word(s):
    """`http-check expect string READY`; since its update the app's page says it in another way: every server is down. https://github.com/fosrl/pangolin/issues/2976 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.haproxy(f"frontend web\n    bind :80\n    default_backend app\nbackend app\n    option httpchk GET /\n    http-check expect string READY\n    server s1 {a}:{p} check inter 1s fall 2\n", n); time.sleep(4); s.expect("/", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def opnsense_generated_names(s):
    """A firewall's generated file: two sites, names of digits; the second one's port is old. https://github.com/opnsense/plugins/issues/1365 (kind)"""
    s.hp, q, w = s.hostport(), s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "nextcloud"); s.bg(APP, w, "127.0.0.1", "--name", "vault"); x, y = (f"{s.rnd.randrange(16 ** 8):08x}.{s.rnd.randrange(10 ** 8):08d}" for _ in range(2))
    f = s.file("var/etc/haproxy/haproxy.conf", f"#\n# Automatically generated configuration.\n# Do not edit this file manually.\n#\nglobal\n    uid                         65534\n    gid                         65534\n    maxconn                     500\ndefaults\n    mode http\n    option redispatch -1\n    timeout client 30s\n    timeout connect 3s\n    timeout server 30s\n    retries 1\n\n# Frontend: web (All sites)\nfrontend web\n    bind 0.0.0.0:{s.hp} name 0.0.0.0:{s.hp}\n    # ACL: vault\n    acl acl_{x} hdr(host) -m beg -i vault.{s.site}\n    # ACL: cloud\n    acl acl_{y} hdr(host) -m beg -i {s.site}\n    # ACTION: to vault\n    use_backend pool_{x} if acl_{x}\n    # ACTION: to cloud\n    use_backend pool_{y} if acl_{y}\n\n# Backend: vault ()\nbackend pool_{x}\n    balance source\n    server vault_srv 127.0.0.1:{w}\n\n# Backend: cloud ()\nbackend pool_{y}\n    balance source\n    stick-table type ip size 50k expire 30m\n    stick on src\n    server cloud_srv 127.0.0.1:{q + 1}\n")
    s.bg("/usr/sbin/haproxy", "-W", "-db", "-f", f); time.sleep(1); s.expect("/", 503, "wrong-port", mend=True)

# ---------------------------------------------------------------- Apache, PHP
@fault
def apache_order_of_the_old_version(s):
    """`Order deny,allow` came with the files of Apache 2.2: Invalid command 'Order', Apache does not start. https://github.com/apache/incubator-pagespeed-mod/issues/1229, https://github.com/Stevie-Ray/referrer-spam-blocker/issues/4"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); c = s.httpd(vhost(s, f"    <Proxy *>\n        Order deny,allow\n        Allow from all\n    </Proxy>\n    ProxyPass / http://{a}:{p}/\n    ProxyPassReverse / http://{a}:{p}/\n"), n, opts=["--restart", "always"]); loops(s, c); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=True)
@fault
def apache_variable_nobody_defines(s):
    """`ProxyPass / http://${SHOP_HOST}:…`: the line with Define was lost in the move, AH00111, and the name is looked up as it stands. https://httpd.apache.org/docs/2.4/mod/core.html#define (kind)"""
    n = s.net(); p = s.port(); s.app(p, net=n, name=s.name("shop")); s.httpd(vhost(s, f"    ProxyPass / http://${{SHOP_HOST}}:{p}/\n    ProxyPassReverse / http://${{SHOP_HOST}}:{p}/\n"), n); s.needs("the value is the owner's", "SHOP_HOST"); s.expect("/", {500, 502, 503}, "route-misconfigured", "name-not-found", "proxy-config-invalid", mend=False)
@fault
def apache_htaccess_has_an_old_port(s):
    """The route is a RewriteRule with [P] in an .htaccess file, and its port is the one from before. https://github.com/librespeed/speedtest/issues/688 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd("LoadModule rewrite_module modules/mod_rewrite.so\n<Directory /usr/local/apache2/htdocs>\n    AllowOverride All\n</Directory>\n" + vhost(s, "    DocumentRoot /usr/local/apache2/htdocs\n"), n, opts=s.mount("htdocs", "/usr/local/apache2/htdocs", {".htaccess": f"RewriteEngine On\nRewriteCond %{{REQUEST_FILENAME}} !-f\nRewriteRule ^(.*)$ http://{a}:{p + 7}/$1 [P,L]\n", "robots.txt": "User-agent: *\n"})); s.expect("/", 503, "wrong-port", mend=True)
@fault
def three_in_a_row_and_no_php(s):
    """HAProxy, behind it Apache, behind it php-fpm, which was stopped. https://github.com/DCSO/MISP-dockerized/issues/66 (kind)"""
    n = s.net(); f = fpm(s, n, "<?php echo '<title>shop</title>ok';\n"); h = s.httpd(vhost(s, f"    ProxyTimeout 5\n    ProxyPassMatch ^/(.*\\.php)$ fcgi://{f}:9000/var/www/html/$1\n"), n, name=s.name("web")); s.haproxy(backend(f"{h}:80"), n); s.ready(path="/index.php"); stop(f); s.expect("/index.php", {500, 503, 504}, "backend-stopped", mend=True)
@fault
def php_lost_an_extension(s):
    """Since PHP's upgrade the extension is missing: Call to undefined function mysqli_connect(), 500. https://github.com/osTicket/osTicket/issues/6637, https://github.com/mailwatch/MailWatch/issues/314"""
    n = s.net(); a = fpm(s, n, "<?php\n$db = mysqli_connect('db', 'tickets', 'x', 'tickets');\necho '<title>tickets</title>';\n", extra="catch_workers_output = yes\nphp_admin_flag[log_errors] = on\nphp_admin_value[error_log] = /proc/self/fd/2\nphp_admin_flag[display_errors] = off\n"); time.sleep(1); fpm_nginx(s, n, a); s.needs("the app's own error", f"docker logs --tail 50 {a}"); s.expect("/", 500, "app-error", mend=False)

# ---------------------------------------------------------------- Envoy, lighttpd
@fault
def envoy_endpoints_edited_in_place(s):
    """The endpoints come from a file, which was edited in place; Envoy reads it again only when it is moved there. https://github.com/envoyproxy/envoy/issues/20474, https://github.com/envoyproxy/envoy/issues/35888"""
    n = s.net(); p = s.port(); x = s.ip(s.app(p, net=n)); t = ENVOY.format(host=s.site, up="x", port=1, cluster="    eds_cluster_config: { eds_config: { resource_api_version: V3, path_config_source: { path: /etc/envoy/eds.yaml } } }\n"); t = "node: { id: edge, cluster: edge }\n" + t[:t.index("    load_assignment")].replace("type: STRICT_DNS", "type: EDS")
    e = lambda q: f"resources:\n- \"@type\": type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment\n  cluster_name: app\n  endpoints:\n  - lb_endpoints:\n    - endpoint: {{ address: {{ socket_address: {{ address: {x}, port_value: {q} }} }} }}\n"
    s.file("envoy/eds.yaml", e(p + 3)); s.envoy(t, n); s.ready(503); time.sleep(1); s.file("envoy/eds.yaml", e(p)); time.sleep(1); s.expect("/", 503, "config-not-reloaded", mend=True)
@fault
def envoy_says_another_host(s):
    """host_rewrite_literal has the name of the stage from which the file was copied; the app serves its own name only. https://github.com/envoyproxy/envoy/issues/8937 (kind)"""
    n = s.net(); p = s.port(); a = node(s, paths("board", f"(q.headers.host || '').startsWith('{s.site}')") + f".listen({p});\n", net=n, name=s.name("board")); time.sleep(1); t = ENVOY.format(host=s.site, up=a, port=p, cluster=""); k = "route: { cluster: app, timeout: 40s }"
    if k not in t: raise StagingError("Envoy's file has another route")
    s.envoy(t.replace(k, f"route: {{ cluster: app, timeout: 40s, host_rewrite_literal: staging.{s.site} }}"), n); s.expect("/", 404, "route-misconfigured", "app-error", mend=True)
@fault
def lighttpd_maps_the_path_away(s):
    """proxy.header has map-urlpath from the app before; this one lives below /grafana and gets /. https://github.com/shellinabox/shellinabox/issues/42 (the reverse)"""
    n = s.net(); p = s.port(); a = s.app(p, "--base", "/grafana", net=n); lighttpd(s, n, f'    proxy.server = ( "/grafana/" => (( "host" => "{s.ip(a)}", "port" => {p} )) )\n    proxy.header = ( "map-urlpath" => ( "/grafana/" => "/" ) )'); s.expect("/grafana/login", 404, "path-rewrite-wrong", mend=True)

# ---------------------------------------------------------------- the host, Compose, namespaces
@fault
def lxc_has_a_new_address(s):
    """The app lives in a system container, which got another address by DHCP; nginx of the host has the one from before. https://github.com/community-scripts/ProxmoxVE/issues/8170 (kind), https://github.com/ej52/proxmox-scripts/issues/10"""
    p = s.port(); b = f"10.{s.rnd.randrange(70, 220)}.{s.rnd.randrange(256)}"; ns = place(s, f"{b}.57"); s.bg("/usr/sbin/ip", "netns", "exec", ns, APP, p, "--name", "gitea"); host_nginx(s, loc(f"http://{b}.12:{p}")); s.expect("/", {502, 504}, "stale-address", mend=True)
@fault
def lxc_app_on_loopback(s):
    """The app in the system container listens on its 127.0.0.1 since an update. https://github.com/ej52/proxmox-scripts/issues/13 (kind)"""
    p = s.port(); b = f"10.{s.rnd.randrange(70, 220)}.{s.rnd.randrange(256)}"; ns = place(s, f"{b}.57"); s.bg("/usr/sbin/ip", "netns", "exec", ns, APP, p, "127.0.0.1", "--name", "gitea"); host_nginx(s, loc(f"http://{b}.57:{p}")); s.needs("how the app is started, its owner knows", "127.0.0.1"); s.expect("/", 502, "listens-on-localhost", mend=False)
@fault
def compose_run_has_no_alias(s):
    """Somebody started the app by `docker compose run`, which gives it no alias: web is not found. https://github.com/docker/compose/issues/3492, https://github.com/docker/compose/issues/7481"""
    n = s.net(); p = s.port(); j = s.name("portal"); l = [x.replace("oneoff=False", "oneoff=True") for x in compose(j, "web", s.dir)]; s.app(p, net=n, name=f"{j}-web-run-{s.rnd.randrange(16 ** 12):012x}", labels=l); s.nginx(variable("web", p), n); s.expect("/", 502, "name-not-found", mend=True)
@fault
def published_for_udp(s):
    """`ports: "8080:8080/udp"`: the port is published, but for UDP. https://github.com/moby/moby/issues/31926 (kind)"""
    p = s.port(); q = s.hostport(); s.app(p, publish=[f"127.0.0.1:{q}:{p}/udp"]); host_nginx(s, loc(f"http://127.0.0.1:{q}")); s.expect("/", 502, "port-not-published", mend=True)
@fault
def ssh_tunnel_to_a_stopped_app(s):
    """nginx's upstream is the end of an ssh tunnel, which listens all the time; the app at its other end was stopped, so it hangs up. https://github.com/boringproxy/boringproxy/issues/60 (kind)"""
    p = s.port(); q = s.hostport(); a = s.app(p, publish=[f"127.0.0.1:{q}:{p}"]); t = tunnel(s, q); host_nginx(s, loc(f"http://127.0.0.1:{t}")); s.ready(); stop(a); s.expect("/", 502, "connection-dropped", "backend-stopped", mend=True)

# ---------------------------------------------------------------- healthy, and it looks strange
@fault
def healthy_other_site_in_maintenance(s):
    """Of three sites in one file two are in maintenance and say 503 all the time; this one works."""
    s.hp, q = s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "shop"); off = lambda name: f"server {{\n    listen {s.hp};\n    server_name {name};\n    location / {{ return 503; }}\n}}\n"; s.host(); o = s.host("old." + s.site); sites(s, {"http.d/all.conf": off("old." + s.site) + f"server {{\n    listen {s.hp};\n    server_name {s.site};\n{loc(f'http://127.0.0.1:{q}')}\n}}\n" + off("shop2." + s.site)}); s.ready(); [get(f"http://{o}:{s.hp}/") for _ in range(5)]; s.expect("/", 200)
@fault
def healthy_password_at_the_proxy(s):
    """Traefik itself asks for a password (401): works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{a}:{p}"), more="      middlewares: [door]\n", middlewares="  middlewares:\n    door:\n      basicAuth:\n        users: [\"anna:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/\"]\n")); s.expect("/", 401, good=(401,))
@fault
def healthy_started_slowly(s):
    """The app needed 6 s to start, nginx's log is full of refusals, and Docker's check has not run yet (health: starting): works."""
    n = s.net(); p = s.port(); a = node(s, f"console.log('Applying migrations...'); setTimeout(() => {page('media')}.listen({p}, () => console.log('ready')), 6000);\n", net=n, name=s.name("media"), opts=["--health-cmd", "true", "--health-interval", "10m"]); s.nginx(loc(f"http://{a}:{p}"), n); s.ready(502); [get(f"http://{s.site}:{s.hp}/") for _ in range(20)]; s.ready(); s.expect("/", 200)
@fault
def healthy_next_reload_will_fail(s):
    """Somebody has edited another site and left a mistake; nginx was not reloaded and serves on: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n); s.ready(); s.file("conf.d/new-site.conf", "server {\n    listen 80;\n    server_name new.example.org;\n    location / { proxy_pass http://127.0.0.1:9000 }\n}\n"); s.expect("/", 200)
@fault
def healthy_sent_to_sign_in(s):
    """nginx asks the sign-in service, which says 401, and sends the visitor there (302): works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); u = s.app(4180, "--status", 401, net=n, name=s.name("oauth2-proxy"), image="field/base:1"); s.nginx(f"    location / {{\n        auth_request /oauth2/auth;\n        error_page 401 = @sign_in;\n        proxy_pass http://{a}:{p};\n        proxy_set_header Host $host;\n    }}\n    location = /oauth2/auth {{\n        internal;\n        proxy_pass http://{u}:4180;\n        proxy_pass_request_body off;\n        proxy_set_header Content-Length \"\";\n    }}\n    location @sign_in {{ return 302 https://auth.{s.site}/oauth2/start?rd=$request_uri; }}", n); s.expect("/", 302, good=(302,))
@fault
def healthy_through_a_tunnel(s):
    """nginx's upstream is the end of an ssh tunnel to a container: works."""
    p = s.port(); q = s.hostport(); s.app(p, publish=[f"127.0.0.1:{q}:{p}"]); t = tunnel(s, q); host_nginx(s, loc(f"http://127.0.0.1:{t}")); s.expect("/", 200)
@fault
def healthy_in_a_system_container(s):
    """The app lives in a network namespace that no engine made; nginx of the host dials its address: works."""
    p = s.port(); b = f"10.{s.rnd.randrange(70, 220)}.{s.rnd.randrange(256)}"; ns = place(s, f"{b}.57"); s.bg("/usr/sbin/ip", "netns", "exec", ns, APP, p, "--name", "gitea"); host_nginx(s, loc(f"http://{b}.57:{p}")); s.expect("/", 200)
@fault
def healthy_vpn_lets_it_in(s):
    """The VPN container's firewall drops all but its control port and the guest's: works."""
    n = s.net(); p = s.port(); v = vpn(s, n, p); guest(s, v, p); s.caddy(caddyfile(s, f"{v}:{p}"), n); shut(s, v, 8000, p); s.expect("/", 200)
@fault
def healthy_new_release_has_no_weight(s):
    """A weighted service whose new release was stopped and has weight 0: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n, name=s.name("blue")); b = s.app(p, net=n, name=s.name("green")); s.traefik(FILES, n, socket=False, files=services(s, "    site:\n      weighted:\n        services:\n          - name: blue\n            weight: 1\n          - name: green\n            weight: 0\n" + balancer("blue", f"http://{a}:{p}") + balancer("green", f"http://{b}:{p}"))); s.ready(); stop(b); s.expect("/", 200)
@fault
def healthy_namesake_crashes(s):
    """A container with nearly the app's name crashes again and again on the same network; the app works."""
    n = s.net(); p = s.port(); w = s.site.split(".")[0]; a = s.app(p, net=n, name=s.name(w)); b = s.app(p, "--die", net=n, name=s.name(w + "-worker"), opts=["--restart", "always"]); s.caddy(caddyfile(s, f"{a}:{p}"), n); loops(s, b); s.expect("/", 200)
@fault
def healthy_breaker_is_closed(s):
    """A circuit breaker, max_conns and a check with a word, and all of them are content: HAProxy before nginx: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n, image="field/base:1"); x = s.nginx(loc("http://pool"), n, http=f"upstream pool {{ zone pool 64k; server {a}:{p} max_conns=20; }}"); s.haproxy(f"frontend web\n    bind :80\n    default_backend app\nbackend app\n    option httpchk\n    http-check send meth GET uri / ver HTTP/1.1 hdr Host {s.site}\n    http-check expect string title\n    server s1 {x}:80 check inter 1s maxconn 50\n", n); time.sleep(3); s.expect("/", 200)
