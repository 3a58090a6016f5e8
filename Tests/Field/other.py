"""A fifth collection, for the same registry, by yet another hand that had read neither the program nor its pages, readers or lab.
A docstring says what is broken and the public thread; `expect` has the first causes that would be right, written before the program
was asked, and whether commands and patches on this machine can mend it. No kind of fault of the four other files comes again."""
import os, signal, subprocess, time
from faults import APP, ENVOY, fault, fpm, guest, host_nginx, loc, vpn
from more import FILES, backend, caddyfile, certificate, compose, node, tls_nginx, variable
from fresh import lighttpd, own_nginx, vhost
from newest import balancer, envoy, page, services, stop
from stage import StagingError, get, sh

NPM_CONF = """user www-data;
worker_processes 1;
pid /run/nginx.pid;
error_log /data/logs/fallback_error.log warn;
events { worker_connections 512; }
http {
  include /etc/nginx/mime.types;
  default_type application/octet-stream;
  proxy_http_version 1.1;
  log_format proxy '[$time_local] $upstream_cache_status $upstream_status $status - $request_method $scheme $host "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $server] "$http_user_agent" "$http_referer"';
  access_log /data/logs/fallback_access.log;
  include /etc/nginx/conf.d/include/resolvers.conf;
  map $host $forward_scheme { default http; }
  include /etc/nginx/conf.d/*.conf;
  include /data/nginx/default_host/*.conf;
  include /data/nginx/proxy_host/*.conf;
}
"""
def npm(s, n, server, port, *, ending="", access="", inside="", name=None): # Nginx Proxy Manager as its image lays it out: a file below /data for each proxy host
    host = f"# ------------------------------------------------------------\n# {s.site}\n# ------------------------------------------------------------\nserver {{\n  set $forward_scheme http;\n  set $server         \"{server}\";\n  set $port           {port};\n\n  listen 80;\n  server_name {s.site};\n\n  access_log /data/logs/proxy-host-1_access.log proxy;\n  error_log /data/logs/proxy-host-1_error.log warn;\n{inside}\n  location / {{\n{access}    # Proxy!\n    include conf.d/include/proxy.conf;\n  }}\n}}\n"
    for f in ("npm/data/logs", "npm/data/nginx/proxy_host", "npm/data/nginx/default_host"): os.makedirs(f"{s.dir}/{f}", exist_ok=True)
    o = s.mount("npm/conf.d/include", "/etc/nginx/conf.d/include", {"resolvers.conf": "resolver 127.0.0.11 valid=10s;\n", "proxy.conf": "add_header       X-Served-By $host;\nproxy_set_header Host $host;\nproxy_set_header X-Forwarded-Scheme $scheme;\nproxy_set_header X-Forwarded-Proto  $scheme;\nproxy_set_header X-Forwarded-For    $proxy_add_x_forwarded_for;\nproxy_set_header X-Real-IP          $remote_addr;\nproxy_connect_timeout 3s;\nproxy_pass       $forward_scheme://$server:$port$request_uri;\n"})
    d = s.file("npm/conf.d/default.conf", "# \"You are not configured\" page, which is the default if another default doesn't exist\nserver {\n  listen 80;\n  server_name localhost-nginx-proxy-manager;\n  set $forward_scheme \"http\";\n  set $server         \"127.0.0.1\";\n  set $port           \"80\";\n  access_log /data/logs/fallback_access.log;\n  error_log /data/logs/fallback_error.log warn;\n  location / { return 404; }\n}\n")
    s.file(f"npm/data/nginx/proxy_host/1.conf{ending}", host); m = s.file("npm/nginx.conf", NPM_CONF); s.hp = s.hostport()
    return s.run("jc21/nginx-proxy-manager:2.11", "nginx", "-g", "daemon off;", name=name or s.name("npm"), net=n, publish=[f"{s.hp}:80"], opts=o + ["-v", f"{d}:/etc/nginx/conf.d/default.conf", "-v", f"{m}:/etc/nginx/nginx.conf", "-v", f"{s.dir}/npm/data:/data"])
def loops(s, a, seconds=25): # waits until a container was started again at least twice
    end = time.time() + seconds
    while time.time() < end:
        if int(sh("docker", "inspect", "-f", "{{.RestartCount}}", a)) > 1: return
        time.sleep(0.5)
    raise StagingError(f"{a} does not start again and again")
def gone(pid):
    try: os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError: pass

# ---------------------------------------------------------------- Nginx Proxy Manager
@fault
def npm_path_in_forward_host(s):
    """`Forward Hostname` has a path behind the name, so NPM dials port 80. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1407"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); npm(s, n, f"{a}/docs", p); s.needs("NPM writes its files itself, so it has to be told", "/docs"); s.expect("/", 502, "route-misconfigured", "wrong-port", mend=False)
@fault
def npm_saved_with_an_error(s):
    """A typing error in the advanced configuration: NPM keeps 1.conf.err, and the site has no file any more. https://github.com/NginxProxyManager/nginx-proxy-manager/pull/5812, https://github.com/NginxProxyManager/nginx-proxy-manager/issues/5735"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); npm(s, n, a, p, ending=".err", inside="\n  proxy_buffer_sizes 128k;\n"); s.needs("the proxy host has to be corrected and saved in NPM", ".err"); s.expect("/", 404, "route-missing", "proxy-config-invalid", mend=False)
@fault
def npm_access_list_sees_the_gateway(s):
    """The access list allows the house's network; NPM sees Docker's gateway instead of the visitor: 403. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/3931, https://github.com/NginxProxyManager/nginx-proxy-manager/issues/3002"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); npm(s, n, a, p, access="    # Access Rules: 1 total\n    allow 192.168.0.0/16;\n    deny all;\n    # Access checks must...\n    satisfy all;\n\n"); s.needs("who may come in, the owner decides", "deny all"); s.expect("/", 403, "route-misconfigured", mend=False)
@fault
def npm_project_has_a_new_folder(s):
    """The project's folder was renamed: Compose made new containers in a new network, the old ones stand stopped in that of NPM. https://github.com/lucaslorentz/caddy-docker-proxy/issues/348, https://github.com/febrezo/docker-compose-networking/issues/1"""
    j, k = s.name("wiki"), s.name("docs"); n, m = s.net(j + "_default"), s.net(k + "_default"); p = s.port()
    web = lambda project, net, title: s.run("gitea/gitea:1.22", "app", str(p), "--name", title, name=f"{project}-web-1", net=net, opts=["--network-alias", "web"], labels=compose(project, "web", s.dir))
    stop(web(j, n, "gitea-before")); web(k, m, "gitea"); s.mark = "<title>gitea</title>"; npm(s, n, "web", p); s.expect("/", {502, 504}, "network-mismatch", mend=True)
@fault
def npm_other_machine_is_off(s):
    """The proxy host leads to another machine of the LAN, which is switched off: Host is unreachable (113). https://github.com/toomuchio/plex-nginx-reverseproxy/issues/30, https://github.com/nginx/docker-nginx/issues/729"""
    n = s.net(); x = f"192.0.2.{s.rnd.randrange(60, 200)}"; npm(s, n, x, 8096); s.needs("the other machine is off or has another address", x); s.expect("/", {502, 504}, "backend-stopped", "stale-address", mend=False)
@fault
def npm_app_has_a_folder_for_a_file(s):
    """The app's settings file was not there at the first start, so Docker made a folder of it: EISDIR, again and again. https://github.com/deviantony/docker-elk/issues/831, https://github.com/sgasser/pasteguard/issues/2"""
    n = s.net(); a = node(s, "const config = fs.readFileSync('/etc/board/config.yml', 'utf8');\n" + page("board") + ".listen(3000);\n", net=n, name=s.name("board"), opts=["-v", f"{s.dir}/config.yml:/etc/board/config.yml", "--restart", "unless-stopped"]); loops(s, a); npm(s, n, a, 3000); s.needs("the settings are the owner's", f"docker logs --tail 50 {a}"); s.expect("/", {502, 504}, "backend-crash-loop", mend=False)

# ---------------------------------------------------------------- nginx
@fault
def nginx_location_for_static_files(s):
    """`location ~* \\.(js|css|png)$` was copied for its cache times and has no proxy_pass: the app's scripts are 404. https://github.com/digitalocean/nginxconfig.io/issues/58, https://github.com/writefreely/writefreely/issues/404"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    location ~* \\.(?:css|js|png|svg|woff2?)$ {\n        expires 7d;\n        access_log off;\n    }\n" + loc(f"http://{a}:{p}"), n); s.expect("/assets/index-4f2c.js", 404, "route-misconfigured", mend=True)
@fault
def nginx_uri_in_a_regex_location(s):
    """proxy_pass with a slash in a location with `~`: cannot have URI part, nginx does not start. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1789, https://github.com/hrfee/jfa-go/issues/211"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}") + f"\n    location ~ ^/accounts(.*)$ {{\n        proxy_pass http://{a}:{p}/accounts/;\n    }}", n, opts=["--restart", "always"]); time.sleep(3); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=True)
@fault
def nginx_checks_the_name_of_the_block(s):
    """proxy_ssl_verify compares the app's certificate with the name of the upstream block. https://github.com/kubernetes/ingress-nginx/issues/4928, https://github.com/IBM/mcp-context-forge/pull/2581"""
    n = s.net(); p = s.port(); a = tls_nginx(s, n, p, "gateway"); s.nginx(f"    location / {{\n        proxy_pass https://gateway_backend;\n        proxy_ssl_verify on;\n        proxy_ssl_trusted_certificate /certs/{a}.crt;\n        proxy_set_header Host $host;\n    }}", n, http=f"upstream gateway_backend {{\n    server {a}:{p};\n}}", opts=["-v", f"{s.dir}/certs:/certs"]); s.expect("/", 502, "untrusted-certificate", mend=True)
@fault
def nginx_auth_service_has_a_new_path(s):
    """After an update the auth service answers elsewhere: 404 for auth_request, and so 500 for everybody. https://github.com/goauthentik/authentik/issues/12552, https://github.com/linuxserver/reverse-proxy-confs/issues/203 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); u = node(s, "http.createServer((q, r) => { const ok = q.url === '/api/authz/auth-request'; if (!ok) console.log('level=error msg=\"not found\" method=GET path=' + q.url); r.writeHead(ok ? 200 : 404, html); r.end(page(ok ? 'ok' : 'Not Found')); }).listen(9091);\n", net=n, name=s.name("authelia")); time.sleep(1)
    s.nginx(f"    location / {{\n        auth_request /verify;\n        proxy_pass http://{a}:{p};\n        proxy_set_header Host $host;\n    }}\n    location = /verify {{\n        internal;\n        proxy_pass http://{u}:9091/api/verify;\n        proxy_pass_request_body off;\n        proxy_set_header Content-Length \"\";\n    }}", n); s.needs("the new path stands in the auth service's documentation", "/api/verify", "404"); s.expect("/", 500, "auth-service-down", "route-misconfigured", mend=False)
@fault
def nginx_takes_the_name_from_the_subdomain(s):
    """One server for all: the subdomain is the container's name, and this container has another. https://github.com/linuxserver/reverse-proxy-confs/issues/282"""
    n = s.net(); p = s.port(); first, rest = s.site.split(".", 1); s.app(p, name=s.name(first + "-server"), net=n)
    s.nginx(f"    resolver 127.0.0.11 valid=5s; resolver_timeout 3s;\n    location / {{\n        proxy_pass http://$app:{p};\n        proxy_set_header Host $host;\n    }}", n, site='"~^(?<app>[^.]+)\\.' + rest.replace(".", "\\.") + '$"'); s.expect("/", 502, "name-not-found", mend=True)
@fault
def nginx_image_without_root(s):
    """The new image of nginx listens on 8080, and 80 is still what is published: the connection is reset. https://github.com/KotskinKotskin/camunda-excamad/issues/40, https://github.com/frappe/frappe_docker/pull/576"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.hp = s.hostport(); s.run("nginx:1.27", name=s.name("nginx"), net=n, publish=[f"{s.hp}:80"], opts=s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen 8080;\n    server_name {s.site};\n{loc(f'http://{a}:{p}')}\n}}\n"})); s.expect("/", None, "wrong-port", "port-not-published", mend=True)
@fault
def nginx_old_device_has_a_short_key(s):
    """A device of 2012 offers Diffie-Hellman with 1024 bits: dh key too small. https://github.com/seanmonstar/reqwest/issues/1027, https://github.com/jnunemaker/httparty/issues/664"""
    n = s.net(); a = s.name("nvr"); d = certificate(s, a); sh("openssl", "dhparam", "-dsaparam", "-out", d + "/dh.pem", "1024"); os.chmod(d + "/dh.pem", 0o644)
    tls_nginx(s, n, 8443, "nvr", name=a, extra="ssl_protocols TLSv1.2;\nssl_ciphers DHE-RSA-AES256-SHA:@SECLEVEL=0;\nssl_dhparam /certs/dh.pem;\n"); s.nginx(loc(f"https://{a}:8443"), n); s.expect("/", 502, "tls-handshake-failed", mend=True)
@fault
def nginx_does_not_say_https(s):
    """TLS ends at nginx, which sends no X-Forwarded-Proto: the app sends everybody to https, where they are: a loop. https://github.com/BustByte/coronastatus/issues/366, https://github.com/cookiecutter/cookiecutter-django/issues/1173"""
    n = s.net(); p = s.port(); s.hp = s.hostport(); d = certificate(s, s.site); a = node(s, f"http.createServer((q, r) => {{ if (q.headers['x-forwarded-proto'] !== 'https') {{ r.writeHead(301, {{ Location: 'https://{s.site}:{s.hp}' + q.url }}); return r.end(); }} r.writeHead(200, html); r.end(page('shop')); }}).listen({p});\n", net=n, name=s.name("shop")); time.sleep(1)
    s.run("nginx:1.27", name=s.name("nginx"), net=n, publish=[f"{s.hp}:443"], opts=s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen 443 ssl;\n    server_name {s.site};\n    ssl_certificate /certs/{s.site}.crt;\n    ssl_certificate_key /certs/{s.site}.key;\n{loc(f'http://{a}:{p}')}\n}}\n"}) + ["-v", f"{d}:/certs"]); s.expect("/", 301, "route-misconfigured", mend=True, url=f"https://{s.site}:{s.hp}/")
@fault
def nginx_socket_is_a_folder(s):
    """nginx's container was started first, so Docker made a folder where the app's socket should be. https://github.com/docker-archive/docker-ce/pull/48, https://github.com/moby/moby/issues/30348"""
    n = s.net(); u = f"{s.dir}/run/app.sock"; s.nginx(loc("http://django"), n, http="upstream django { server unix:/run/django/app.sock fail_timeout=0; }\n", opts=["-v", f"{u}:/run/django/app.sock"]); s.bg(APP, 0, "--unix", u, "--name", "puma"); time.sleep(1); s.needs("how the app is started, its owner knows", "app.sock"); s.expect("/", 502, "socket-unavailable", mend=False)
@fault
def nginx_has_the_socket_from_before(s):
    """The socket is mounted as one file; the app was restarted and made a new one, nginx's container has the old. https://github.com/Dstack-TEE/dstack/pull/471, https://github.com/moby/moby/issues/31403"""
    n = s.net(); u = f"{s.dir}/run/app.sock"; os.makedirs(f"{s.dir}/run"); b = s.bg(APP, 0, "--unix", u, "--name", "puma"); time.sleep(1); os.chmod(u, 0o777); s.nginx(loc("http://django"), n, http="upstream django { server unix:/run/django/app.sock fail_timeout=0; }\n", opts=["-v", f"{u}:/run/django/app.sock"]); s.ready()
    gone(b.pid); b.wait(); s.bg(APP, 0, "--unix", u, "--name", "puma"); time.sleep(1); os.chmod(u, 0o777); s.expect("/", 502, "socket-unavailable", mend=True)
@fault
def nginx_page_breaks_off(s):
    """The app fails in the middle of a page and hangs up: prematurely closed while reading upstream. https://github.com/nginx-proxy/nginx-proxy/issues/284, https://github.com/kubernetes/ingress-nginx/issues/1971"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(200, html); r.write(page('catalogue') + ' '.repeat(6000)); setTimeout(() => {{ console.error(new Date().toISOString() + ' TypeError: Cannot read properties of null (reading \\'price\\')'); q.socket.destroy(); }}, 300); }}).listen({p});\n", net=n, name=s.name("catalogue")); time.sleep(1); s.nginx(loc(f"http://{a}:{p}", "        proxy_http_version 1.1;\n"), n); s.needs("the app's own error", f"docker logs --tail 50 {a}"); s.expect("/", None, "connection-dropped", "app-error", mend=False)
@fault
def nginx_hands_html_to_php(s):
    """nginx hands .html to php-fpm, which runs .php only: Access denied, security.limit_extensions. https://github.com/firefly-iii/firefly-iii/issues/2200, https://github.com/Eugeny/ajenti-v/issues/231"""
    n = s.net(); a = fpm(s, n, "<?php echo '<title>shop</title>ok';\n"); s.file("html/about.html", "<title>About</title>\n"); time.sleep(1)
    s.nginx("    root /var/www/html;\n    index index.php;\n    location / {\n        include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME /var/www/html$fastcgi_script_name;\n        fastcgi_pass " + a + ":9000;\n    }", n, opts=["-v", f"{s.dir}/html:/var/www/html"]); s.needs("what PHP may run, the owner decides", "limit_extensions"); s.expect("/about.html", 403, "app-error", "route-misconfigured", mend=False)
@fault
def nginx_worker_killed_for_memory(s):
    """The container has too little memory for one page: the kernel kills the worker, the master lives and makes a new one. https://github.com/benoitc/gunicorn/issues/1663, https://github.com/canonical/snapcraft.io/pull/5754"""
    n = s.net(); p = s.port(); a = node(s, "const cluster = require('cluster');\nif (cluster.isPrimary) { cluster.fork(); cluster.on('exit', (w, c, g) => { console.error('[ERROR] Worker (pid:' + w.process.pid + ') was sent ' + g + '! Perhaps out of memory?'); cluster.fork(); }); } else {\n  http.createServer((q, r) => { if (!q.url.startsWith('/report')) { r.writeHead(200, html); return r.end(page('figures')); }\n    const keep = []; const t = setInterval(() => { keep.push(Buffer.alloc(8 << 20, 1)); if (keep.length > 30) { clearInterval(t); r.writeHead(200, html); r.end(page('figures')); } }, 15); }).listen(" + str(p) + ");\n}\n", net=n, name=s.name("figures"), opts=["--memory", "190m", "--memory-swap", "190m"])
    s.nginx(loc(f"http://{a}:{p}"), n); s.ready(); s.expect("/report/2026", 502, "backend-out-of-memory", mend=True)
@fault
def nginx_in_one_container_with_a_dead_app(s):
    """nginx and the app share a container; the app was killed, and nobody starts it again as the container runs on. https://github.com/bitpressio/docker-for-php-developers-errata/issues/20, https://github.com/toniher/docker-SemanticMediaWiki/issues/9"""
    n = s.net(); p = s.port(); c = s.nginx(loc(f"http://127.0.0.1:{p}"), n, cmd=["sh", "-c", f"app {p} 127.0.0.1 --name semantic & echo $! > /run/app.pid; exec nginx -g 'daemon off;'"], name=s.name("semantic")); s.ready(); sh("docker", "exec", c, "sh", "-c", "kill -9 $(cat /run/app.pid)"); s.expect("/", 502, "backend-stopped", mend=True)
@fault
def uwsgi_has_no_application(s):
    """uWSGI runs and has loaded no application: 500 for every page. https://github.com/baruwaproject/baruwa/issues/77, https://github.com/loris-imageserver/loris/issues/458"""
    q = s.hostport(); f = s.file("wsgi.py", "import loris_settings\ndef application(e, r):\n    r('200 OK', [('Content-Type', 'text/html')])\n    return [b'<title>loris</title>']\n"); s.bg("/usr/bin/uwsgi-core", "--plugin", "/usr/lib/uwsgi/plugins/python311_plugin.so", "--uwsgi-socket", f"127.0.0.1:{q}", "--wsgi-file", f, "--master", "--die-on-term", "--logto", f"{s.dir}/uwsgi.log"); time.sleep(2)
    own_nginx(s, f"    location / {{ include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:{q}; }}"); s.needs("the app's own error", "log"); s.expect("/", 500, "app-error", mend=False)
@fault
def published_on_v6_loopback(s):
    """The port is published on [::1], nginx of the host dials 127.0.0.1. https://github.com/libredb/libredb-studio/issues/432 (kind)"""
    p = s.port(); q = s.hostport(); s.app(p, publish=[f"[::1]:{q}:{p}"]); host_nginx(s, loc(f"http://127.0.0.1:{q}")); s.expect("/", 502, "port-not-published", "ipv6-mismatch", mend=True)

# ---------------------------------------------------------------- Traefik
def route(s, rule, url, extra=""): return {"site.yml": f"http:\n  routers:\n    site:\n      rule: {rule}\n      service: site\n{extra}  services:\n    site:\n      loadBalancer:\n        servers:\n          - url: {url}\n"}
@fault
def traefik_router_is_for_tls(s):
    """The router has `tls`, so it is for https only; over http there is 404. https://github.com/traefik/traefik/issues/5442, https://github.com/traefik/traefik/issues/10930"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.traefik(FILES, n, socket=False, files=route(s, f"Host(`{s.site}`)", f"http://{a}:{p}", "      tls: {}\n")); s.expect("/", 404, "route-misconfigured", "address-mistyped", "route-missing", mend=True)
@fault
def traefik_path_is_exact(s):
    """`Path` instead of `PathPrefix`: only the first page has a route. https://github.com/traefik/traefik/issues/2551, https://github.com/traefik/traefik/issues/2278"""
    n = s.net(); p = s.port(); b = "/" + s.rnd.choice(["auth", "solr", "machine"]); a = s.app(p, "--base", b, net=n); s.traefik(FILES, n, socket=False, files=route(s, f"Host(`{s.site}`) && Path(`{b}`)", f"http://{a}:{p}")); s.ready(path=b); s.expect(b + "/swagger", 404, "route-misconfigured", "route-missing", mend=True)
@fault
def traefik_users_without_a_hash(s):
    """The variable with basicauth's users was never put in: error parsing BasicUser, and 404. https://github.com/traefik/traefik/issues/8571"""
    n = s.net(); p = s.port(); m = s.name("admin-auth"); s.app(p, net=n, labels=s.labels(p, extra=[f"traefik.http.middlewares.{m}.basicauth.users=BASIC_AUTH_PW", f"traefik.http.routers.ROUTER.middlewares={m}"])); s.traefik(s.docker_provider(), n); s.needs("the password is the owner's", m); s.expect("/", 404, "route-misconfigured", mend=False)
@fault
def traefik_service_has_a_new_name(s):
    """A route of the file leads to a service that Docker's labels name otherwise since the folder was renamed. https://github.com/georchestra/docker/issues/175, https://github.com/traefik/traefik/issues/8732"""
    n = s.net(); p = s.port(); w = s.name("static-geor"); s.app(p, net=n, labels=["traefik.enable=true", f"stack={s.tag}", f"traefik.http.services.{w}.loadbalancer.server.port={p}", f"traefik.http.routers.{w}.rule=Host(`internal.{s.site}`)"])
    s.traefik(FILES + s.docker_provider(), n, files={"site.yml": f"http:\n  routers:\n    site:\n      rule: Host(`{s.site}`)\n      service: static-docker@docker\n"}); s.expect("/", 404, "route-misconfigured", mend=True)
@fault
def traefik_gives_up_early(s):
    """The transport waits 2 s for the header, the report takes 5: 504. https://github.com/traefik/traefik/issues/6607, https://github.com/traefik/traefik/issues/10485"""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 5, net=n); s.traefik(FILES, n, socket=False, files={"site.yml": f"http:\n  routers:\n    site:\n      rule: Host(`{s.site}`)\n      service: site\n  services:\n    site:\n      loadBalancer:\n        serversTransport: careful\n        servers:\n          - url: http://{a}:{p}\n  serversTransports:\n    careful:\n      forwardingTimeouts:\n        responseHeaderTimeout: 2s\n"}); s.expect("/", 504, "timeout-too-short", slow=6, mend=True)
@fault
def traefik_first_check_in_five_minutes(s):
    """The image's health check runs every five minutes, so Traefik leaves the app out until the first. https://github.com/IgnisDa/ryot/issues/543, https://github.com/johannesschaefer/webnettools/issues/4"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p), opts=["--health-cmd", f"wget -q -O /dev/null http://127.0.0.1:{p}/", "--health-interval", "5m"]); s.traefik(s.docker_provider(), n); s.needs("the image's check is its owner's, and time mends it", "health"); s.expect("/", 404, "backend-starting", "backend-unhealthy", mend=False)
@fault
def traefik_inner_proxy_has_lost_the_api(s):
    """The stack has its own nginx behind Traefik; the page is there, and the API behind that nginx has exited. https://github.com/Monogramm/docker-taiga/issues/17, https://github.com/faloker/purify/issues/10"""
    n = s.net(); m = s.net("taiga"); p = s.port(); a = s.app(p, name=s.name("back"), net=m); i = s.mount("front", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen 80 default_server;\n    server_name _;\n    location /api/ {{\n        proxy_pass http://{a}:{p};\n        proxy_set_header Host $host;\n        proxy_connect_timeout 3s;\n    }}\n    location / {{\n        default_type text/html;\n        return 200 '<title>front</title>';\n    }}\n}}\n"})
    w = s.run("nginx:1.27", name=s.name("front"), net=m, opts=i); s.join(n, w); s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{w}:80"))); s.ready(path="/api/v1/"); stop(a); s.expect("/api/v1/", {502, 504}, "backend-stopped", mend=True)

# ---------------------------------------------------------------- Caddy
@fault
def caddy_asks_the_company_proxy(s):
    """HTTP_PROXY stands in every container's environment, and Caddy sends what is for the app there. https://github.com/caddyserver/caddy/issues/6132, https://github.com/caddyserver/caddy/issues/6538"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(caddyfile(s, f"{a}:{p}"), n, opts=["-e", f"HTTP_PROXY=http://{s.gateway(n)}:3128", "-e", "NO_PROXY=localhost"]); s.needs("where the variable comes from, its owner knows", "HTTP_PROXY"); s.expect("/", 502, "route-misconfigured", mend=False)
@fault
def caddy_without_admin(s):
    """`admin off`: each reload fails, and the corrected file was never read. https://github.com/caddyserver/caddy/issues/3234, https://github.com/NixOS/nixpkgs/issues/275516"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); t = lambda q: "{\n\tadmin off\n}\n" + caddyfile(s, f"{a}:{q}"); c = s.caddy(t(p + 4), n); s.ready(502); time.sleep(1); s.file("caddy/Caddyfile", t(p)); sh("docker", "exec", c, "caddy", "reload", "--config", "/etc/caddy/Caddyfile", check=False); s.expect("/", 502, "config-not-reloaded", mend=True)
@fault
def caddy_php_fastcgi_to_http(s):
    """php_fastcgi leads to the image with Apache, which speaks HTTP: fcgi: invalid header version. https://github.com/php/frankenphp/issues/570, https://github.com/multiOTP/multiotp/issues/229"""
    n = s.net(); p = s.port(); a = node(s, page("nextcloud") + f".listen({p});\n", name=s.name("nextcloud"), net=n); s.file("html/index.php", "<?php\n"); time.sleep(1); s.caddy(f"http://{s.site} {{\n\troot * /srv/html\n\tphp_fastcgi {a}:{p}\n}}\n", n, opts=["-v", f"{s.dir}/html:/srv/html"]); s.expect("/", 502, "protocol-mismatch", mend=True)
@fault
def caddy_one_missing_icon(s):
    """`unhealthy_status 404` and a missing icon: Caddy takes the only app out for ten minutes. https://github.com/caddyserver/caddy/issues/4949 (kind), https://github.com/psviderski/uncloud/issues/70 (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ const ok = q.url !== '/favicon.ico'; r.writeHead(ok ? 200 : 404, html); r.end(page(ok ? 'planner' : 'Not Found')); }}).listen({p});\n", net=n, name=s.name("planner")); time.sleep(1); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p} {{\n\t\tfail_duration 10m\n\t\tmax_fails 1\n\t\tunhealthy_status 404\n\t}}\n}}\n", n); s.ready(); get(f"http://{s.site}:{s.hp}/favicon.ico"); s.expect("/", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def caddy_vite_blocks_the_host(s):
    """Vite's preview server answers 403 to a host that is not in allowedHosts. https://github.com/coleam00/Archon/issues/490, https://github.com/bluewave-labs/Checkmate/issues/3397"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { const h = (q.headers.host || '').replace(/:\\d+$/, ''); if (h !== 'localhost' && !/^[\\d.]+$/.test(h)) { r.writeHead(403, { 'Content-Type': 'text/plain' }); return r.end(`Blocked request. This host (\"${h}\") is not allowed.\\nTo allow this host, add \"${h}\" to \\`preview.allowedHosts\\` in vite.config.js.`); } r.writeHead(200, html); r.end(page('archon')); }).listen(4173);\n", net=n, name=s.name("archon")); time.sleep(1); s.caddy(caddyfile(s, f"{a}:4173"), n); s.needs("the app's own setting", "allowedHosts"); s.expect("/", 403, "app-error", "route-misconfigured", mend=False)
@fault
def caddy_app_without_its_variable(s):
    """The file with the variables was not taken along: the app ends at once, again and again. https://github.com/wiamsuri/django-gunicorn-nginx-docker/issues/1, https://github.com/TandoorRecipes/recipes/issues/2123 (kind)"""
    n = s.net(); p = s.port(); a = node(s, "if (!process.env.DATABASE_URL) { console.error('Error: environment variable DATABASE_URL is not set'); process.exit(78); }\n" + page("mysite") + f".listen({p});\n", net=n, name=s.name("mysite"), opts=["--restart", "always"]); loops(s, a); s.caddy(caddyfile(s, f"{a}:{p}"), n); s.needs("the value is the owner's", f"docker logs --tail 50 {a}"); s.expect("/", {502, 504}, "backend-crash-loop", mend=False)
@fault
def caddy_database_of_an_older_version(s):
    """The database's image was updated and does not take the old files; the app waits for it and does not listen. https://github.com/TandoorRecipes/recipes/issues/2750, https://github.com/xirixiz/dsmr-reader-docker/issues/155"""
    n = s.net(); p = s.port(); j = s.name("recipes"); d = s.run("field/base:1", "sh", "-c", "echo 'PostgreSQL Database directory appears to contain a database; Skipping initialization'; echo 'FATAL:  database files are incompatible with server' >&2; echo 'DETAIL:  The data directory was initialized by PostgreSQL version 15, which is not compatible with this version 16.3.' >&2; exit 1", name=f"{j}-db-1", net=n, opts=["--restart", "always", "--network-alias", "db"], labels=compose(j, "db", s.dir))
    a = s.run("field/base:1", "sh", "-c", f"until nc -z db 5432 2>/dev/null; do echo 'Waiting for database...'; sleep 2; done; exec app {p} --name recipes", name=f"{j}-web-1", net=n, labels=compose(j, "web", s.dir)); loops(s, d); s.caddy(caddyfile(s, f"{a}:{p}"), n); s.needs("the database has to be brought over by its owner", d); s.expect("/", 502, "backend-crash-loop", "backend-starting", mend=False)

# ---------------------------------------------------------------- HAProxy
@fault
def haproxy_path_gets_two_slashes(s):
    """regsub puts a slash where one is already: the app gets //v1. https://github.com/canonical/landscape-documentation/pull/346, https://github.com/d2iq-archive/marathon-lb/issues/284"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ const ok = q.url === '/' || q.url.startsWith('/v1/'); r.writeHead(ok ? 200 : 404, html); r.end(page(ok ? 'debarchive' : 'Not Found')); }}).listen({p});\n", net=n, name=s.name("debarchive")); time.sleep(1); s.haproxy(f"frontend web\n    bind :80\n    use_backend debarchive if {{ path_beg /debarchive }}\nbackend debarchive\n    http-request set-path %[path,regsub(^/debarchive,/)]\n    server s1 {a}:{p}\n", n); s.expect("/debarchive/v1/mirrors", 404, "path-rewrite-wrong", mend=True)
@fault
def haproxy_asks_the_wrong_name(s):
    """HAProxy ends TLS itself, where `req_ssl_sni` is always empty (it would be ssl_fc_sni): 503, <NOSRV>. https://github.com/opnsense/plugins/issues/1365"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); d = certificate(s, s.site); open(f"{d}/site.pem", "w").write(open(f"{d}/{s.site}.crt").read() + open(f"{d}/{s.site}.key").read()); s.hp = s.hostport(); o = s.mount("haproxy", "/usr/local/etc/haproxy", {"haproxy.cfg": f"global\n    log stdout format raw local0\ndefaults\n    mode http\n    log global\n    option httplog\n    timeout connect 3s\n    timeout client 40s\n    timeout server 40s\nfrontend tls\n    bind :443 ssl crt /certs/site.pem\n    use_backend app if {{ req_ssl_sni -i {s.site} }}\nbackend app\n    server s1 {a}:{p}\n"})
    s.run("haproxy:3.0", name=s.name("haproxy"), net=n, opts=o + ["-v", f"{d}:/certs"], publish=[f"{s.hp}:443"]); s.expect("/", 503, "route-misconfigured", mend=True, url=f"https://{s.site}:{s.hp}/")
@fault
def haproxy_twice_on_one_port(s):
    """After the reload the HAProxy from before still listens, with the old file: every other request fails. https://github.com/d2iq-archive/marathon-lb/issues/71, https://github.com/docker-archive/dockercloud-haproxy/issues/172"""
    q, w = s.hostport(), s.hostport(); s.hp = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "billing"); t = lambda x: f"global\n    maxconn 500\n    pidfile {s.dir}/haproxy.pid\ndefaults\n    mode http\n    timeout connect 3s\n    timeout client 30s\n    timeout server 30s\nfrontend web\n    bind :{s.hp}\n    default_backend app\nbackend app\n    server a 127.0.0.1:{x}\n"
    f = s.file("haproxy.cfg", t(w)); s.bg("/usr/sbin/haproxy", "-W", "-db", "-f", f); s.ready(503); time.sleep(2); s.file("haproxy.cfg", t(q)); s.bg("/usr/sbin/haproxy", "-W", "-db", "-f", f); time.sleep(1); s.expect("/", "mixed", "config-not-reloaded", mend=True)
@fault
def haproxy_address_has_another_tenant(s):
    """The app has a fixed address; after a reboot another container got it first, and the app could not start: Address already in use. https://github.com/moby/moby/issues/49781, https://github.com/pyouroboros/ouroboros/issues/254"""
    n = s.net(); x = s.subnet.rsplit(".", 1)[0] + ".40"; p = s.port(); a = s.app(p, net=n, image="ghost:5", opts=["--ip", x]); s.mark = "<title>ghost</title>"; stop(a); s.app(6379, name=s.name("queue"), image="field/base:1", net=n, opts=["--ip", x]); sh("docker", "start", a, check=False); s.haproxy(backend(f"{x}:{p}"), n); s.needs("which of the two keeps the address, the owner decides", a); s.expect("/", 503, "backend-stopped", "stale-address", mend=False)
@fault
def haproxy_two_guests_want_one_port(s):
    """Two guests of one VPN container want the same port for their figures: the second ends, again and again. https://github.com/passteque/gluetun/issues/1254"""
    n = s.net(); p = s.port(); v = vpn(s, n, p); guest(s, v, 9100, name=s.name("rtorrent")); s.mark = "<title>rutorrent</title>"; a = node(s, f"http.createServer((q, r) => r.end('figures')).listen(9100, () => {page('rutorrent')}.listen({p}));\n", net="container:" + v, name=s.name("rutorrent"), opts=["--restart", "always"]); loops(s, a); s.haproxy(backend(f"{v}:{p}"), n); s.needs("which of the two keeps the port, the owner decides", f"docker logs --tail 50 {a}"); s.expect("/", 503, "backend-crash-loop", mend=False)
@fault
def haproxy_counts_the_proxy_before_it(s):
    """HAProxy counts the requests of each address, and sees one only: that of the nginx before it. 429 for everybody. https://github.com/avandeputte/haproxy-manager/issues/1 (kind), https://github.com/nearai/ironclaw/issues/6184 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); h = s.haproxy(f"frontend web\n    bind :80\n    stick-table type ip size 10k expire 10m store http_req_rate(10m)\n    http-request track-sc0 src\n    http-request deny deny_status 429 if {{ sc_http_req_rate(0) gt 20 }}\n    default_backend app\nbackend app\n    server s1 {a}:{p}\n", n); s.nginx(loc(f"http://{h}:80"), n); s.ready()
    for _ in range(24): get(f"http://{s.site}:{s.hp}/", 5)
    s.needs("how many are fine, the owner decides", "429"); s.expect("/", 429, "proxy-limit", "route-misconfigured", mend=False)

# ---------------------------------------------------------------- Apache
@fault
def apache_one_long_cookie(s):
    """One cookie of the sign-in is longer than Apache takes from an app: AH10124, ResponseFieldSize. https://github.com/opnsense/plugins/issues/5009"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(200, {{ ...html, 'Set-Cookie': 'sts-external=' + 'k'.repeat(12000) }}); r.end(page('desk')); }}).listen({p});\n", net=n, name=s.name("desk")); time.sleep(1); s.httpd(vhost(s, f"    ProxyPass / http://{a}:{p}/\n    ProxyPassReverse / http://{a}:{p}/\n"), n); s.expect("/", 502, "response-header-too-large", mend=True)
@fault
def apache_path_was_left_out(s):
    """`ProxyPass /uploads !` is left from when Apache had the files itself: they are 404. https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(vhost(s, f"    ProxyPass /uploads !\n    ProxyPass / http://{a}:{p}/\n    ProxyPassReverse / http://{a}:{p}/\n"), n); s.expect("/uploads/2026/logo.png", 404, "route-misconfigured", mend=True)
@fault
def apache_tomcat_wants_a_secret(s):
    """Since an update Tomcat does not start its AJP connector without a secret; its web port is there. https://github.com/robertdebock/ansible-role-tomcat/issues/23, https://github.com/spring-projects/spring-boot/issues/20377"""
    n = s.net(); a = node(s, "console.error('SEVERE [main] org.apache.catalina.util.LifecycleBase.handleSubClassException Failed to start component [Connector[AJP/1.3-8009]]');\nconsole.error('Caused by: java.lang.IllegalArgumentException: The AJP Connector is configured with secretRequired=\"true\" but the secret attribute is either null or \"\". This combination is not valid.');\n" + page("tomcat") + ".listen(8080, () => console.log('Starting ProtocolHandler [\"http-nio-8080\"]'));\n", net=n, name=s.name("tomcat")); time.sleep(1); s.httpd("LoadModule proxy_ajp_module modules/mod_proxy_ajp.so\n" + vhost(s, f"    ProxyPass / ajp://{a}:8009/ retry=0\n"), n); s.expect("/", 503, "wrong-port", mend=True)

# ---------------------------------------------------------------- Envoy, lighttpd
@fault
def envoy_throws_out_its_only_host(s):
    """outlier_detection may eject all, and one page answered 500: no healthy upstream for ten minutes. https://github.com/envoyproxy/envoy/issues/10770, https://github.com/istio/istio/issues/8846"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ const ok = q.url !== '/broken'; r.writeHead(ok ? 200 : 500, html); r.end(page(ok ? 'orders' : 'Internal Server Error')); }}).listen({p});\n", net=n, name=s.name("orders")); time.sleep(1); envoy(s, n, a, p, "    common_lb_config: { healthy_panic_threshold: { value: 0 } }\n    outlier_detection: { consecutive_5xx: 1, interval: 1s, base_ejection_time: 600s, max_ejection_percent: 100 }\n"); s.ready()
    for _ in range(3): get(f"http://{s.site}:{s.hp}/broken")
    s.expect("/", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def envoy_name_in_a_static_cluster(s):
    """type: STATIC with a name for an address: malformed IP address, Envoy does not start. https://github.com/envoyproxy/envoy/issues/2655, https://github.com/envoyproxy/gateway/issues/2832"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster="").replace("STRICT_DNS", "STATIC"), n, opts=["--restart", "unless-stopped"]); time.sleep(3); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=True)
@fault
def envoy_app_may_not_have_port_80(s):
    """The image does not run as root any more and still wants port 80: EACCES, again and again. https://github.com/streetwriters/notesnook-sync-server/issues/5, https://github.com/taskcluster/taskcluster/pull/8265"""
    n = s.net(); a = node(s, page("identity") + ".listen(80, '0.0.0.0');\n", net=n, name=s.name("identity"), opts=["--user", "1000:1000", "--sysctl", "net.ipv4.ip_unprivileged_port_start=1024", "--cap-drop", "NET_BIND_SERVICE", "--restart", "always"]); loops(s, a); envoy(s, n, a, 80); s.needs("which port or user it has, the owner decides", f"docker logs --tail 50 {a}"); s.expect("/", 503, "backend-crash-loop", mend=False)
@fault
def lighttpd_last_block_wins(s):
    """A block for all names stands behind the site's, and the last one counts; what it leads to was stopped. https://github.com/netdata/netdata/issues/4018 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n, name=s.name("parking")); x = s.ip(b); lighttpd(s, n, f'    proxy.server = ( "" => (( "host" => "{s.ip(a)}", "port" => {p} )) )\n}}\n$HTTP["host"] =~ "." {{\n    proxy.server = ( "" => (( "host" => "{x}", "port" => {p}, "connect-timeout" => 3 )) )'); s.ready(); stop(b); s.expect("/", {503, 504}, "route-misconfigured", "backend-stopped", "stale-address", mend=True)
@fault
def lighttpd_to_a_page_with_tls(s):
    """The app speaks TLS only, and lighttpd cannot speak it to an app: 400, plain HTTP to an HTTPS port. https://github.com/Libresonic/libresonic/issues/305 (kind), https://github.com/NginxProxyManager/nginx-proxy-manager/issues/2099"""
    n = s.net(); a = tls_nginx(s, n, 8443, "omada"); lighttpd(s, n, f'    proxy.server = ( "" => (( "host" => "{s.ip(a)}", "port" => 8443 )) )'); s.needs("lighttpd has no TLS for what stands behind it", "TLS"); s.expect("/", 400, "http-to-https-backend", mend=False)

# ---------------------------------------------------------------- healthy, and it looks strange
@fault
def healthy_other_backend_down(s):
    """HAProxy's other site is down, its log and its checks say so all the time; this one works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, net=n); s.haproxy(f"frontend web\n    bind :80\n    use_backend old if {{ hdr_beg(host) -i old. }}\n    default_backend app\nbackend old\n    server s1 {b}:{p} check inter 1s fall 1\nbackend app\n    server s1 {a}:{p} check inter 1s\n", n); s.ready(); stop(b); time.sleep(3); o = s.host("old." + s.site); [get(f"http://{o}:{s.hp}/", 5) for _ in range(4)]; s.expect("/", 200)
@fault
def healthy_socket_wants_an_upgrade(s):
    """The address is one for WebSocket and says 426 to a browser: works."""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(426, {{ 'Content-Type': 'text/plain', Upgrade: 'websocket', Connection: 'Upgrade' }}); r.end('Upgrade Required'); }}).listen({p});\n", net=n, name=s.name("signal")); time.sleep(1); s.caddy(caddyfile(s, f"{a}:{p}"), n); s.expect("/ws", 426, good=(426,))
@fault
def healthy_page_drips(s):
    """The page comes a line a second for 8 s, nginx waits 3 s between two: works."""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(200, html); r.write(page('progress')); let k = 0; const t = setInterval(() => {{ r.write('<p>' + k + '</p>\\n'); if (++k > 7) {{ clearInterval(t); r.end(); }} }}, 1000); }}).listen({p});\n", net=n, name=s.name("progress")); time.sleep(1); s.nginx(loc(f"http://{a}:{p}", "        proxy_read_timeout 3s;\n        proxy_buffering off;\n"), n); s.expect("/", 200, slow=10)
@fault
def healthy_app_has_ipv6_only(s):
    """The app listens on IPv6 only, and nginx dials that address: works."""
    x = s.rnd.randrange(0x1000, 0xffff); n = s.net(None, "--ipv6", "--subnet", f"fd00:{x:x}::/64"); p = s.port(); s.app(p, "--v6only", net=n, opts=["--ip6", f"fd00:{x:x}::50"]); s.nginx(loc(f"http://[fd00:{x:x}::50]:{p}"), n); s.expect("/", 200)
@fault
def healthy_files_and_a_stopped_namesake(s):
    """The site is plain files by Caddy since last year; the container that served it before stands stopped, with its name in labels: works."""
    n = s.net(); p = s.port(); b = s.app(p, name=s.name(s.site.split(".")[0]), net=n, labels=[f"caddy=http://{s.site}", "caddy.reverse_proxy={{upstreams %d}}" % p]); stop(b); s.file("www/index.html", "<title>Our garden</title>\n"); s.caddy(f"http://{s.site} {{\n\troot * /srv/www\n\tfile_server\n}}\n", n, opts=["-v", f"{s.dir}/www:/srv/www:ro"]); s.expect("/", 200)
@fault
def healthy_sent_to_https(s):
    """Traefik sends http to https, and that works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); q = s.hostport(); s.traefik(FILES + ["--entrypoints.websecure.address=:443"], n, socket=False, opts=["-p", f"{q}:443"], files={"site.yml": f"http:\n  routers:\n    plain:\n      rule: Host(`{s.site}`)\n      entryPoints: [web]\n      middlewares: [up]\n      service: site\n    site:\n      rule: Host(`{s.site}`)\n      entryPoints: [websecure]\n      service: site\n      tls: {{}}\n  middlewares:\n    up:\n      redirectScheme:\n        scheme: https\n        port: \"{q}\"\n  services:\n    site:\n      loadBalancer:\n        servers:\n          - url: http://{a}:{p}\n"}); s.expect("/", {301, 302, 307, 308}, good=(301, 302, 307, 308))
    s.wait(f"https://{s.site}:{q}/", 200)
@fault
def healthy_worker_was_killed_once(s):
    """One report needed too much memory and its worker was killed; the front page works all the time."""
    n = s.net(); p = s.port(); a = node(s, "const cluster = require('cluster');\nif (cluster.isPrimary) { cluster.fork(); cluster.on('exit', (w, c, g) => { console.error('[ERROR] Worker (pid:' + w.process.pid + ') was sent ' + g + '! Perhaps out of memory?'); cluster.fork(); }); } else {\n  http.createServer((q, r) => { if (q.url !== '/report') { r.writeHead(200, html); return r.end(page('figures')); }\n    const keep = []; setInterval(() => keep.push(Buffer.alloc(8 << 20, 1)), 10); }).listen(" + str(p) + ");\n}\n", net=n, name=s.name("figures"), opts=["--memory", "190m", "--memory-swap", "190m"])
    s.nginx(loc(f"http://{a}:{p}"), n); s.ready(); get(f"http://{s.site}:{s.hp}/report", 20); s.ready(); s.expect("/", 200)
@fault
def healthy_one_host_thrown_out(s):
    """Envoy has ejected one of two hosts, which answers 500; the other serves: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p, "--status", 500, net=n); envoy(s, n, a, p, "    common_lb_config: { healthy_panic_threshold: { value: 0 } }\n    outlier_detection: { consecutive_5xx: 1, interval: 1s, base_ejection_time: 600s, max_ejection_percent: 50 }\n", put=[(f"        - endpoint: {{ address: {{ socket_address: {{ address: {a}, port_value: {p} }} }} }}\n", "".join(f"        - endpoint: {{ address: {{ socket_address: {{ address: {c}, port_value: {p} }} }} }}\n" for c in (a, b)))]); time.sleep(2); s.host()
    for _ in range(12): get(f"http://{s.site}:{s.hp}/", 5)
    s.expect("/", 200)
@fault
def healthy_api_is_down_page_is_not(s):
    """lighttpd's API is down, its page is a file and is asked for: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); x = s.ip(a); s.file("www/index.html", "<title>Bakery</title>\n"); s.hp = s.hostport(); s.run("lighttpd:1.4", name=s.name("lighttpd"), net=n, publish=[f"{s.hp}:80"], opts=["-v", f"{s.dir}/www:/var/www/html:ro"] + s.mount("lighttpd", "/etc/lighttpd", {"lighttpd.conf": f'server.modules = ( "mod_proxy" )\nserver.document-root = "/var/www/html"\nserver.port = 80\nserver.errorlog = "/dev/stderr"\nindex-file.names = ( "index.html" )\nmimetype.assign = ( ".html" => "text/html" )\n$HTTP["url"] =~ "^/api/" {{\n    proxy.server = ( "" => (( "host" => "{x}", "port" => {p}, "connect-timeout" => 2 )) )\n}}\n'})); s.ready(); stop(a); [get(f"http://{s.site}:{s.hp}/api/prices", 6) for _ in range(2)]; s.expect("/", 200)
@fault
def healthy_gone_for_good(s):
    """Apache says 410 for what the owner took away, and has a page of its own for 503: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(vhost(s, f"    ErrorDocument 503 \"Back soon\"\n    Redirect gone /old-shop\n    ProxyPass /old-shop !\n    ProxyPass / http://{a}:{p}/\n"), n); s.expect("/old-shop/shoes", 410, good=(410,))
@fault
def healthy_checked_certificate(s):
    """nginx verifies the app's certificate by the house's CA and the right name: works."""
    n = s.net(); a = s.name("payroll"); d = certificate(s, a, ca=True); s.run("nginx:1.27", name=a, net=n, opts=s.mount("tls", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen 8443 ssl;\n    server_name {a};\n    ssl_certificate /certs/{a}.crt;\n    ssl_certificate_key /certs/{a}.key;\n    location / {{ default_type text/html; return 200 '<title>payroll</title>'; }}\n}}\n"}) + ["-v", f"{d}:/certs"])
    s.nginx(f"    location / {{\n        proxy_pass https://pool;\n        proxy_ssl_verify on;\n        proxy_ssl_name {a};\n        proxy_ssl_trusted_certificate /certs/ca.crt;\n        proxy_set_header Host $host;\n    }}", n, http=f"upstream pool {{ server {a}:8443; }}", opts=["-v", f"{d}:/certs"]); s.expect("/", 200)
