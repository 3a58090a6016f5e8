"""A ninth collection, for the same registry, by another hand again that had read neither the program nor its pages, readers or lab.
A docstring says what is broken and the public thread; `expect` has the first causes that would be right, written before the program
was asked, and whether commands and patches on this machine can mend it. More than half are kinds that the files before it do not
have; the others are the most frequent ones of newcomers, in their own layouts, with neighbours that look guilty and old errors."""
import os, subprocess, time
from faults import APP, ENVOY, fault, fpm_nginx, loc
from more import FILES, caddyfile, certificate, compose, node, variable
from newest import stop
from other import loops, npm
from seventh import moves
from sixth import own_image, sites
from eighth import apache, conf, done, old_errors, secure, swag
from stage import StagingError, sh

def podman(s, image, name, *cmd, opts=()): # a container of Podman on its default network; its image is the one of Docker
    if subprocess.run(["podman", "image", "exists", f"localhost/{image}"]).returncode: sh("sh", "-c", f"docker save {image} | podman load -q", timeout=180); sh("podman", "tag", image, f"localhost/{image}", check=False)
    s.undo.append(lambda: sh("podman", "rm", "-f", "-t", "1", name, check=False)); sh("podman", "run", "-d", "--name", name, *opts, f"localhost/{image}", *cmd)
def server(s, port, text, names=""): return f"server {{\n    listen {port};\n    server_name {s.site}{names};\n{text}\n}}\n"
def other_site(s, port, name, up): return f"# {name}\nserver {{\n    listen {port};\n    server_name {name}.{s.site};\n    location / {{\n        proxy_pass http://{up};\n        proxy_set_header Host $host;\n    }}\n}}\n"
def program(s, name, port): # a stand-alone program of the host that serves `name`
    s.bg(APP, port, "--name", name); s.mark = f"<title>{name}"

# ---------------------------------------------------------------- Traefik
@fault
def traefik_the_shell_ate_the_rule(s):
    """`docker run --label "…rule=Host(`name`)"` in a script: the shell runs what stands between the backticks, and the rule is Host(). https://github.com/Notifiarr/dockwatch/issues/20, https://github.com/basecamp/kamal/pull/50"""
    n = s.net("web"); p = s.port(); r = "notifiarr"; s.file("start-notifiarr.sh", f"#!/bin/bash\n# same as start-kuma.sh\ndocker rm -f notifiarr\ndocker run -d --name notifiarr --network {n} --label \"traefik.enable=true\" --label \"traefik.http.routers.{r}.rule=Host(`{s.site}`)\" --label \"traefik.http.services.{r}.loadbalancer.server.port={p}\" louislam/uptime-kuma:1\n", 0o755)
    s.app(p, net=n, name=s.name("notifiarr"), image="louislam/uptime-kuma:1", labels=["traefik.enable=true", f"stack={s.tag}", f"traefik.http.routers.{r}.rule=Host()", f"traefik.http.services.{r}.loadbalancer.server.port={p}"]); q = s.port(); s.app(q, net=n, name=s.name("kuma"), labels=s.labels(q, site="kuma." + s.site, router="kuma"))
    s.traefik(s.docker_provider(), n); s.needs("the container has to be made again with another label", f"Host(`{s.site}`)"); s.expect("/", 404, "route-misconfigured", "route-missing", mend=False)
@fault
def traefik_middleware_of_the_file(s):
    """The label says `middlewares=secure-headers`; it is defined in a file, so it is called secure-headers@file. https://github.com/thomseddon/traefik-forward-auth/issues/296, https://github.com/traefik/traefik/issues/5692"""
    n = s.net("proxy"); p = s.port(); s.app(p, net=n, name=s.name("pihole"), image="pihole/pihole:2024.07", labels=s.labels(p, router="pihole", extra=["traefik.http.routers.ROUTER.middlewares=secure-headers"])); q = s.port(); s.app(q, net=n, labels=s.labels(q, site="dash." + s.site, router="dash", extra=["traefik.http.routers.ROUTER.middlewares=secure-headers@file"]))
    s.traefik(FILES + s.docker_provider(), n, files={"middlewares.yml": "http:\n  middlewares:\n    secure-headers:\n      headers:\n        frameDeny: true\n        contentTypeNosniff: true\n        stsSeconds: 31536000\n    compress:\n      compress: {}\n", "tls.yml": "tls:\n  options:\n    default:\n      minVersion: VersionTLS12\n"}); s.needs("the container has to be made again with another label", "secure-headers@file"); s.expect("/", 404, "route-misconfigured", mend=True)

# ---------------------------------------------------------------- Caddy
@fault
def caddy_path_in_the_upstream(s):
    """`reverse_proxy http://paperless:8000/docs`: Caddy takes no path there and does not start; nobody of its three sites answers. https://github.com/caddyserver/caddy/issues/808 (kind), https://caddyserver.com/docs/caddyfile/directives/reverse_proxy"""
    n = s.net("caddy"); p, q = s.port(), s.port(); a = s.app(p, net=n, name=s.name("gitea"), image="gitea/gitea:1.22"); s.mark = "<title>gitea"; b = s.app(q, net=n, name=s.name("paperless"), image="paperlessngx/paperless-ngx:2.12"); stop(s.app(q, net=n, name=s.name("paperless-old"), image="paperlessngx/paperless-ngx:2.12"))
    x = s.caddy(f"(headers) {{\n\theader -Server\n}}\n\n# Gitea\nhttp://{s.site} {{\n\timport headers\n\treverse_proxy {a}:{p}\n}}\n\n# Paperless, new\nhttp://docs.{s.site} {{\n\timport headers\n\treverse_proxy http://{b}:{q}/docs\n}}\n", n, opts=["--restart", "always"]); loops(s, x); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=True)
@fault
def caddy_file_is_a_folder(s):
    """./caddy/Caddyfile was not there at the first `up`, so Docker made a folder of that name; Caddy starts again and again: is a directory. https://github.com/brianalewine/jellyfin-docker/issues/2, https://github.com/laradock/laradock/issues/2641"""
    n = s.net("jellyfin-tailscale"); p = s.port(); a = s.app(p, net=n, name=s.name("jellyfin"), image="jellyfin/jellyfin:10.9"); s.mark = "<title>jellyfin"; os.makedirs(f"{s.dir}/caddy/Caddyfile", exist_ok=True); s.file("Caddyfile.example", "# copy me to caddy/Caddyfile\n:80 {\n\treverse_proxy jellyfin:8096\n}\n"); s.hp = s.hostport(); x = s.run("caddy:2", name=s.name("caddy"), net=n, publish=[f"{s.hp}:80"], opts=["-v", f"{s.dir}/caddy:/etc/caddy", "--restart", "unless-stopped"])
    loops(s, x); s.needs("what shall be in the file, its owner knows", f"{s.dir}/caddy/Caddyfile"); s.expect("/", None, "proxy-stopped", "proxy-config-invalid", mend=False)
@fault
def podman_names_on_the_default_network(s):
    """Caddy and the app are containers of Podman on its default network, where names are not known: no such host. https://github.com/NixOS/nixpkgs/issues/200730, https://github.com/NginxProxyManager/nginx-proxy-manager/issues/2197"""
    p = s.port(); s.hp = s.hostport(); a, x = s.name("linkding"), s.name("caddy"); podman(s, "field/base:1", a, "app", p, "--name", "linkding"); s.mark = "<title>linkding"; s.file("caddy/Caddyfile", caddyfile(s, f"{a}:{p}")); podman(s, "caddy:2", x, opts=["-p", f"{s.hp}:80", "--dns", "192.0.2.2", "-v", f"{s.dir}/caddy:/etc/caddy"]); s.expect("/", 502, "default-bridge-no-dns", "name-not-found", mend=True)
@fault
def caddy_synapse_binds_to_localhost(s):
    """homeserver.yaml came from the old machine with bind_addresses: ['127.0.0.1']; in a container nobody gets there. https://github.com/spantaleev/matrix-docker-ansible-deploy/issues/790 (kind), https://github.com/matrix-org/synapse/issues/2157 (kind)"""
    n = s.net("matrix"); y = s.file("synapse/homeserver.yaml", f"server_name: \"{s.site}\"\npid_file: /data/homeserver.pid\nlisteners:\n  - port: 8008\n    tls: false\n    type: http\n    x_forwarded: true\n    bind_addresses: ['127.0.0.1']\n    resources:\n      - names: [client, federation]\n        compress: false\ndatabase:\n  name: sqlite3\n"); a = node(s, "const m = /bind_addresses: \\['([\\d.]+)'\\]/.exec(fs.readFileSync('/data/homeserver.yaml', 'utf8'));\nhttp.createServer((q, r) => { r.writeHead(200, html); r.end(page('Synapse is running')); }).listen(8008, m[1], () => console.log(`synapse.app.homeserver - INFO - Synapse now listening on TCP port 8008`));\n", net=n, name=s.name("synapse"), opts=["-v", f"{s.dir}/synapse:/data", "--expose", "8008", "--expose", "8448"]); s.mark = "<title>Synapse"
    s.app(80, net=n, name=s.name("element-web"), image="field/base:1"); time.sleep(1); s.caddy(f"http://{s.site} {{\n\treverse_proxy /_matrix/* {a}:8008\n\treverse_proxy /_synapse/client/* {a}:8008\n\treverse_proxy {a}:8008\n}}\n", n); s.needs("homeserver.yaml is its owner's", "0.0.0.0"); s.expect("/_matrix/client/versions", 502, "listens-on-localhost", mend=False)
@fault
def caddy_n8n_listens_on_443(s):
    """The .env has N8N_PORT=443, as a guide for public addresses says; n8n listens there now, and Caddy dials 5678. https://github.com/n8n-io/n8n/issues/36, https://github.com/n8n-io/n8n/issues/14768 (kind)"""
    n = s.net("n8n_default"); a = s.app(443, net=n, name=s.name("n8n"), image="n8nio/n8n:1.60", opts=["-e", f"N8N_HOST={s.site}", "-e", "N8N_PORT=443", "-e", "N8N_PROTOCOL=https", "-e", f"WEBHOOK_URL=https://{s.site}/", "--expose", "5678"]); s.mark = "<title>n8n"; done(s, "n8n-import", n, 1, "EACCES: permission denied, open '/home/node/.n8n/config'"); s.caddy(caddyfile(s, f"{a}:5678"), n); s.expect("/", 502, "wrong-port", mend=True)

# ---------------------------------------------------------------- nginx in a container
@fault
def nginx_does_not_know_connection_upgrade(s):
    """One of three files uses $connection_upgrade from a guide, and the map for it stands nowhere: unknown variable, and since the restart no site answers. https://github.com/digitalocean/nginxconfig.io/issues/491, https://github.com/ssbc/go-ssb-room/issues/260"""
    n = s.net("web"); p, q = s.port(), s.port(); a = s.app(p, net=n, name=s.name("ghost"), image="ghost:5"); s.mark = "<title>ghost"; b = s.app(q, net=n, name=s.name("room"), image="field/base:1")
    own = own_image(s, n, {"00-default.conf": "server {\n    listen 80 default_server;\n    return 444;\n}\n", "ghost.conf": server(s, 80, loc(f"http://{a}:{p}"), f" www.{s.site}"), "room.conf": server(s, 80, f"    location / {{\n        proxy_pass http://{b}:{q};\n        proxy_http_version 1.1;\n        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection $connection_upgrade;\n        proxy_set_header Host $host;\n    }}").replace(s.site, "room." + s.site)}, opts=["--restart", "always"]); loops(s, own); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=True)
@fault
def nginx_app_without_a_network(s):
    """`network_mode: none` came with a hardening guide, so the app has nothing but its own loopback. https://github.com/laradock/laradock/issues/1365 (kind), https://docs.docker.com/engine/network/drivers/none/"""
    n = s.net("frontend"); p = s.port(); a = s.app(p, net="none", name=s.name("stirling"), image="field/base:1", opts=["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]); s.mark = "<title>base"; s.app(s.port(), net=n, name=s.name("stirling-docs"), image="field/base:1"); s.nginx(variable(a, p), n); s.expect("/", 502, "network-mismatch", "name-not-found", mend=True)
@fault
def nginx_left_in_debug_mode(s):
    """`command: sleep infinity` was put into the override file to look around in the container, and is still there: the container is up, and nobody listens. https://github.com/nextcloud/docker/issues/1549 (kind), https://github.com/wafflestudio/seminar-2021/issues/681 (kind)"""
    n = s.net("linkwarden_default"); p = s.port(); j = f"linkwarden{s.tag}"; s.file("docker-compose.yml", f"services:\n  web:\n    image: field/base:1\n    command: app {p} --name linkwarden\n  proxy:\n    image: nginx:1.27\n"); s.file("docker-compose.override.yml", "services:\n  web:\n    # to look at the migrations\n    command: sleep infinity\n"); s.mark = "<title>linkwarden"; over = lambda l: [x + (f",{s.dir}/docker-compose.override.yml" if "config_files" in x else "") for x in l]
    a = s.run("field/base:1", "sleep", "infinity", name=f"{j}-web-1", net=n, opts=["--network-alias", "web", "--expose", str(p)], labels=over(compose(j, "web", s.dir))); s.app(5432, "--raw", net=n, name=f"{j}-postgres-1", image="field/base:1", labels=over(compose(j, "postgres", s.dir))); s.nginx(loc(f"http://web:{p}"), n, name=f"{j}-proxy-1", opts=[x for l in over(compose(j, "proxy", s.dir)) for x in ("--label", l)]); s.needs("the command is its owner's to change", "sleep infinity"); s.expect("/", 502, "backend-stopped", mend=False)
@fault
def nginx_certificate_without_its_intermediate(s):
    """The app was given the leaf alone and not the full chain; nginx trusts the house's root: unable to get local issuer certificate. https://github.com/binwiederhier/ntfy/issues/910, https://github.com/nginx-proxy/acme-companion/issues/457"""
    n = s.net(); a = s.name("ntfy"); d = certificate(s, a, ca=True); f = lambda x: f"{d}/{x}"; e = s.file("certs/int.ext", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n"); leaf = s.file("certs/leaf.ext", f"subjectAltName=DNS:{a}\n")
    sh("openssl", "req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", f("int.key"), "-out", f("int.csr"), "-subj", "/CN=Home Issuing CA"); sh("openssl", "x509", "-req", "-in", f("int.csr"), "-out", f("int.crt"), "-days", 300, "-extfile", e, "-CA", f("ca.crt"), "-CAkey", f("ca.key"), "-CAcreateserial"); sh("openssl", "x509", "-req", "-in", f(a + ".csr"), "-out", f(a + ".crt"), "-days", 60, "-extfile", leaf, "-CA", f("int.crt"), "-CAkey", f("int.key"), "-CAcreateserial"); [os.chmod(f(x), 0o644) for x in os.listdir(d)]
    node(s, f"https.createServer({{ key: fs.readFileSync('/certs/{a}.key'), cert: fs.readFileSync('/certs/{a}.crt') }}, (q, r) => {{ r.writeHead(200, html); r.end(page('ntfy')); }}).listen(2443, () => console.log('INFO Listening on :2443[https]'));\n", name=a, net=n, opts=["-v", f"{d}:/certs:ro"]); s.mark = "<title>ntfy"; time.sleep(1)
    s.file("ca/root.crt", open(f("ca.crt")).read()); s.nginx(loc(f"https://{a}:2443", "        proxy_ssl_verify on;\n        proxy_ssl_trusted_certificate /etc/nginx/ca/root.crt;\n        proxy_ssl_server_name on;\n"), n, opts=["-v", f"{s.dir}/ca:/etc/nginx/ca:ro"]); s.expect("/", 502, "untrusted-certificate", mend=True)
@fault
def nginx_volume_has_no_inodes_left(s):
    """df says 12 % used, df -i says 100 %: a cache of tiny files has used up the inodes, and the app says 500: ENOSPC. https://github.com/moby/moby/issues/10613, https://github.com/docker/for-linux/issues/214"""
    n = s.net(); p = s.port(); v = f"invidious_data_{s.tag}"; sh("docker", "volume", "create", "--label", f"field={s.seed}", "--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=16m,nr_inodes=80", v); s.undo.append(lambda: sh("docker", "volume", "rm", v, check=False))
    s.run("field/base:1", "sh", "-c", "mkdir -p /data/cache; i=1; while touch /data/cache/thumb-$i.webp 2>/dev/null; do i=$((i+1)); done; exec sleep 1000000", name=s.name("thumbnails"), net=n, opts=["-v", f"{v}:/data"]); time.sleep(1)
    a = node(s, f"let i = 0;\nhttp.createServer((q, r) => {{ try {{ fs.writeFileSync(`/data/sess_${{Date.now()}}${{i++}}`, 'a:1'); r.writeHead(200, html); r.end(page('invidious')); }} catch (e) {{ console.error(e.message); r.writeHead(500, html); r.end(page('Internal Server Error')); }} }}).listen({p}, () => console.log('ready'));\n", net=n, name=s.name("invidious"), opts=["-v", f"{v}:/data"]); s.mark = "<title>invidious"; s.nginx(loc(f"http://{a}:{p}"), n); s.needs("what may go, the owner decides", "ENOSPC"); s.expect("/", 500, "host-exhausted", "app-error", mend=False)
@fault
def immich_web_has_moved(s):
    """immich-web was made again by an update and has another address; nginx still dials 172.…: No route to host (113). https://github.com/immich-app/immich/issues/1355, https://github.com/immich-app/immich/issues/5561 (kind)"""
    n = s.net("immich_default"); a = s.app(3000, net=n, name=s.name("immich_web"), image="field/base:1"); b = s.app(3001, net=n, name=s.name("immich_server"), image="field/base:1"); s.app(6379, "--raw", net=n, name=s.name("immich_redis"), image="field/base:1"); s.mark = "<title>base"
    s.nginx("    client_max_body_size 50000M;\n    proxy_http_version 1.1;\n    proxy_set_header Upgrade $http_upgrade;\n    proxy_set_header Connection \"upgrade\";\n    proxy_connect_timeout 5s;\n    location /api {\n        rewrite /api/(.*) /$1 break;\n        proxy_pass http://server;\n    }\n    location / {\n        proxy_pass http://web;\n    }", n, name=s.name("immich_proxy"), http=f"upstream server {{\n    server {b}:3001;\n    keepalive 2;\n}}\nupstream web {{\n    server {a}:3000;\n    keepalive 2;\n}}\n"); s.ready(); moves(s, a, n); sh("docker", "rm", "-f", [x for x in s.used if x.startswith("worker")][0]); s.expect("/", {502, 504}, "stale-address", mend=True)
@fault
def keycloak_without_http(s):
    """In production Keycloak has https on 8443 only, unless KC_HTTP_ENABLED is true; nginx dials http on 8080 as in the guide for dev mode. https://github.com/keycloak/keycloak/issues/11372 (kind), https://github.com/keycloak/keycloak/issues/10626 (kind)"""
    n = s.net("sp_int"); k = secure(s, s.name("keycloak"), n, "keycloak", 8443); s.mark = "<title>keycloak"; done(s, "keycloak-config", n, 1, "ERROR: failed to connect to http://keycloak:8080: Connection refused"); a = s.app(s.port(), net=n, name=s.name("portal")); time.sleep(1)
    own_image(s, n, {"keycloak.conf": server(s, 80, f"    add_header Strict-Transport-Security \"max-age=31536000; includeSubDomains; preload\";\n    proxy_set_header Host $host;\n    proxy_set_header X-Forwarded-Proto $scheme;\n    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n    location / {{\n        proxy_pass http://{k}:8080;\n    }}"), "portal.conf": other_site(s, 80, "portal", f"{a}:80")}); s.expect("/realms/master/", 502, "wrong-port", "http-to-https-backend", mend=True)
@fault
def minio_console_is_elsewhere(s):
    """Without --console-address MinIO draws a port for its console at each start; nginx has 9001 for it. 9000 is the API, which says 403 to a browser. https://github.com/minio/minio/issues/19026, https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1731 (kind)"""
    n = s.net("storage"); c = s.rnd.randrange(33000, 47000); a = node(s, f"http.createServer((q, r) => {{ r.writeHead(403, {{ 'Content-Type': 'application/xml', Server: 'MinIO' }}); r.end('<?xml version=\"1.0\" encoding=\"UTF-8\"?>\\n<Error><Code>AccessDenied</Code><Message>Access Denied.</Message></Error>'); }}).listen(9000);\nhttp.createServer((q, r) => {{ r.writeHead(200, html); r.end(page('MinIO Console')); }}).listen({c}, () => console.log('API: http://127.0.0.1:9000\\nConsole: http://127.0.0.1:{c}\\n\\nWARNING: Console endpoint is listening on a dynamic port ({c}), please use --console-address \":PORT\" to choose a static port.'));\n", net=n, name=s.name("minio"), opts=["--expose", "9000"]); s.mark = "<title>MinIO Console"; time.sleep(1)
    s.nginx(f"    ignore_invalid_headers off;\n    client_max_body_size 0;\n    proxy_buffering off;\n    location / {{\n        proxy_pass http://console;\n        proxy_http_version 1.1;\n        proxy_set_header Host $http_host;\n        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection \"upgrade\";\n    }}", n, http=f"upstream s3 {{\n    server {a}:9000;\n}}\nupstream console {{\n    server {a}:9001;\n}}\nserver {{\n    listen 80;\n    server_name s3.{s.site};\n    location / {{ proxy_pass http://s3; proxy_set_header Host $http_host; }}\n}}\n"); s.expect("/login", 502, "wrong-port", mend=True)
@fault
def vaultwarden_lost_its_second_port(s):
    """`location /notifications/hub` leads to 3012, which Vaultwarden does not have any more; all other pages work. https://github.com/dani-garcia/vaultwarden/issues/5900, https://github.com/HuJK/bitwarden_gcloud_cloudflare/pull/5"""
    n = s.net("vaultwarden"); a = s.app(80, net=n, name=s.name("vaultwarden"), image="vaultwarden/server:1.32", opts=["-e", "WEBSOCKET_ENABLED=true", "--expose", "80", "--expose", "3012"]); s.mark = "<title>server"; up = "        proxy_http_version 1.1;\n        proxy_set_header Upgrade $http_upgrade;\n        proxy_set_header Connection \"upgrade\";\n"
    s.nginx(f"    client_max_body_size 128M;\n    location / {{\n        proxy_set_header Host $host;\n        proxy_pass http://{a}:80;\n    }}\n    location /notifications/hub {{\n{up}        proxy_pass http://{a}:3012;\n    }}\n    location /notifications/hub/negotiate {{\n        proxy_pass http://{a}:80;\n    }}", n); s.expect("/notifications/hub", 502, "wrong-port", mend=True)
@fault
def paperless_does_not_find_its_broker(s):
    """PAPERLESS_REDIS has the name of the guide, `broker`, and the service is called redis here: ENOTFOUND, again and again. https://github.com/paperless-ngx/paperless-ngx/issues/568 (kind), https://github.com/immich-app/immich/issues/631 (kind)"""
    n = s.net("paperless_default"); p = s.port(); j = f"paperless{s.tag}"; s.app(6379, "--raw", net=n, name=f"{j}-redis-1", image="field/base:1", opts=["--network-alias", "redis"], labels=compose(j, "redis", s.dir)); a = node(s, f"const h = new URL(process.env.PAPERLESS_REDIS).hostname;\nconsole.log('Paperless-ngx docker container starting...\\nWaiting for Redis...');\nrequire('dns').lookup(h, e => {{ if (e) {{ console.error(`redis.exceptions.ConnectionError: getaddrinfo ENOTFOUND ${{h}}`); process.exit(1); }} http.createServer((q, r) => {{ r.writeHead(200, html); r.end(page('paperless')); }}).listen({p}); }});\n", net=n, name=f"{j}-webserver-1", opts=["-e", "PAPERLESS_REDIS=redis://broker:6379", "--network-alias", "webserver", "--restart", "unless-stopped"], labels=compose(j, "webserver", s.dir)); s.mark = "<title>paperless"
    loops(s, a); s.nginx(variable("webserver", p), n); s.needs("the variable is the owner's", "ENOTFOUND"); s.expect("/", 502, "backend-crash-loop", mend=False)
@fault
def fpm_pool_of_another_site(s):
    """php-fpm has two pools; the user of the blog's is gone, so none of them starts: cannot get uid for user 'blog'. https://github.com/YunoHost-Apps/hotspot_ynh/issues/41, https://github.com/voocel/docker-lnmp/issues/10"""
    n = s.net("lamp"); s.file("html/index.php", "<?php echo '<title>shop</title>ok';\n"); s.mark = "<title>shop"; pool = lambda name, user, port: f"[{name}]\nuser = {user}\ngroup = www-data\nlisten = {port}\npm = static\npm.max_children = 2\n"; a = s.run("php:8.2-fpm", name=s.name("php"), net=n, opts=s.mount("php-fpm.d", "/usr/local/etc/php-fpm.d", {"www.conf": pool("www", "www-data", 9000), "blog.conf": pool("blog", "blog", 9001)}) + ["-v", f"{s.dir}/html:/var/www/html", "--restart", "always"])
    loops(s, a); s.nginx("    root /var/www/html;\n    resolver 127.0.0.11 valid=5s;\n    location / {\n        set $php " + a + ";\n        include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME /var/www/html/index.php;\n        fastcgi_pass $php:9000;\n    }", n); s.needs("make the user, or give the pool up", "cannot get uid"); s.expect("/", 502, "backend-crash-loop", mend=False)
@fault
def wordpress_has_apache_in_it(s):
    """`fastcgi_pass wordpress:9000` from the guide for the image with fpm; this is wordpress:latest, which has Apache on 80. https://github.com/hotio/cloudflareddns/issues/5 (kind), https://github.com/multiOTP/multiotp/issues/229 (kind)"""
    n = s.net("wordpress_default"); a = node(s, "http.createServer((q, r) => { r.writeHead(200, html); r.end(page('wordpress')); }).listen(80);\n", net=n, name=s.name("wordpress"), opts=["--expose", "80"]); s.mark = "<title>wordpress"; time.sleep(1); s.app(3306, "--raw", net=n, name=s.name("wordpress-db"), image="field/base:1"); fpm_nginx(s, n, a); s.expect("/", 502, "wrong-port", "protocol-mismatch", mend=True)

# ---------------------------------------------------------------- NPM, SWAG, nginx-proxy
@fault
def npm_scheme_in_the_host_name(s):
    """`Forward Hostname` is "http://wikijs" while the scheme stands in its own field: invalid port in upstream, 500. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1407 (kind), https://github.com/NginxProxyManager/nginx-proxy-manager/issues/203 (kind)"""
    n = s.net("npm_default"); a = s.app(3000, net=n, name=s.name("wikijs"), image="field/base:1"); s.mark = "<title>base"; npm(s, n, f"http://{a}", 3000); s.needs("NPM writes its files itself, so it has to be told", f"http://{a}"); s.expect("/", {500, 502}, "route-misconfigured", "name-not-found", mend=False)
@fault
def swag_nextcloud_speaks_tls(s):
    """The linuxserver image of Nextcloud speaks TLS on 443; the file was written after that of another app, with $upstream_proto http. https://github.com/linuxserver/reverse-proxy-confs/issues/282 (kind), https://github.com/linuxserver/docker-nextcloud/issues/211 (kind)"""
    n = s.net("lsio"); a = secure(s, s.name("nextcloud"), n, "nextcloud", 443); s.mark = "<title>nextcloud"; b = s.app(9000, net=n, name=s.name("mealie"), image="field/base:1"); time.sleep(1); swag(s, n, {"nextcloud.subdomain.conf": conf(s.site, a, 443), "mealie.subdomain.conf": conf("mealie." + s.site, b, 9000), "vaultwarden.subdomain.conf.sample": conf("vaultwarden.*", "vaultwarden", 80)}); s.expect("/", {400, 502}, "http-to-https-backend", mend=True)
@fault
def nginx_proxy_host_has_a_scheme(s):
    """VIRTUAL_HOST=https://name: nginx-proxy writes that as a server_name, which no request has: 503 of its default site. https://github.com/nginx-proxy/nginx-proxy/issues/1084 (kind), https://github.com/evertramos/nginx-proxy-automation/issues/144 (kind)"""
    n = s.net("webproxy"); p, q = s.port(), s.port(); a = s.app(p, net=n, name=s.name("shlink"), opts=["-e", f"VIRTUAL_HOST=https://{s.site}", "-e", f"VIRTUAL_PORT={p}", "-e", f"LETSENCRYPT_HOST={s.site}", "--expose", str(p)]); b = s.app(q, net=n, name=s.name("reaction"), opts=["-e", f"VIRTUAL_HOST=shop.{s.site}", "-e", f"VIRTUAL_PORT={q}", "--expose", str(q)]); entry = lambda host, c, port: f"# {host}/\nupstream {host.split('//')[-1]} {{\n    # Container: {c}\n    #     networks:\n    #         {n} (reachable)\n    #     IP address: {s.ip(c)}\n    #     exposed ports: {port}/tcp\n    #     default port: 80\n    #     using port: {port}\n    server {s.ip(c)}:{port};\n}}\nserver {{\n    server_name {host};\n    listen 80 ;\n    location / {{\n        proxy_pass http://{host.split('//')[-1]};\n        proxy_set_header Host $host;\n    }}\n}}\n"
    s.hp = s.hostport(); x = s.run("nginx:1.27", name=s.name("nginx-proxy"), net=n, opts=s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": f"# nginx-proxy version : 1.6.0\n# Networks available to the container running docker-gen (which are assumed to\n# match the networks available to the container running nginx):\n#     {n}\nserver {{\n    server_name _; # This is just an invalid value which will never trigger on a real hostname.\n    listen 80;\n    return 503;\n}}\n" + entry(f"https://{s.site}", a, p) + entry(f"shop.{s.site}", b, q)}), publish=[f"{s.hp}:80"], labels=["com.github.nginx-proxy.nginx-proxy.nginx"])
    s.run("nginxproxy/docker-gen:0.14", "sh", "-c", "exec sleep infinity", "docker-gen", "-notify-sighup", x, "-watch", "/etc/docker-gen/templates/nginx.tmpl", "/etc/nginx/conf.d/default.conf", name=s.name("docker-gen"), net=n, opts=["-v", f"{s.dir}/conf.d:/etc/nginx/conf.d", "-v", "/var/run/docker.sock:/tmp/docker.sock:ro"], labels=["com.github.nginx-proxy.docker-gen"]); s.needs("the container has to be made again with another variable", "VIRTUAL_HOST"); s.expect("/", 503, "route-missing", "route-misconfigured", mend=False)

# ---------------------------------------------------------------- nginx of the host
@fault
def nginx_lost_its_process_number(s):
    """The port was put right in the file, and the reload said: open() "nginx.pid" failed; a clean-up of old files took it. The old workers go on. https://github.com/easzlab/kubeasz/issues/919 (kind), https://nginx.org/en/docs/control.html"""
    s.hp, q, w = s.hostport(), s.hostport(), s.hostport(); program(s, "wallabag", w); t = lambda port: server(s, s.hp, loc(f"http://127.0.0.1:{port}")); sites(s, {"http.d/wallabag.conf": t(q), "http.d/old-blog.conf.disabled": other_site(s, s.hp, "blog", "127.0.0.1:2368"), "http.d/status.conf": "server {\n    listen 127.0.0.1:%d;\n    location /stub_status { stub_status; }\n}\n" % s.hostport()}); s.ready(502); os.unlink(f"{s.dir}/nginx/logs/nginx.pid"); time.sleep(1.2); s.file("nginx/conf/http.d/wallabag.conf", t(w))
    subprocess.run(["/usr/sbin/nginx", "-p", f"{s.dir}/nginx", "-c", "conf/nginx.conf", "-s", "reload"], capture_output=True); s.expect("/", 502, "config-not-reloaded", mend=True)
@fault
def gitea_has_a_socket_now(s):
    """app.ini was given PROTOCOL = http+unix, and nginx still dials 127.0.0.1:PORT, where nobody is. https://github.com/benoitc/gunicorn/issues/2399 (the reverse), https://github.com/go-gitea/gitea/issues (kind)"""
    s.hp, q = s.hostport(), s.hostport(); os.makedirs(s.dir + "/run/gitea", exist_ok=True); u = f"{s.dir}/run/gitea/gitea.socket"; s.file("gitea/conf/app.ini", f"APP_NAME = Gitea\nRUN_MODE = prod\n\n[server]\nPROTOCOL = http+unix\nHTTP_ADDR = {u}\n;HTTP_PORT = {q}\nUNIX_SOCKET_PERMISSION = 666\nDOMAIN = {s.site}\n"); s.bg(APP, 0, "--unix", u, "--name", "gitea"); time.sleep(0.7); os.chmod(u, 0o666); s.mark = "<title>gitea"; old_errors(s, f"127.0.0.1:{q}", "111: Connection refused")
    sites(s, {"http.d/gitea.conf": server(s, s.hp, "    client_max_body_size 512M;\n" + loc(f"http://127.0.0.1:{q}"))}); s.expect("/", 502, "wrong-port", "backend-stopped", "route-misconfigured", "socket-unavailable", mend=True)
@fault
def puma_socket_has_two_folders_swapped(s):
    """The app makes shared/tmp/sockets/puma.sock since Capistrano 3, and nginx has tmp/shared/sockets; the other app's, of before, is right. https://github.com/puma/puma/issues/497"""
    s.hp = s.hostport(); one, two = f"{s.dir}/app1/shared/sockets", f"{s.dir}/app2/shared/tmp/sockets"; os.makedirs(one); os.makedirs(two); s.bg(APP, 0, "--unix", one + "/puma.sock", "--name", "app1"); s.bg(APP, 0, "--unix", two + "/puma.sock", "--name", "app2"); time.sleep(0.7); [os.chmod(d + "/puma.sock", 0o666) for d in (one, two)]; s.mark = "<title>app2"; up = lambda a: f"    root {s.dir}/{a}/public;\n    location / {{\n        proxy_pass http://{a}.{s.site};\n        proxy_set_header Host $host;\n    }}"
    sites(s, {"http.d/upstreams.conf": f"upstream app1.{s.site} {{ server unix:{one}/puma.sock; }}\nupstream app2.{s.site} {{ server unix:{s.dir}/app2/tmp/shared/sockets/puma.sock; }}\n", "http.d/app2.conf": server(s, s.hp, up("app2")), "http.d/app1.conf": server(s, s.hp, up("app1")).replace(f"server_name {s.site}", f"server_name app1.{s.site}")}); s.expect("/", 502, "socket-unavailable", mend=True)
@fault
def blue_green_still_blue(s):
    """The deployment started green and stopped blue, and broke off before it changed the link active.conf: nginx still has blue. https://github.com/hbz/lobid-resources/issues/510 (kind), https://github.com/jojoldu/freelec-springboot2-webservice/issues/185 (kind)"""
    p = s.port(); s.hp, q, w = s.hostport(), s.hostport(), s.hostport(); blue = s.app(p, name=s.name("shop-blue"), image="ghost:5", publish=[f"127.0.0.1:{q}:{p}"]); green = s.app(p, name=s.name("shop-green"), image="ghost:5", publish=[f"127.0.0.1:{w}:{p}"]); s.mark = "<title>ghost"; up = lambda port: f"upstream shop {{\n    server 127.0.0.1:{port};\n}}\n"
    for c, port in (("blue", q), ("green", w)): s.file(f"nginx/conf/upstream.d/{c}.conf", up(port))
    os.symlink("blue.conf", f"{s.dir}/nginx/conf/upstream.d/active.conf"); sites(s, {"http.d/shop.conf": "include upstream.d/active.conf;\n" + server(s, s.hp, loc("http://shop"))}); s.ready(); stop(blue); s.expect("/", 502, "backend-stopped", "route-misconfigured", "wrong-port", mend=True)

# ---------------------------------------------------------------- HAProxy
@fault
def haproxy_check_without_the_name(s):
    """Requests have `sni`, the check has no check-sni, and the app's server refuses a handshake without a name: DOWN, SSL handshake failure. https://github.com/haproxy/haproxy/issues/795, https://github.com/six-group/haproxy-operator/issues/46"""
    n = s.net(); a = s.name("mail01"); d = certificate(s, a); s.run("nginx:1.27", name=a, net=n, opts=s.mount("mail", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen 443 ssl default_server;\n    ssl_reject_handshake on;\n}}\nserver {{\n    listen 443 ssl;\n    server_name {a} {s.site};\n    ssl_certificate /certs/{a}.crt;\n    ssl_certificate_key /certs/{a}.key;\n    location / {{ default_type text/html; return 200 '<title>webmail</title>'; }}\n}}\n"}) + ["-v", f"{d}:/certs:ro"]); s.mark = "<title>webmail"; time.sleep(1)
    s.haproxy(f"frontend web\n    bind :80\n    default_backend mail\nbackend mail\n    server {a} {a}:443 ssl verify none sni str({a}) check inter 1s fall 2\n", n); s.ready(503); s.expect("/", 503, "backend-unhealthy", "tls-handshake-failed", "route-misconfigured", mend=True)
@fault
def haproxy_weight_is_zero(s):
    """The old machine's line was commented out and the new one's still has `weight 0` from the rehearsal: no server takes a visitor. https://github.com/haproxy/haproxy/issues/152 (kind), https://github.com/docker-archive/dockercloud-haproxy/issues/188 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, name=s.name("web-new")); stop(s.app(p, net=n, name=s.name("web-old"))); s.haproxy(f"frontend web\n    bind :80\n    default_backend web\nbackend web\n    balance roundrobin\n    option httpchk GET /\n    # server old 192.168.178.31:{p} check weight 100\n    server new {a}:{p} check inter 2s weight 0\n", n); s.ready(503); s.expect("/", 503, "route-misconfigured", "backend-unhealthy", mend=True)
@fault
def haproxy_gitlab_listens_where_it_is_seen(s):
    """external_url 'http://name:8929' makes GitLab's own nginx listen on 8929, too, unless listen_port says otherwise; HAProxy dials 80. https://github.com/gitlabhq/gitlabhq/issues/9230, https://github.com/nginx-proxy/nginx-proxy/issues/548"""
    n = s.net("gitlab_default"); a = s.app(8929, net=n, name=s.name("gitlab"), image="field/base:1", opts=["-e", f"GITLAB_OMNIBUS_CONFIG=external_url 'http://{s.site}:8929'; gitlab_rails['gitlab_shell_ssh_port'] = 2224", "--expose", "22", "--expose", "80", "--expose", "443"]); s.mark = "<title>base"; done(s, "gitlab-runner", n, 1, "ERROR: Registering runner... failed  status=couldn't execute POST against http://gitlab/api/v4/runners: connect: connection refused"); s.haproxy(f"frontend web\n    bind :80\n    acl git hdr_dom(host) -i {s.site}\n    use_backend gitlab if git\nbackend gitlab\n    option forwardfor\n    server gitlab {a}:80 check inter 2s\n", n); s.ready(503); s.expect("/", 503, "wrong-port", mend=True)

# ---------------------------------------------------------------- Apache and Envoy
@fault
def apache_balancer_without_its_method(s):
    """mod_proxy_balancer was enabled, mod_lbmethod_byrequests was not: Apache refuses its file and starts again and again. https://github.com/puppetlabs/puppetlabs-apache/issues/291, https://github.com/sous-chefs/apache2/issues/182"""
    n = s.net("cluster"); p = s.port(); a, b = s.app(p, net=n, name=s.name("node-a"), image="ghost:5"), s.app(p, net=n, name=s.name("node-b"), image="ghost:5"); s.mark = "<title>ghost"; x = s.httpd(f"LoadModule proxy_balancer_module modules/mod_proxy_balancer.so\nLoadModule slotmem_shm_module modules/mod_slotmem_shm.so\n#LoadModule lbmethod_byrequests_module modules/mod_lbmethod_byrequests.so\n<Proxy balancer://app>\n    BalancerMember http://{a}:{p}\n    BalancerMember http://{b}:{p}\n</Proxy>\n<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPreserveHost On\n    ProxyPass / balancer://app/\n    ProxyPassReverse / balancer://app/\n</VirtualHost>\n", n, opts=["--restart", "always"]); loops(s, x); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", "route-misconfigured", mend=True)
@fault
def apache_spring_ended_with_the_terminal(s):
    """The jar was started by hand over ssh and ended with the terminal: a nohup.out from before, a file with an old process number, and nobody listens. https://github.com/wafflestudio/seminar-2021/issues/681, https://github.com/jojoldu/freelec-springboot2-webservice/issues/185"""
    q = s.hostport(); s.file("app/application.properties", f"server.port={q}\nspring.application.name=board\n"); s.file("app/board.pid", "31337\n"); s.file("app/nohup.out", f"2026-11-20 09:12:44.101  INFO 31337 --- [main] o.s.b.w.embedded.tomcat.TomcatWebServer  : Tomcat started on port(s): {q} (http) with context path ''\n"); s.file("app/deploy.sh", "#!/bin/bash\ncd $(dirname $0)\nkill $(cat board.pid)\nnohup java -jar board-0.0.1-SNAPSHOT.jar &\necho $! > board.pid\n", 0o755); s.bg(APP, q + 1, "--name", "other")
    apache(s, {"000-default.conf": f"<VirtualHost *:PORT>\n    ServerName default.invalid\n    DocumentRoot {s.dir}/html\n</VirtualHost>\n", "board.conf": f"<VirtualHost *:PORT>\n    ServerName {s.site}\n    ProxyPreserveHost On\n    ProxyPass / http://127.0.0.1:{q}/\n    ProxyPassReverse / http://127.0.0.1:{q}/\n</VirtualHost>\n"}); s.mark = "<title>board"; s.needs("how the app is started, its owner knows", str(q)); s.expect("/", 503, "backend-stopped", mend=False)
@fault
def envoy_stream_is_idle_too_soon(s):
    """The route's timeout was raised to a minute, and stream_idle_timeout of the listener is 2 s; the report takes 6. https://github.com/envoyproxy/envoy/issues/27492, https://github.com/envoyproxy/envoy/issues/9129"""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", "6", net=n, name=s.name("reports")); t = ENVOY.format(host=s.site, up=a, port=p, cluster=""); at = "          stat_prefix:"
    if at not in t or "route:" not in t: raise StagingError("Envoy's file has another form")
    s.envoy(t.replace(at, "          stream_idle_timeout: 2s\n" + at, 1), n); s.ready({408, 504}); s.expect("/", {408, 504}, "timeout-too-short", slow=8, mend=True)

# ---------------------------------------------------------------- healthy, and it looks strange
@fault
def healthy_old_project_is_off(s):
    """The stack was renamed: all containers of the old project stand stopped, among them one of the app's image and port: works."""
    n = s.net("immich_default"); j, o = f"immich{s.tag}", f"docker{s.tag}"; p = s.port()
    for c in ("immich-server", "redis", "database"): stop(s.app(p, net=n, name=f"{o}-{c}-1", image="field/base:1", labels=compose(o, c, s.dir + "/docker")))
    a = s.app(p, net=n, name=f"{j}-immich-server-1", image="field/base:1", labels=compose(j, "immich-server", s.dir)); s.caddy(f"# docker-immich-server-1 until October\n{caddyfile(s, f'{a}:{p}')}", n); s.expect("/", 200)
@fault
def healthy_log_of_this_very_upstream(s):
    """nginx's error log is full of refusals of the very upstream, of last week and of this morning; it works since it was started again."""
    s.hp, q = s.hostport(), s.hostport(); s.bg(APP, q, "--name", "tandoor"); old_errors(s, f"127.0.0.1:{q}", "111: Connection refused"); t = time.strftime("%Y/%m/%d 06:1"); open(f"{s.dir}/nginx/logs/error.log", "a").write("".join(f"{t}{i}:00 [error] 812#812: *{5000 + i} connect() failed (111: Connection refused) while connecting to upstream, client: 198.51.100.7, server: {s.site}, request: \"GET / HTTP/1.1\", upstream: \"http://127.0.0.1:{q}/\", host: \"{s.site}\"\n" for i in range(9))); sites(s, {"http.d/tandoor.conf": server(s, s.hp, loc(f"http://127.0.0.1:{q}"))}); s.expect("/", 200)
@fault
def healthy_nine_seconds(s):
    """The first byte of the start page takes 9 s behind Traefik, which waits as long as it takes: works."""
    n = s.net(); p = s.port(); s.app(p, "--delay", "9", net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.expect("/", 200, slow=12)
@fault
def healthy_apache_page_that_is_not_there(s):
    """An address that the app does not have: its own 404, behind Apache; the app is well."""
    q = s.hostport(); s.bg("/usr/bin/node", "-e", f"require('http').createServer((q, r) => {{ const ok = q.url === '/'; r.writeHead(ok ? 200 : 404, {{ 'Content-Type': 'text/html' }}); r.end(ok ? '<title>wiki</title>' : '<title>This page does not exist yet</title><p>Create it?</p>'); }}).listen({q}, '127.0.0.1')"); apache(s, {"wiki.conf": f"<VirtualHost *:PORT>\n    ServerName {s.site}\n    ProxyPreserveHost On\n    ProxyPass / http://127.0.0.1:{q}/\n</VirtualHost>\n"}); s.ready(); s.expect("/wiki/Summer-2019", 404, good=(404,))
@fault
def healthy_blue_is_off_green_serves(s):
    """Blue/green: the link leads to green, which serves; blue was stopped after the change: works."""
    p = s.port(); s.hp, q, w = s.hostport(), s.hostport(), s.hostport(); stop(s.app(p, name=s.name("shop-blue"), image="ghost:5", publish=[f"127.0.0.1:{q}:{p}"])); s.app(p, name=s.name("shop-green"), image="ghost:5", publish=[f"127.0.0.1:{w}:{p}"])
    for c, port in (("blue", q), ("green", w)): s.file(f"nginx/conf/upstream.d/{c}.conf", f"upstream shop {{\n    server 127.0.0.1:{port};\n}}\n")
    os.symlink("green.conf", f"{s.dir}/nginx/conf/upstream.d/active.conf"); old_errors(s, f"127.0.0.1:{q}", "111: Connection refused"); sites(s, {"http.d/shop.conf": "include upstream.d/active.conf;\n" + server(s, s.hp, loc("http://shop"))}); s.expect("/", 200)
@fault
def healthy_reload_on_the_way(s):
    """nginx was reloaded while two visitors wait for a long page, so old workers are still shutting down beside the new: works."""
    s.hp, q = s.hostport(), s.hostport(); s.bg(APP, q, "--name", "mealie"); reload = sites(s, {"http.d/mealie.conf": server(s, s.hp, loc(f"http://127.0.0.1:{q}"))}); s.ready(); s.load(2, f"http://{s.site}:{s.hp}/slow"); reload(); time.sleep(1); s.expect("/", 200)
@fault
def healthy_self_signed_and_not_verified(s):
    """Traefik speaks https to an app with a certificate of its own, and insecureSkipVerify is set: works."""
    n = s.net(); secure(s, s.name("unifi"), n, "unifi", 8443, labels=s.labels(8443, router="unifi", extra=["traefik.http.services.ROUTER.loadbalancer.server.scheme=https"])); time.sleep(1); s.traefik(s.docker_provider("--serversTransport.insecureSkipVerify=true"), n); s.expect("/", 200)
@fault
def healthy_envoy_app_wants_a_password(s):
    """The app asks for a password (401) behind Envoy, and a worker beside it starts again and again: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--status", 401, net=n, name=s.name("registry")); b = s.app(s.port(), "--die", net=n, name=s.name("registry-gc"), image="field/base:1", opts=["--restart", "always"]); s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster=""), n); loops(s, b); s.expect("/", 401, good=(401,))
