"""An eighth collection, for the same registry, by another hand again that had read neither the program nor its pages, readers or lab.
A docstring says what is broken and the public thread; `expect` has the first causes that would be right, written before the program
was asked, and whether commands and patches on this machine can mend it. It has what newcomers and small companies meet most, and all
but two answer 502, 503 or 504: their own layouts of files, several sites, Compose files, neighbours that look guilty, old errors."""
import os, socket, subprocess, time
from faults import APP, fault, fpm, fpm_nginx, host_nginx, loc
from more import FILES, backend, caddyfile, certificate, compose, node, variable
from fresh import host_fpm, own_nginx
from newest import balancer, page, services, stop
from other import loops, npm
from seventh import moves
from sixth import sites
from stage import StagingError, get, sh

WSGI = "def application(e, r):\n{}    r('200 OK', [('Content-Type', 'text/html')])\n    return [b'<title>{}</title>']\n"
def swag(s, n, confs): # SWAG as its image lays it out: a file in proxy-confs for each app
    s.hp = s.hostport(); base = "user www-data;\nworker_processes 2;\npid /run/nginx.pid;\nerror_log /dev/stderr;\nevents { worker_connections 512; }\nhttp {\n    include /etc/nginx/mime.types;\n    access_log /dev/stdout;\n    include /config/nginx/site-confs/*.conf;\n    include /config/nginx/proxy-confs/*.subdomain.conf;\n}\n"
    return s.run("lscr.io/linuxserver/swag:3.0", "nginx", "-c", "/config/nginx/nginx.conf", "-g", "daemon off;", name=s.name("swag"), net=n, publish=[f"{s.hp}:80"], opts=s.mount("swag/nginx", "/config/nginx", {"nginx.conf": base,
        "resolver.conf": "# This file is auto-generated only on first start, based on the container's /etc/resolv.conf file. Feel free to modify it as you wish.\n\nresolver 127.0.0.11 valid=30s;\n", "proxy.conf": "## Version 2023/02/09 - Changelog: https://github.com/linuxserver/docker-swag/commits/master/root/defaults/nginx/proxy.conf.sample\n\n# Timeout if the real server is dead\nproxy_next_upstream error timeout invalid_header http_500 http_502 http_503;\n\nproxy_connect_timeout 4s;\nproxy_read_timeout 240;\nproxy_http_version 1.1;\nproxy_set_header Host $host;\nproxy_set_header X-Real-IP $remote_addr;\n",
        "site-confs/default.conf": "server {\n    listen 80 default_server;\n    server_name _;\n    root /usr/share/nginx/html;\n    location / { return 404; }\n}\n", **{f"proxy-confs/{k}": v for k, v in confs.items()}}))
def conf(site, app, port, proto="http"): return f"## Version 2023/12/19\n# make sure that your container is named {app.split('-')[0]}\n# make sure that your dns has a cname set for {app.split('-')[0]}\n\nserver {{\n    listen 80;\n\n    server_name {site};\n\n    client_max_body_size 128M;\n\n    # enable for Authelia (requires authelia-location.conf in the location block)\n    #include /config/nginx/authelia-server.conf;\n\n    location / {{\n        include /config/nginx/proxy.conf;\n        include /config/nginx/resolver.conf;\n        set $upstream_app {app};\n        set $upstream_port {port};\n        set $upstream_proto {proto};\n        proxy_pass $upstream_proto://$upstream_app:$upstream_port;\n\n    }}\n}}\n"
def other_host(s, n, server, port): # a second proxy host of NPM, there before its container starts
    s.file("npm/data/nginx/proxy_host/2.conf", f"# ------------------------------------------------------------\n# old.{s.site}\n# ------------------------------------------------------------\nserver {{\n  set $forward_scheme http;\n  set $server         \"{server}\";\n  set $port           {port};\n\n  listen 80;\n  server_name old.{s.site};\n\n  access_log /data/logs/proxy-host-2_access.log proxy;\n  error_log /data/logs/proxy-host-2_error.log warn;\n\n  location / {{\n    # Proxy!\n    include conf.d/include/proxy.conf;\n  }}\n}}\n")
def uwsgi(s, name, where, body, extra=""): # real uWSGI of the host with a file of its own, as in /etc/uwsgi/apps-enabled
    w = s.file(f"{name}/wsgi.py", WSGI.format(body, name)); f = s.file(f"uwsgi/apps-enabled/{name}.ini", f"[uwsgi]\nplugin = /usr/lib/uwsgi/plugins/python311_plugin.so\nwsgi-file = {w}\nmaster = true\nprocesses = 2\nsocket = {where}\n{extra}die-on-term = true\nvacuum = true\n"); s.bg("/usr/bin/uwsgi-core", "--ini", f); time.sleep(2); s.mark = f"<title>{name}"
def podman(s, name, port, hostport): # a container of Podman, which Docker does not see; its image is the one of Docker
    if subprocess.run(["podman", "image", "exists", "localhost/field/base:1"]).returncode: sh("sh", "-c", "docker save field/base:1 | podman load -q")
    s.undo.append(lambda: sh("podman", "rm", "-f", "-t", "1", name, check=False)); sh("podman", "run", "-d", "--name", name, "-p", f"127.0.0.1:{hostport}:{port}", "localhost/field/base:1", "app", port, "--name", "miniflux"); s.mark = "<title>miniflux"
def apache(s, files): # Apache of the host with a folder of sites, as Debian has it
    d = f"{s.dir}/apache2"; os.makedirs(d + "/logs", exist_ok=True); s.hp = s.hostport(); mods = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in "mpm_event authz_core mime dir alias setenvif proxy proxy_http headers".split())
    for k, v in files.items(): s.file(f"apache2/sites-enabled/{k}", v.replace("PORT", str(s.hp)))
    c = s.file("apache2/apache2.conf", f"ServerRoot {d}\nPidFile {d}/apache2.pid\nListen {s.hp}\n{mods}User www-data\nGroup www-data\nServerName localhost\nTypesConfig /etc/mime.types\nErrorLog {d}/logs/error.log\nLogFormat \"%h %l %u %t \\\"%r\\\" %>s %O\" common\nCustomLog {d}/logs/access.log common\n<Directory />\n    Require all granted\n</Directory>\nIncludeOptional sites-enabled/*.conf\n"); return s.bg("/usr/sbin/apache2", "-DFOREGROUND", "-f", c)
def old_errors(s, up, words): # what nginx of the host wrote last week, about something else that has been mended
    s.file("nginx/logs/error.log", "".join(f"2026/11/2{d} 03:1{d}:07 [error] 812#812: *{4000 + d} connect() failed ({words}) while connecting to upstream, client: 198.51.100.7, server: {s.site}, request: \"GET / HTTP/1.1\", upstream: \"http://{up}/\", host: \"{s.site}\"\n" for d in range(1, 6)))
def done(s, name, net, code, *words, **kw): # a container that has done its work, or has failed at it, and has nothing to do with the site
    s.run("field/base:1", "sh", "-c", "; ".join([f"echo '{w}'" for w in words] + [f"exit {code}"]), name=s.name(name), net=net, **kw)
def secure(s, a, net, title, port, **kw): # an app in Node that speaks TLS only
    d = certificate(s, a); return node(s, f"https.createServer({{ key: fs.readFileSync('/certs/{a}.key'), cert: fs.readFileSync('/certs/{a}.crt') }}, (q, r) => {{ r.writeHead(200, html); r.end(page('{title}')); }}).listen({port}, () => console.log('starting HTTPS server | bind_address=:{port}'));\n", name=a, net=net, opts=["-v", f"{d}:/certs:ro"], **kw)

# ---------------------------------------------------------------- NPM and SWAG
@fault
def npm_has_the_published_port(s):
    """`ports: 8012:80`, and the proxy host has the container's name with 8012. https://github.com/Zavy86/WikiDocs/issues/173, https://github.com/jlesage/docker-nginx-proxy-manager/issues/261"""
    n = s.net("my-network"); q = s.hostport(); a = s.app(80, net=n, name=s.name("wikidocs"), image="ghost:5", publish=[f"{q}:80"]); s.mark = "<title>ghost"; other_host(s, n, s.name("wikidocs-old"), 80); npm(s, n, a, q); s.needs("NPM writes its files itself, so it has to be told", "Forward Port"); s.expect("/", 502, "wrong-port", mend=False)
@fault
def npm_home_assistant_behind_a_firewall(s):
    """Home Assistant is on the host's network, NPM on a bridge; the house's firewall lets the bridge have 22, 80 and 443 alone. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1176"""
    n = s.net("npm_default"); q = s.hostport(); s.app(q, net="host", name=s.name("homeassistant"), image="homeassistant/home-assistant:2024.9"); s.mark = "<title>home-assistant"; npm(s, n, "192.0.2.2", q); s.ready(); c = f"HOUSE-{s.tag}"; sh("iptables", "-w", "-N", c); s.undo.append(lambda: (sh("iptables", "-w", "-F", c, check=False), sh("iptables", "-w", "-X", c, check=False)))
    s.rule("-A", c, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"); s.rule("-A", c, "-p", "tcp", "-m", "multiport", "--dports", "22,80,443", "-j", "ACCEPT"); s.rule("-A", c, "-p", "tcp", "-j", "DROP"); s.rule("-I", "INPUT", "-i", s.bridge(n), "-j", c); s.expect("/", 504, "firewall-blocked", mend=True)
@fault
def swag_vaultwarden_without_root(s):
    """The sample has port 80; since the container is to run without root it has ROCKET_PORT=8080. https://github.com/linuxserver/reverse-proxy-confs/pull/624, https://github.com/linuxserver/docker-swag/issues/102 (kind)"""
    n = s.net("lsio"); a = s.app(8080, net=n, name=s.name("vaultwarden"), image="vaultwarden/server:1.32", opts=["-e", "ROCKET_PORT=8080", "-e", f"DOMAIN=https://{s.site}", "--expose", "80"]); s.mark = "<title>server"; done(s, "vaultwarden-backup", n, 1, "restic: Fatal: unable to open repository: connection refused"); swag(s, n, {"vaultwarden.subdomain.conf": conf(s.site, a, 80), "nextcloud.subdomain.conf": conf("nextcloud.*", "nextcloud", 443, "https"), "mealie.subdomain.conf.sample": conf("mealie.*", "mealie", 9000)}); o = s.host("nextcloud." + s.site); [get(f"http://{o}:{s.hp}/", 6) for _ in range(3)]; s.expect("/", 502, "wrong-port", mend=True)
@fault
def swag_mealie_in_its_own_project(s):
    """Mealie has a Compose project of its own and so a network of its own. Solved by putting both in the same. https://github.com/mealie-recipes/mealie/issues/610"""
    n = s.net("swag_default"); m = s.net("mealie_default"); a = s.app(9000, net=m, name=s.name("mealie"), labels=compose("mealie", "mealie", s.dir)); b = s.app(9000, net=n, name=s.name("portainer"), image="field/base:1"); swag(s, n, {"mealie.subdomain.conf": conf(s.site, a, 9000), "portainer.subdomain.conf": conf("portainer." + s.site, b, 9000)}); s.expect("/", 502, "network-mismatch", mend=True)

# ---------------------------------------------------------------- nginx in a container
@fault
def nextcloud_fpm_was_updated(s):
    """`upstream php-handler { server app:9000; }` was looked up once; Watchtower made the app's container again. https://github.com/nextcloud/docker/issues/2414"""
    n = s.net("nextcloud_default"); a = fpm(s, n, "<?php echo '<title>nextcloud</title>ok';\n"); s.mark = "<title>nextcloud"; done(s, "nextcloud-cron", n, 1, "crond: cannot set groups: Operation not permitted"); time.sleep(1)
    s.nginx("    root /var/www/html;\n    index index.php;\n    client_max_body_size 512M;\n    fastcgi_buffers 64 4K;\n    location = /robots.txt { allow all; log_not_found off; access_log off; }\n    location ~ ^/(?:build|tests|config|lib|3rdparty|templates|data)(?:$|/) { return 404; }\n    location / {\n        include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME /var/www/html/index.php;\n        fastcgi_param front_controller_active true;\n        fastcgi_pass php-handler;\n        fastcgi_request_buffering off;\n    }", n, http=f"upstream php-handler {{\n    server {a}:9000;\n}}\n"); s.ready(); moves(s, a, n); s.expect("/", 502, "stale-address", mend=True)
@fault
def gateway_of_the_network_before(s):
    """Home Assistant is on the host's network and was reached by the bridge's gateway; `compose down` and `up` gave the network another subnet. https://github.com/kylegordon/home-assistant-config/pull/743 (kind), https://github.com/immich-app/immich/issues/13486 (kind)"""
    o = s.net("proxy_old"); g = s.gateway(o); sh("docker", "network", "rm", o); n = s.net("proxy"); q = s.hostport(); s.app(q, net="host", name=s.name("homeassistant"), image="homeassistant/home-assistant:2024.9"); s.mark = "<title>home-assistant"
    s.nginx(f"    location / {{\n        # the host, seen from this container\n        proxy_pass http://{g}:{q};\n        proxy_set_header Host $host;\n        proxy_http_version 1.1;\n        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection \"upgrade\";\n        proxy_connect_timeout 4s;\n    }}", n); s.expect("/", {502, 504}, "stale-address", mend=True)
@fault
def keycloak_cookies_in_one_location(s):
    """`/` has larger buffers since the last time, `/auth/` has not, and Keycloak's cookies do not fit 4k: too big header. https://github.com/zelytra/BetterFleet/issues/833"""
    n = s.net(); p, q = s.port(), s.port(); a = s.app(p, net=n, name=s.name("fleet")); k = s.app(q, "--header", 6000, net=n, name=s.name("keycloak"), image="field/base:1")
    s.nginx(f"    location /auth/ {{\n        proxy_pass http://{k}:{q};\n        proxy_set_header Host $host;\n        proxy_set_header X-Forwarded-Proto $scheme;\n    }}\n    location / {{\n        proxy_pass http://{a}:{p};\n        proxy_buffer_size 16k;\n        proxy_buffers 8 16k;\n        proxy_busy_buffers_size 32k;\n    }}", n); s.expect("/auth/realms/fleet/protocol/openid-connect/auth", 502, "response-header-too-large", mend=True)
@fault
def compose_left_its_prefix(s):
    """`compose up` was broken off while it made the container again: it is called 249662c60a09_test-web-1 now. https://github.com/docker/compose/issues/10460, https://github.com/docker/compose/issues/4834"""
    n = s.net("test_default"); p = s.port(); j = f"test{s.tag}"; h = "".join(s.rnd.choice("0123456789abcdef") for _ in range(12)); s.app(p, net=n, name=f"{h}_{j}-web-1", opts=["--network-alias", "web"], labels=compose(j, "web", s.dir)); done(s, f"{j}-migrate", n, 0, "No migrations to apply.", labels=compose(j, "migrate", s.dir)); s.app(5432, "--raw", net=n, name=f"{j}-db-1", image="field/base:1", opts=["--network-alias", "db"], labels=compose(j, "db", s.dir)); s.nginx(variable(f"{j}-web-1", p), n, name=f"{j}-proxy-1", opts=[x for l in compose(j, "proxy", s.dir) for x in ("--label", l)]); s.expect("/", 502, "name-not-found", mend=True)
@fault
def authentik_is_off(s):
    """nginx asks authentik's outpost for every page, and its server has exited: 500 in the browser, 502 in the log. https://github.com/goauthentik/authentik/issues/4207, https://github.com/goauthentik/authentik/issues/2594"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, name=s.name("grafana"), image="grafana/grafana:11.2"); u = s.app(9000, net=n, name=s.name("authentik-server"), image="field/base:1"); s.mark = "<title>grafana"
    s.nginx(f"    proxy_buffers 8 16k;\n    proxy_buffer_size 32k;\n    port_in_redirect off;\n    location / {{\n        proxy_pass http://{a}:{p};\n        proxy_set_header Host $host;\n        auth_request /outpost.goauthentik.io/auth/nginx;\n        error_page 401 = @goauthentik_proxy_signin;\n        auth_request_set $auth_cookie $upstream_http_set_cookie;\n        add_header Set-Cookie $auth_cookie;\n    }}\n    location /outpost.goauthentik.io {{\n        proxy_pass http://{u}:9000/outpost.goauthentik.io;\n        proxy_set_header Host $host;\n        proxy_set_header X-Original-URL $scheme://$http_host$request_uri;\n        proxy_pass_request_body off;\n        proxy_set_header Content-Length \"\";\n        proxy_connect_timeout 4s;\n    }}\n    location @goauthentik_proxy_signin {{\n        internal;\n        return 302 /outpost.goauthentik.io/start?rd=$request_uri;\n    }}", n); s.ready(); stop(u); s.expect("/", 500, "auth-service-down", mend=True)
@fault
def invoiceninja_sets_itself_up(s):
    """The entrypoint brings the database up to date before it starts php-fpm; whoever does not wait gets 502. https://github.com/invoiceninja/dockerfiles/issues/773, https://github.com/inventree/InvenTree/issues/6212"""
    n = s.net("app-network"); s.file("fpm/www.conf", "[www]\nuser = www-data\ngroup = www-data\nlisten = 9000\npm = static\npm.max_children = 2\n"); s.file("html/index.php", "<?php echo '<title>invoices</title>ok';\n"); s.mark = "<title>invoices"
    a = s.run("php:8.2-fpm", "sh", "-c", "echo 'INFO  Running migrations.'; i=1; while [ $i -lt 56 ]; do echo \"  2025_08_${i}_add_columns ............ DONE\"; i=$((i+1)); sleep 1; done; echo 'Production setup completed'; exec php-fpm -F -y /usr/local/etc/php-fpm.conf", name=s.name("invoiceninja-app"), net=n, opts=["-v", f"{s.dir}/fpm:/usr/local/etc/php-fpm.d", "-v", f"{s.dir}/html:/var/www/html"]); fpm_nginx(s, n, a); s.expect("/", 502, "backend-starting", mend=True)
@fault
def php_file_that_comes_last(s):
    """www.conf has `listen = /run/php/shop.sock`, and the image's zz-docker.conf, which comes last, has 9000: no socket. https://github.com/docker-library/php/issues/1564, https://github.com/docker-library/php/issues/241"""
    n = s.net(); os.makedirs(s.dir + "/run", exist_ok=True); os.chmod(s.dir + "/run", 0o777); s.file("html/index.php", "<?php echo '<title>shop</title>ok';\n"); s.mark = "<title>shop"
    s.run("php:8.2-fpm", name=s.name("php"), net=n, opts=s.mount("php-fpm.d", "/usr/local/etc/php-fpm.d", {"www.conf": "[www]\nuser = www-data\ngroup = www-data\nlisten = /run/php/shop.sock\nlisten.mode = 0666\npm = static\npm.max_children = 2\n", "zz-docker.conf": "[global]\ndaemonize = no\n\n[www]\nlisten = 9000\n"}) + ["-v", f"{s.dir}/run:/run/php", "-v", f"{s.dir}/html:/var/www/html"]); time.sleep(1)
    s.nginx("    root /var/www/html;\n    location / {\n        include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME /var/www/html/index.php;\n        fastcgi_pass unix:/run/php/shop.sock;\n    }", n, opts=["-v", f"{s.dir}/run:/run/php"]); s.expect("/", 502, "socket-unavailable", mend=True)
@fault
def quotes_in_the_env_file(s):
    """`PORT="8000"` in a file for --env-file keeps its quotes: not a valid port number, again and again. https://github.com/dashevo/dashmate/pull/149 (kind), https://github.com/wiamsuri/django-gunicorn-nginx-docker/issues/1 (kind)"""
    n = s.net(); f = s.file("app.env", "# written by deploy.sh\nDJANGO_SETTINGS_MODULE=mysite.settings\nPORT=\"8000\"\nDEBUG=0\n"); a = node(s, "const p = process.env.PORT;\nconsole.log('[INFO] Starting gunicorn 23.0.0');\nif (!/^\\d+$/.test(p)) { console.error(`Error: '${p}' is not a valid port number.`); process.exit(1); }\nhttp.createServer((q, r) => { r.writeHead(200, html); r.end(page('mysite')); }).listen(+p);\n", net=n, name=s.name("django"), opts=["--env-file", f, "--restart", "always"])
    s.nginx(variable(a, 8000), n); loops(s, a); s.needs("the value is the owner's", "valid port number"); s.expect("/", 502, "backend-crash-loop", mend=False)
@fault
def nginx_on_the_hosts_network(s):
    """nginx was given network_mode: host, and still has the container's name in its file. https://github.com/linuxserver/docker-swag/issues/553 (kind), https://github.com/nginx/docker-nginx/issues/729 (kind)"""
    m = s.net("nuxt_default"); p = s.port(); q = s.hostport(); a = s.app(p, net=m, name=s.name("nuxt"), publish=[f"127.0.0.1:{q}:{p}"]); s.hp = s.hostport(); s.run("nginx:1.27", name=s.name("nginx"), net="host", opts=s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen {s.hp} default_server;\n    server_name _;\n    return 444;\n}}\n", "nuxt.conf": f"server {{\n    listen {s.hp};\n    server_name {s.site} www.{s.site};\n    resolver 192.0.2.2 valid=10s;\n    resolver_timeout 3s;\n    location / {{\n        set $nuxt {a};\n        proxy_pass http://$nuxt:{p};\n        proxy_set_header Host $host;\n    }}\n}}\n"})); s.expect("/", 502, "name-not-found", "port-not-published", "network-mismatch", mend=True)

# ---------------------------------------------------------------- nginx of the host
@fault
def gitlab_has_no_puma(s):
    """nginx reaches GitLab's workhorse, and that does not reach Puma: it is workhorse's own page that says 502. https://github.com/sameersbn/docker-gitlab/issues/2919, https://github.com/sameersbn/docker-gitlab/issues/1016"""
    q = s.hostport(); a = node(s, "http.createServer((q, r) => { const up = http.request({ socketPath: '/home/git/gitlab/tmp/sockets/gitlab.socket', path: q.url }, u => { r.writeHead(u.statusCode, u.headers); u.pipe(r); }); up.on('error', e => { console.log(JSON.stringify({ correlation_id: '01HT', duration_ms: 0, error: 'badgateway: failed to receive response: dial unix /home/git/gitlab/tmp/sockets/gitlab.socket: connect: no such file or directory', level: 'error', method: q.method, msg: '', uri: q.url })); r.writeHead(502, html); r.end('<!DOCTYPE html><html><head><title>GitLab is not responding (502)</title></head><body><h1>502</h1><h3>Whoops, GitLab is taking too much time to respond.</h3><p>Try refreshing the page, or going back and attempting the action again.</p></body></html>'); }); up.end(); }).listen(8181);\n", name=s.name("gitlab"), publish=[f"127.0.0.1:{q}:8181"])
    host_nginx(s, f"        client_max_body_size 0;\n        location / {{\n            proxy_read_timeout 300;\n            proxy_connect_timeout 300;\n            proxy_redirect off;\n            proxy_set_header Host $http_host;\n            proxy_pass http://gitlab-workhorse;\n        }}", http=f"    upstream gitlab-workhorse {{\n        server 127.0.0.1:{q} fail_timeout=0;\n    }}\n"); s.needs("why Puma is not there, GitLab's own log says", "docker logs"); s.expect("/", 502, "app-error", mend=False)
@fault
def uwsgi_socket_for_its_group(s):
    """`chmod-socket = 660` in uWSGI's file, and nginx's workers are www-data: (13: Permission denied). https://github.com/modoboa/modoboa/issues/1716, https://github.com/cuckoosandbox/cuckoo/issues/1762"""
    os.makedirs(s.dir + "/run", exist_ok=True); u = f"{s.dir}/run/cuckoo.socket"; uwsgi(s, "cuckoo", u, "", "chmod-socket = 660\n"); own_nginx(s, "    location / {\n        client_max_body_size 1G;\n        include /etc/nginx/uwsgi_params;\n        uwsgi_pass _uwsgi_cuckoo_web;\n    }", http=f"    upstream _uwsgi_cuckoo_web {{\n        server unix:{u};\n    }}\n"); s.expect("/", 502, "socket-unavailable", mend=True)
@fault
def uwsgi_needs_longer(s):
    """nginx gives uWSGI 4 s, the upload is worked on for 7. https://github.com/tracim/tracim/issues/567"""
    q = s.hostport(); uwsgi(s, "tracim", f"127.0.0.1:{q}", "    import time\n    if e['PATH_INFO'] != '/ping': time.sleep(7)\n"); own_nginx(s, f"    location /ping {{ include /etc/nginx/uwsgi_params; uwsgi_pass 127.0.0.1:{q}; }}\n    location / {{\n        client_body_timeout 300s;\n        uwsgi_read_timeout 4s;\n        include /etc/nginx/uwsgi_params;\n        uwsgi_param SCRIPT_NAME '';\n        uwsgi_pass 127.0.0.1:{q};\n    }}"); s.ready(path="/ping"); s.expect("/workspaces/4/upload", 504, "timeout-too-short", slow=8, mend=True)
@fault
def override_file_publishes_elsewhere(s):
    """docker-compose.override.yml publishes another port than docker-compose.yml, and nginx of the host has that of the first. https://github.com/cfpb/grasshopper/issues/146 (kind), https://github.com/alextselegidis/plainpad/issues/71 (kind)"""
    p = s.port(); q, w = s.hostport(), s.hostport(); j = f"pad{s.tag}"; n = s.net(f"{j}_default"); f = lambda ports: f"services:\n  web:\n    image: ghost:5\n    command: app {p}\n{ports}"; s.file("docker-compose.yml", f(f"    ports:\n      - \"127.0.0.1:{q}:{p}\"\n")); s.file("docker-compose.override.yml", f"services:\n  web:\n    ports: !override\n      - \"127.0.0.1:{w}:{p}\"   # {q} is taken on my laptop\n    environment:\n      NODE_ENV: development\n")
    s.app(p, net=n, name=f"{j}-web-1", image="ghost:5", publish=[f"127.0.0.1:{w}:{p}"], labels=[l + (f",{s.dir}/docker-compose.override.yml" if "config_files" in l else "") for l in compose(j, "web", s.dir)]); s.mark = "<title>ghost"; s.hp = s.hostport(); old_errors(s, f"127.0.0.1:{q}", "111: Connection refused"); sites(s, {"http.d/00-blog.conf": f"server {{\n    listen 127.0.0.1:{s.hostport()};\n    server_name blog.{s.site};\n    root /var/www/blog;\n}}\n", "http.d/pad.conf": f"upstream pad {{\n    server 127.0.0.1:{q};\n}}\nserver {{\n    listen {s.hp};\n    server_name {s.site};\n{loc('http://pad')}\n}}\n"}); s.expect("/", 502, "wrong-port", "port-not-published", mend=True)
@fault
def node_listens_on_colon_colon_one(s):
    """Since Node 17 `listen(port, 'localhost')` is ::1, and nginx dials 127.0.0.1. https://github.com/cryptpad/cryptpad/issues/2299, https://github.com/HSLdevcom/digitransit-ui/pull/5972"""
    s.hp, q = s.hostport(), s.hostport(); s.bg(APP, q, "::1", "--name", "cryptpad"); s.mark = "<title>cryptpad"; old_errors(s, "10.0.3.17:3000", "113: No route to host"); sites(s, {"http.d/cryptpad.conf": f"server {{\n    listen {s.hp};\n    server_name {s.site};\n    set $main_domain \"{s.site}\";\n    add_header X-Content-Type-Options nosniff;\n{loc(f'http://127.0.0.1:{q}')}\n    location ^~ /blob/ {{\n        alias {s.dir}/blob/;\n    }}\n}}\n", "http.d/status.conf": "server {\n    listen 127.0.0.1:%d;\n    location /stub_status { stub_status; }\n}\n" % s.hostport()}); s.expect("/", 502, "ipv6-mismatch", mend=True)
@fault
def podman_container_is_off(s):
    """The app is a container of Podman and was not started after the reboot; Docker is there, too, and knows nothing of it. https://github.com/podman-container-tools/podman/issues/14714, https://github.com/nextcloud/app_api/issues/527"""
    p = s.port(); q = s.hostport(); a = s.name("miniflux"); podman(s, a, p, q); s.app(p, name=s.name("freshrss")); host_nginx(s, loc(f"http://127.0.0.1:{q}")); s.ready(); sh("podman", "stop", "-t", "1", a); s.expect("/", 502, "backend-stopped", mend=True)

# ---------------------------------------------------------------- Traefik
@fault
def traefik_has_the_published_port(s):
    """`ports: 8988:8989`, and the label has 8988. https://github.com/aschmelyun/docker-compose-traefik/issues/3, https://github.com/lemker/unifi-os-server/issues/83"""
    n = s.net("platform-common-net"); p = s.port(); q = s.hostport(); j = f"backend{s.tag}"; s.file("docker-compose.yml", f"services:\n  backend:\n    image: n8nio/n8n:1.60\n    command: app {p}\n    env_file:\n      - .env\n    ports:\n      - \"{q}:{p}\"\n    networks:\n      - platform-common-net\n    labels:\n      - traefik.enable=true\n      - stack={s.tag}\n      - traefik.http.routers.backend-x.rule=Host(`{s.site}`)\n      - traefik.http.services.backend-x.loadbalancer.server.port={q}\nnetworks:\n  platform-common-net:\n    name: {n}\n    external: true\n"); s.file(".env", "SERVER_NAME=backend\n")
    s.app(p, net=n, name=f"{j}-backend-1", image="n8nio/n8n:1.60", publish=[f"{q}:{p}"], labels=s.labels(q, router="backend-x") + compose(j, "backend", s.dir)); done(s, f"{j}-db", n, 137, "LOG:  database system is shut down", labels=compose(j, "db", s.dir)); s.traefik(s.docker_provider(), n); s.needs("the container has to be made again with another label", f"server.port={p}"); s.expect("/", 502, "wrong-port", mend=False)
@fault
def traefik_portainer_9443(s):
    """The label has Portainer's port for TLS, 9443, and no scheme (there 400, here the app hangs up: 502). https://github.com/portainer/portainer/issues/6337, https://github.com/jfroment/seedbox/issues/37"""
    n = s.net("proxy-traefik"); secure(s, s.name("portainer"), n, "portainer", 9443, labels=s.labels(9443, router="portainer-secure")); s.mark = "<title>portainer"; time.sleep(1); s.traefik(s.docker_provider("--serversTransport.insecureSkipVerify=true"), n); s.needs("the container has to be made again with another label", "server.scheme=https"); s.expect("/", {500, 502}, "http-to-https-backend", mend=False)
@fault
def traefik_file_says_localhost(s):
    """The file has http://127.0.0.1:8001 for a program of the host, and Traefik is in a container. https://github.com/traefik/traefik/issues/2884"""
    n = s.net(); q = s.hostport(); s.bg(APP, q, "--name", "octoprint"); s.mark = "<title>octoprint"; b = s.app(s.port(), net=n, labels=s.labels(80, site="who." + s.site)); s.traefik(FILES + s.docker_provider(), n, files={**services(s, balancer("site", f"http://127.0.0.1:{q}")), "tls.yml": "tls:\n  options:\n    default:\n      minVersion: VersionTLS12\n"}); s.expect("/", 502, "upstream-is-localhost", mend=True)

# ---------------------------------------------------------------- Caddy
@fault
def caddy_and_dotnet_8(s):
    """The update came with .NET 8, whose images listen on 8080 and not on 80. https://github.com/jberlyn/kosync-dotnet/issues/6, https://github.com/dotnet/docs/issues/35959"""
    n = s.net("caddy"); a = node(s, "http.createServer((q, r) => { r.writeHead(200, html); r.end(page('kosync')); }).listen(8080, () => console.log('info: Microsoft.Hosting.Lifetime[14]\\n      Now listening on: http://[::]:8080\\ninfo: Microsoft.Hosting.Lifetime[0]\\n      Application started. Press Ctrl+C to shut down.\\n      Hosting environment: Production'));\n", net=n, name=s.name("kosync")); s.mark = "<title>kosync"; stop(s.app(80, net=n, name=s.name("kosync-old"), image="field/base:1")); b = s.app(3000, net=n, name=s.name("gitea"), image="gitea/gitea:1.22"); s.caddy(f"(common) {{\n\tencode zstd gzip\n\theader -Server\n}}\n\nhttp://git.{s.site} {{\n\timport common\n\treverse_proxy {b}:3000\n}}\n\nhttp://{s.site} {{\n\timport common\n\treverse_proxy {a}:80\n}}\n", n); time.sleep(1); s.expect("/", 502, "wrong-port", mend=True)
@fault
def caddy_every_second_to_itself(s):
    """`reverse_proxy app:3000 :3000`: the second is Caddy's own container, so half of the visitors get 502. https://github.com/lucaslorentz/caddy-docker-proxy/issues/592, https://github.com/lucaslorentz/caddy-docker-proxy/issues/547"""
    n = s.net("caddy"); p = s.port(); a = s.app(p, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p} :{p}\n}}\n", n); s.expect("/", "mixed", "upstream-is-localhost", "route-misconfigured", mend=True)
@fault
def caddy_before_nginx_that_does_not_find_its_app(s):
    """Caddy asks the app's own nginx, which starts again and again: host not found in upstream; php-fpm is on the other network. https://github.com/nextcloud/docker/issues/313"""
    n = s.net("proxy"); m = s.net("nextcloud_default"); a = fpm(s, m, "<?php echo '<title>nextcloud</title>ok';\n"); s.mark = "<title>nextcloud"; w = s.run("nginx:1.27", name=s.name("web"), net=n, opts=s.mount("web/conf.d", "/etc/nginx/conf.d", {"default.conf": f"upstream backend {{\n    server {a}:9000;\n}}\nserver {{\n    listen 80;\n    root /var/www/html;\n    location / {{\n        include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME /var/www/html/index.php;\n        fastcgi_pass backend;\n    }}\n}}\n"}) + ["--restart", "always"])
    s.caddy(caddyfile(s, f"{w}:80"), n); loops(s, w); s.expect("/", 502, "backend-crash-loop", "proxy-stopped", "network-mismatch", mend=True)
@fault
def caddy_ghost_has_no_space(s):
    """Backups have filled the volume, so the app cannot write its database and ends, again and again. https://github.com/Illospace/illospace/issues/874, https://github.com/louislam/uptime-kuma/issues/4581 (kind)"""
    n = s.net(); p = s.port(); v = f"ghost_content_{s.tag}"; sh("docker", "volume", "create", "--label", f"field={s.seed}", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=2m", v); s.undo.append(lambda: sh("docker", "volume", "rm", v, check=False))
    s.run("field/base:1", "sh", "-c", "i=1; while cat /usr/local/bin/app > /backup/content-2026-11-0$i.tar 2>/dev/null; do i=$((i+1)); done; exec sleep 1000000", name=s.name("backup"), net=n, opts=["-v", f"{v}:/backup"]); time.sleep(1)
    a = s.run("ghost:5", "sh", "-c", f"echo 'INFO Ghost is running in production...'; if ! echo 'SQLite format 3' > /var/lib/ghost/content/ghost.db; then echo 'ERROR SQLITE_FULL: database or disk is full' >&2; exit 2; fi; exec app {p} --name ghost", name=s.name("ghost"), net=n, opts=["-v", f"{v}:/var/lib/ghost/content", "--restart", "unless-stopped"]); s.caddy(caddyfile(s, f"{a}:{p}"), n); loops(s, a); s.needs("what may go, the owner decides", "No space left"); s.expect("/", 502, "host-exhausted", "backend-crash-loop", mend=False)

# ---------------------------------------------------------------- HAProxy
@fault
def haproxy_started_before_its_app(s):
    """`init-addr last,libc,none` lets HAProxy start before the app; without a resolver it never looks again, and the server stays in MAINT. https://github.com/docker-archive/dockercloud-haproxy/issues/225, https://github.com/vfarcic/docker-flow-proxy/issues/266"""
    n = s.net(); p, q = s.port(), s.port(); a, b = s.name("api"), s.app(q, net=n, name=s.name("web")); s.haproxy(f"    default-server init-addr last,libc,none\nfrontend web\n    bind :80\n    acl is_api hdr_beg(host) -i {s.site}\n    use_backend api if is_api\n    default_backend web\nbackend web\n    server web1 {b}:{q} check inter 2s\nbackend api\n    server api1 {a}:{p} check inter 2s\n", n); s.ready(503); s.app(p, net=n, name=a); time.sleep(4); s.expect("/", 503, "stale-address", "route-misconfigured", "name-not-found", mend=True)
@fault
def haproxy_check_without_a_host(s):
    """The check says no Host, and Django answers 400 to that (ALLOWED_HOSTS): DOWN, Layer7 wrong status. https://github.com/haproxy/haproxy/issues/1560, https://github.com/haproxy/haproxy/issues/2330"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ const h = (q.headers.host || '').split(':')[0]; if (h !== '{s.site}') {{ console.log(`Invalid HTTP_HOST header: '${{h}}'. You may need to add '${{h}}' to ALLOWED_HOSTS.`); r.writeHead(400, html); return r.end(page('Bad Request (400)')); }} r.writeHead(200, html); r.end(page('paperless')); }}).listen({p});\n", net=n, name=s.name("paperless")); time.sleep(1); s.mark = "<title>paperless"; s.haproxy(f"frontend web\n    bind :80\n    default_backend paperless\nbackend paperless\n    option httpchk GET /\n    http-check expect status 200\n    server paperless {a}:{p} check inter 1s fall 2\n", n); s.ready(503); s.expect("/", 503, "backend-unhealthy", "route-misconfigured", mend=True)
@fault
def haproxy_speaks_tls_to_plain(s):
    """`ssl verify none` was copied from the line above, whose app has a certificate of its own; this one speaks plain HTTP. https://github.com/vfarcic/docker-flow-proxy/issues/163 (the reverse), https://github.com/haproxy/haproxy/issues/1988 (kind)"""
    n = s.net(); p = s.port(); u = secure(s, s.name("unifi"), n, "unifi", 8443); a = s.app(p, net=n, name=s.name("jellyfin"), image="jellyfin/jellyfin:10.9"); s.mark = "<title>jellyfin"; s.haproxy(f"frontend web\n    bind :80\n    use_backend unifi if {{ hdr_beg(host) -i unifi. }}\n    default_backend jellyfin\nbackend unifi\n    server unifi {u}:8443 ssl verify none\nbackend jellyfin\n    option forwardfor\n    server jellyfin {a}:{p} ssl verify none\n", n); s.expect("/", {502, 503}, "https-to-http-backend", mend=True)
@fault
def haproxy_puma_listens_on_localhost(s):
    """In development Puma listens on localhost since an update, and HAProxy comes from another container. https://github.com/GovWifi/govwifi-admin/pull/551, https://github.com/puma/puma/issues/2113"""
    n = s.net(); a = node(s, "http.createServer((q, r) => { r.writeHead(200, html); r.end(page('admin')); }).listen(3000, '127.0.0.1', () => console.log('=> Booting Puma\\n=> Rails 7.1.3 application starting in development\\nPuma starting in single mode...\\n* Puma version: 6.4.2\\n*  Min threads: 5\\n*  Max threads: 5\\n* Listening on http://127.0.0.1:3000\\nUse Ctrl-C to stop'));\n", net=n, name=s.name("rails"), opts=["-e", "RAILS_ENV=development", "--expose", "3000"]); time.sleep(1); s.haproxy(backend(f"{a}:3000", " check inter 2s"), n); s.ready(503); s.needs("how the app is started, its owner knows", "0.0.0.0"); s.expect("/", 503, "listens-on-localhost", mend=False)

# ---------------------------------------------------------------- Apache and lighttpd
JAVA = """import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Portal {
  public static void main(String[] a) throws Exception {
    int port = Integer.getInteger("server.port", 8080);
    HttpServer s = HttpServer.create(new InetSocketAddress(port), 50);
    s.createContext("/", e -> { byte[] b = "<title>portal</title>".getBytes(); e.getResponseHeaders().set("Content-Type", "text/html"); e.sendResponseHeaders(200, b.length); e.getResponseBody().write(b); e.close(); });
    s.start();
    System.out.println("INFO 1 --- [main] o.s.b.w.embedded.tomcat.TomcatWebServer  : Tomcat started on port " + port + " (http) with context path '/'");
  }
}
"""
@fault
def apache_spring_has_another_port(s):
    """A real Java program of the host was given another server.port, and Apache's site still has the one before. https://github.com/apache/answer/issues/647 (kind), https://github.com/freeacs/freeacs/pull/165 (kind)"""
    q = s.hostport(); f = s.file("portal/Portal.java", JAVA); s.bg("/usr/bin/java", "-Xmx64m", f"-Dserver.port={q + 1}", f); s.mark = "<title>portal"; apache(s, {"000-default.conf": f"<VirtualHost *:PORT>\n    ServerName default.invalid\n    DocumentRoot {s.dir}/html\n</VirtualHost>\n", "portal.conf": f"<VirtualHost *:PORT>\n    ServerName {s.site}\n    ServerAlias www.{s.site}\n    ProxyPreserveHost On\n    ProxyPass /.well-known !\n    ProxyPass / http://127.0.0.1:{q}/\n    ProxyPassReverse / http://127.0.0.1:{q}/\n    RequestHeader set X-Forwarded-Proto http\n</VirtualHost>\n"})
    for _ in range(60):
        if get(f"http://127.0.0.1:{q + 1}/")[0] == 200: break
        time.sleep(0.5)
    else: raise StagingError("the Java program does not start")
    s.expect("/", 503, "wrong-port", "backend-stopped", mend=True)
@fault
def lighttpd_address_of_yesterday(s):
    """lighttpd of the host has a container's address; after the update the container has another one. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1021 (kind), https://github.com/nextcloud/docker/issues/922 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, name=s.name("pihole"), image="pihole/pihole:2024.07"); s.mark = "<title>pihole"; s.hp = s.hostport(); os.makedirs(s.dir + "/html", exist_ok=True); host = s.site.replace(".", "\\."); c = s.file("lighttpd/lighttpd.conf", f"server.modules = ( \"mod_access\", \"mod_proxy\" )\nserver.document-root = \"{s.dir}/html\"\nserver.port = {s.hp}\nserver.username = \"www-data\"\nserver.groupname = \"www-data\"\nserver.pid-file = \"{s.dir}/lighttpd.pid\"\nserver.errorlog = \"{s.dir}/lighttpd-error.log\"\ninclude \"conf-enabled/*.conf\"\n")
    open(s.file("lighttpd-error.log", f"2026-11-12 03:10:01: (gw_backend.c.236) establishing connection failed: socket: tcp:192.168.178.20:{p}: Connection refused\n2026-11-12 03:10:01: (gw_backend.c.957) all handlers for /? on  are down.\n"), "a").close(); os.chmod(f"{s.dir}/lighttpd-error.log", 0o666); s.file("lighttpd/conf-enabled/10-proxy.conf", f"$HTTP[\"host\"] =~ \"^{host}(:[0-9]+)?$\" {{\n    proxy.server = ( \"\" => (( \"host\" => \"{s.ip(a)}\", \"port\" => {p} )) )\n}}\n"); s.bg("/usr/sbin/lighttpd", "-D", "-f", c); s.ready(); moves(s, a, n); s.expect("/", {502, 503}, "stale-address", mend=True)

# ---------------------------------------------------------------- healthy, and it looks strange
@fault
def healthy_npm_has_another_host_that_is_off(s):
    """Another proxy host of NPM has an app that is gone, and its log is full of that: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); g = s.name("wikijs"); other_host(s, n, g, 3000); npm(s, n, a, p); s.ready(); o = s.host("old." + s.site); [get(f"http://{o}:{s.hp}/", 6) for _ in range(6)]; s.expect("/", 200)
@fault
def healthy_swag_has_files_for_apps_that_are_not_there(s):
    """proxy-confs has files for five apps, two of which were never installed: this one works."""
    n = s.net("lsio"); p = s.port(); a = s.app(p, net=n, name=s.name("jellyfin"), image="jellyfin/jellyfin:10.9"); swag(s, n, {"jellyfin.subdomain.conf": conf(s.site, a, p), "radarr.subdomain.conf": conf("radarr." + s.site, "radarr", 7878), "sonarr.subdomain.conf": conf("sonarr." + s.site, "sonarr", 8989), "plex.subdomain.conf.sample": conf("plex.*", "plex", 32400)}); s.ready(); o = s.host("radarr." + s.site); [get(f"http://{o}:{s.hp}/", 6) for _ in range(4)]; s.expect("/", 200)
@fault
def healthy_portainer_with_its_own_certificate(s):
    """nginx speaks TLS to Portainer's 9443 and does not look at its certificate, as nginx does by itself: works."""
    n = s.net(); a = secure(s, s.name("portainer"), n, "portainer", 9443); time.sleep(1); s.nginx(loc(f"https://{a}:9443", "        proxy_http_version 1.1;\n        proxy_set_header Connection \"\";\n"), n); s.expect("/", 200)
@fault
def healthy_published_by_the_override_file(s):
    """docker-compose.yml has a port at which nobody listens, the override file the one that nginx has: works."""
    p = s.port(); q, w = s.hostport(), s.hostport(); j = f"pad{s.tag}"; n = s.net(f"{j}_default"); s.file("docker-compose.yml", f"services:\n  web:\n    image: ghost:5\n    ports:\n      - \"127.0.0.1:{q}:{p}\"\n"); s.file("docker-compose.override.yml", f"services:\n  web:\n    ports: !override\n      - \"127.0.0.1:{w}:{p}\"\n"); s.app(p, net=n, name=f"{j}-web-1", image="ghost:5", publish=[f"127.0.0.1:{w}:{p}"], labels=[l + (f",{s.dir}/docker-compose.override.yml" if "config_files" in l else "") for l in compose(j, "web", s.dir)]); host_nginx(s, loc(f"http://127.0.0.1:{w}")); s.expect("/", 200)
@fault
def healthy_check_that_wants_401(s):
    """Of two devices the active one says 401 and the passive one 200; the check wants 401, so one is DOWN, and the visitor gets the 401 that he shall get: works."""
    n = s.net(); p = s.port(); a, b = s.app(p, "--status", 401, net=n, name=s.name("node1")), s.app(p, net=n, name=s.name("node2")); s.haproxy(f"frontend web\n    bind :80\n    default_backend cluster\nbackend cluster\n    option httpchk GET /wapi/\n    http-check expect status 401\n    server node1 {a}:{p} check inter 1s\n    server node2 {b}:{p} check inter 1s fall 1\n", n); s.ready(401); time.sleep(3); s.expect("/", 401, good=(401,))
@fault
def healthy_socket_of_an_older_php_is_left(s):
    """The socket file of PHP 7.4 is still there and refuses; the site has that of 8.2: works."""
    u = host_fpm(s, "<?php echo '<title>shop</title>ok';\n"); old = u.replace("8.2", "7.4"); k = socket.socket(socket.AF_UNIX); k.bind(old); k.close(); s.undo.append(lambda: os.path.exists(old) and os.unlink(old)); own_nginx(s, f"    root {s.dir}/html;\n    location ~ \\.php$ {{\n        include /etc/nginx/fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME {s.dir}/html$fastcgi_script_name;\n        fastcgi_pass unix:{u};\n    }}\n    location / {{ try_files $uri /index.php$is_args$args; }}", http=f"    upstream php74 {{ server unix:{old}; }}\n"); s.expect("/", 200)
@fault
def healthy_neighbour_starts_again_and_again(s):
    """Another app with labels for the same Traefik ends one second after each start: this one works."""
    n = s.net(); p, q = s.port(), s.port(); s.app(p, net=n, labels=s.labels(p, router="notes")); b = s.app(q, "--die", net=n, name=s.name("notes-worker"), labels=s.labels(q, site="worker." + s.site, router="worker"), opts=["--restart", "always"]); s.traefik(s.docker_provider(), n); loops(s, b); s.expect("/", 200)
@fault
def healthy_podman_beside_docker(s):
    """The app is a container of Podman; Docker has a stopped container of nearly its name that publishes the same port: works."""
    p = s.port(); q = s.hostport(); b = s.app(p, name=s.name("miniflux-docker"), publish=[f"127.0.0.1:{q}:{p}"]); stop(b); podman(s, s.name("miniflux"), p, q); host_nginx(s, loc(f"http://127.0.0.1:{q}")); s.expect("/", 200)
