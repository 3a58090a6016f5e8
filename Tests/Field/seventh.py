"""A seventh collection, for the same registry, by another hand again that had read neither the program nor its pages, readers or lab.
A docstring says what is broken and the public thread; `expect` has the first causes that would be right, written before the program
was asked, and whether commands and patches on this machine can mend it. Two of three are ordinary faults in another dress: what a
platform has generated, macros, snippets with arguments, several files and projects, updates that changed a port, a path or a user."""
import os, signal, time
from faults import APP, ENVOY, fault, fpm, fpm_nginx, guest, host_caddy, host_haproxy, host_nginx, loc, nginx_main, overlay, swarm, vpn
from more import FILES, backend, caddyfile, certificate, compose, node, variable
from fresh import BALANCER, host_fpm, own_nginx, vhost
from newest import balancer, envoy, page, services, stop
from other import gone, loops, npm
from sixth import own_image, paths, place, sites
from stage import PEERS, StagingError, get, sh

def inside(s, a, word): # ends the process of a container whose command line begins with `word`; the container runs on
    pids = [l.split() for l in sh("docker", "top", a, "-eo", "pid,args").splitlines()[1:]]
    found = [int(p[0]) for p in pids if p[1] == word]
    if not found: raise StagingError(f"{a} has no process {word}")
    for p in found: os.kill(p, signal.SIGKILL)
def moves(s, a, *networks): # stops a container, gives its address away, and starts it: it has another one then
    old = s.ip(a); stop(a); s.run("field/base:1", "sleep", "infinity", name=s.name("worker"), net=networks[0] if networks else None); sh("docker", "start", a); time.sleep(0.5)
    if s.ip(a) == old: raise StagingError("the address is the same")

# ---------------------------------------------------------------- what a platform has written
@fault
def caprover_port_of_the_default(s):
    """CapRover's file says `set $upstream http://srv-captain--name`, which is port 80; the app listens on another. https://github.com/caprover/caprover/issues/130"""
    n = s.net("captain-overlay"); p = s.port(); w = "srv-captain--" + s.site.split(".")[0] + s.tag; s.app(p, net=n, name=w + ".1." + "".join(s.rnd.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(25)), opts=["--network-alias", w])
    own_image(s, n, {"captain-root.conf": "server {\n    listen 80 default_server;\n    server_name _;\n    return 404;\n}\n", "captain.conf": f"server {{\n\n    listen       80;\n    client_max_body_size 500m;\n    server_name  {s.site};\n\n    # 127.0.0.11 is DNS set up by Docker, see:\n    # https://docs.docker.com/engine/userguide/networking/configure-dns/\n    resolver 127.0.0.11 valid=10s;\n    # IMPORTANT!! If you are here from an old thread to set a custom port, you do not need to modify this port manually here!!\n    # Simply change the Container HTTP Port from the dashboard HTTP panel\n    set $upstream http://{w}:80;\n\n    location / {{\n        proxy_pass $upstream;\n        proxy_set_header Host $host;\n        proxy_set_header X-Real-IP $remote_addr;\n        proxy_set_header X-Forwarded-Proto $scheme;\n    }}\n    error_page 502 /captain_502_custom_error_page.html;\n    location = /captain_502_custom_error_page.html {{\n        root /usr/share/nginx/default;\n        internal;\n    }}\n}}\n"},
        opts=s.mount("nginx/default", "/usr/share/nginx/default", {"captain_502_custom_error_page.html": "<html><head><title>NGINX 502 Error</title></head><body><h1>NGINX 502 Error :/</h1><p>If you are the developer, check your application's logs.</p></body></html>\n"}))
    s.expect("/", 502, "wrong-port", mend=True)
@fault
def dokku_address_of_the_container_before(s):
    """The container came back after a crash with another address, and the file dokku had written has the old one. https://github.com/dokku/dokku/issues/3152, https://github.com/dokku/dokku/issues/2846"""
    p = s.port(); w = s.site.split(".")[0]; a = s.app(p, name=f"{w}{s.tag}.web.1", opts=["-e", f"PORT={p}"]); s.hp = s.hostport(); d = f"{s.dir}/nginx"; os.makedirs(d + "/logs"); u = f"{w}-{p}"
    s.file(f"home/{w}/nginx.conf", f"server {{\n  listen      {s.hp};\n  server_name {s.site};\n  access_log  logs/{w}-access.log;\n  error_log   logs/{w}-error.log;\n  underscores_in_headers off;\n\n  location    / {{\n    proxy_pass  http://{u};\n    proxy_http_version 1.1;\n    proxy_connect_timeout 60s;\n    proxy_read_timeout 60s;\n    proxy_set_header Upgrade $http_upgrade;\n    proxy_set_header Connection $http_connection;\n    proxy_set_header Host $http_host;\n  }}\n  include {s.dir}/home/{w}/nginx.conf.d/*.conf;\n}}\nupstream {u} {{\n  server {s.ip(a)}:{p};\n}}\n")
    s.file(f"home/{w}/nginx.conf.d/upload.conf", "client_max_body_size 50m;\n"); s.file("nginx/conf.d/dokku.conf", f"include {s.dir}/home/*/nginx.conf;\nserver_tokens off;\n"); s.file("nginx/conf/nginx.conf", nginx_main(f"    include {d}/conf.d/*.conf;")); s.bg("/usr/sbin/nginx", "-p", d, "-c", "conf/nginx.conf", "-g", "daemon off;"); s.ready(); moves(s, a); s.expect("/", 502, "stale-address", mend=True)
@fault
def npm_custom_location_has_an_old_address(s):
    """The site works; a custom location has a name as it stands, which nginx looked up once, and that container was made again. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/5602"""
    n = s.net(); p, q = s.port(), s.port(); a = s.app(p, net=n); b = s.app(q, net=n, name=s.name("api")); npm(s, n, a, p, inside=f"\n  location /api/ {{\n    proxy_set_header Host $host;\n    proxy_set_header X-Forwarded-Scheme $scheme;\n    proxy_set_header X-Forwarded-Proto  $scheme;\n    proxy_set_header X-Forwarded-For    $remote_addr;\n    proxy_set_header X-Real-IP          $remote_addr;\n    proxy_pass       http://{b}:{q};\n  }}\n"); s.ready(path="/api/unicore"); moves(s, b, n); s.expect("/api/unicore", 502, "stale-address", mend=True)

# ---------------------------------------------------------------- Apache
@fault
def apache_h2c_without_its_module(s):
    """`ProxyPass / h2c://…` needs mod_proxy_http2, which was not enabled: no protocol handler was valid. https://github.com/webmin/webmin/issues/495 (kind), https://github.com/owncast/owncast.github.io/pull/46 (kind)"""
    n = s.net(); p = s.port(); a = node(s, f"http2.createServer((q, r) => {{ r.writeHead(200, html); r.end(page('grpc gateway')); }}).listen({p});\n", net=n, name=s.name("gateway")); time.sleep(1); s.httpd(vhost(s, f"    ProxyPreserveHost On\n    ProxyPass / h2c://{a}:{p}/\n    ProxyPassReverse / http://{a}:{p}/\n"), n); s.expect("/", {500, 502}, "route-misconfigured", mend=True)
@fault
def apache_php_socket_of_the_version_before(s):
    """PHP was upgraded; `SetHandler proxy:unix:…` in conf-enabled still has the socket of 7.4. https://github.com/ampache/ampache/issues/4046, https://github.com/nextcloud/nextcloudpi/issues/1001"""
    n = s.net(); u = host_fpm(s, "<?php echo '<title>ampache</title>ok';\n"); old = u.replace("8.2", "7.4"); s.mark = "<title>ampache"
    s.httpd(f"DirectoryIndex index.php\nIncludeOptional /etc/apache2/conf-enabled/*.conf\n" + vhost(s, f"    DocumentRoot {s.dir}/html\n"), n, opts=s.mount("conf-enabled", "/etc/apache2/conf-enabled", {"php7.4-fpm.conf": f"# Redirect to local php-fpm if mod_php is not available\n<IfModule proxy_fcgi_module>\n    <IfModule setenvif_module>\n        SetEnvIfNoCase ^Authorization$ \"(.+)\" HTTP_AUTHORIZATION=$1\n    </IfModule>\n    <FilesMatch \".+\\.ph(ar|p|tml)$\">\n        SetHandler \"proxy:unix:{old}|fcgi://localhost\"\n    </FilesMatch>\n</IfModule>\n", "charset.conf": "AddDefaultCharset UTF-8\n"}) + ["-v", "/run/php:/run/php", "-v", f"{s.dir}/html:{s.dir}/html"]); s.expect("/index.php", 503, "socket-unavailable", mend=True)
@fault
def apache_macro_has_an_old_port(s):
    """Three sites by one macro, `Use App name port`; this one's port is that of the release before. https://httpd.apache.org/docs/2.4/mod/mod_macro.html (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p + 1, net=n); s.httpd(f"LoadModule macro_module modules/mod_macro.so\n<Macro App $name $host $port>\n<VirtualHost *:80>\n    ServerName $name\n    ProxyTimeout 10\n    ProxyPreserveHost On\n    ProxyPass / http://$host:$port/\n    ProxyPassReverse / http://$host:$port/\n</VirtualHost>\n</Macro>\n\nUse App www.{s.site} {b} {p + 1}\nUse App {s.site} {a} {p + 12}\nUse App old.{s.site} {b} {p + 1}\nUndefMacro App\n", n); s.expect("/", 503, "wrong-port", mend=True)

# ---------------------------------------------------------------- containers and projects
@fault
def supervisor_gave_up(s):
    """The container is up, but its supervisor gave up the web server in it: entered FATAL state. https://github.com/Leantime/docker-leantime/issues/44"""
    n = s.net(); p = s.port(); t = "$(date '+%Y-%m-%d %H:%M:%S'),123"; a = s.run("field/base:1", "sh", "-c", f"echo \"CRIT Supervisor is running as root.\"; echo \"INFO supervisord started with pid 1\"; echo \"INFO spawned: 'httpd' with pid 7\"; app {p} --name leantime & wait $!; for i in 1 2 3; do echo \"INFO exited: httpd (exit status 0; not expected)\"; sleep 1; done; echo \"INFO gave up: httpd entered FATAL state, too many start retries too quickly\"; exec sleep 1000000", name=s.name("leantime"), net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.ready(); inside(s, a, "app"); time.sleep(4); s.expect("/", 502, "backend-stopped", "backend-crash-loop", mend=True)
@fault
def two_projects_call_it_web(s):
    """Two Compose projects on the proxy's network have a service `web`. The shop's was stopped, so `web` is the blog's, which has another port. https://github.com/docker/compose/issues/4225, https://github.com/Dokploy/dokploy/issues/821 (kind)"""
    n = s.net("proxy"); p, q = s.port(), s.port(); j, k = f"shop{s.tag}", f"blog{s.tag}"; a = s.app(p, net=n, name=f"{j}-web-1", image="ghost:5", opts=["--network-alias", "web"], labels=compose(j, "web", s.dir)); b = s.app(q, net=n, name=f"{k}-web-1", image="gitea/gitea:1.22", opts=["--network-alias", "web"], labels=compose(k, "web", "/srv/" + k)); s.mark = "<title>ghost"
    s.nginx(variable("web", p), n, name=f"{j}-proxy-1", opts=[x for l in compose(j, "proxy", s.dir) for x in ("--label", l)]); stop(a); time.sleep(3); s.expect("/", 502, "backend-stopped", mend=True)
@fault
def vpn_container_has_exited(s):
    """The VPN container could not sign in and has exited; its guest runs on, in a network place without a way. https://github.com/passteque/gluetun/issues/1895 (kind), https://github.com/qdm12/gluetun/issues/641 (kind)"""
    n = s.net(); p = s.port(); v = vpn(s, n, p); guest(s, v, p); s.haproxy(backend(f"{v}:{p}"), n); s.ready(); stop(v); s.expect("/", {503, 504}, "backend-stopped", "namespace-lost", mend=True)
@fault
def grafana_folder_of_another_user(s):
    """Since its update Grafana runs as user 472, and its folder belongs to root: not writable, again and again. https://github.com/jasonacox/Powerwall-Dashboard/issues/362, https://github.com/grafana/grafana/issues/26675"""
    n = s.net(); p = s.port(); os.makedirs(s.dir + "/grafana", mode=0o755); a = s.run("grafana/grafana:11.2", "sh", "-c", f"touch /var/lib/grafana/grafana.db 2>/dev/null || {{ echo \"GF_PATHS_DATA='/var/lib/grafana' is not writable.\"; echo 'You may have issues with file permissions, more information here: http://docs.grafana.org/installation/docker/#migrate-to-v51-or-later'; echo \"mkdir: can't create directory '/var/lib/grafana/plugins': Permission denied\" >&2; exit 1; }}; exec app {p} --name grafana", name=s.name("grafana"), net=n, opts=["--user", "472", "--restart", "unless-stopped", "-v", f"{s.dir}/grafana:/var/lib/grafana"]); s.caddy(caddyfile(s, f"{a}:{p}"), n); loops(s, a); s.needs("whose folder it is, its owner decides", "not writable"); s.expect("/", 502, "backend-crash-loop", mend=False)
@fault
def keycloak_lost_its_path(s):
    """Since release 17 Keycloak lives at /, and nginx still passes /auth on: 404 from Keycloak. https://github.com/keycloak/keycloak/issues/24167, https://github.com/keycloak/keycloak/issues/10464"""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ if (q.url.startsWith('/realms/') || q.url === '/') {{ r.writeHead(200, html); return r.end(page('keycloak')); }} r.writeHead(404, {{ 'Content-Type': 'application/json' }}); r.end('{{\"error\":\"RESTEASY003210: Could not find resource for full path: http://' + q.headers.host + q.url + '\"}}'); }}).listen({p});\n", net=n, name=s.name("keycloak")); time.sleep(1)
    s.nginx(f"    location /auth/ {{\n        proxy_pass http://{a}:{p}/auth/;\n        proxy_set_header Host $host;\n        proxy_set_header X-Forwarded-Proto $scheme;\n    }}\n    location / {{ return 302 /auth/; }}", n); s.needs("whether Keycloak gets its old path or the proxy takes it away, its owner decides", "/auth"); s.expect("/auth/realms/master", 404, "path-rewrite-wrong", "app-error", "route-misconfigured", mend=False)

# ---------------------------------------------------------------- files that somebody has written
@fault
def haproxy_name_has_its_port(s):
    """`hdr(host) -i name` is the whole header, and on another port than 80 the browser adds it: no backend, 503. https://github.com/haproxytech/kubernetes-ingress/issues/11, https://github.com/matrix-org/synapse/pull/11128"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.haproxy(f"frontend web\n    bind :80\n    acl is_app hdr(host) -i {s.site}\n    acl is_www hdr(host) -i www.{s.site}\n    use_backend app if is_app or is_www\nbackend app\n    server s1 {a}:{p} check inter 2s\n", n); s.expect("/", 503, "route-misconfigured", "route-missing", mend=True)
@fault
def nginx_names_with_a_comma(s):
    """`server_name shop.example.org,www.shop.example.org;` is one name with a comma in it: the default site answers. https://nginx.org/en/docs/http/server_names.html (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); own_image(s, n, {"00-default.conf": "server_names_hash_bucket_size 128;\nserver {\n    listen 80 default_server;\n    server_name _;\n    return 404;\n}\n", "shop.conf": f"server {{\n    listen 80;\n    server_name {s.site},www.{s.site};\n{loc(f'http://{a}:{p}')}\n}}\n"}); s.expect("/", 404, "route-misconfigured", "route-missing", mend=True)
@fault
def nginx_file_from_notepad(s):
    """The new site's file begins with a byte order mark: unknown directive. The reload failed, and the default site answers. https://github.com/awsdocs/aws-elastic-beanstalk-developer-guide/pull/94, https://github.com/fxxqq/6fedcom.github.io/issues/50"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); c = own_image(s, n, {"00-default.conf": "server {\n    listen 80 default_server;\n    server_name _;\n    return 404;\n}\n"}); s.ready(404); s.file(f"conf.d/{s.site}.conf", f"\ufeffserver {{\n    listen 80;\n    server_name {s.site};\n{loc(f'http://{a}:{p}')}\n}}\n"); sh("docker", "exec", c, "nginx", "-s", "reload", check=False); time.sleep(1); s.expect("/", 404, "proxy-config-invalid", "config-not-reloaded", mend=True)
@fault
def caddy_import_with_an_old_port(s):
    """A snippet with arguments, `import app host port` in each site; this one's port is old. https://caddyserver.com/docs/caddyfile/concepts#snippets (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.app(p + 5, net=n); s.caddy(f"(app) {{\n\tencode zstd gzip\n\theader -Server\n\treverse_proxy {{args[0]}}:{{args[1]}} {{\n\t\theader_up X-Real-IP {{remote_host}}\n\t}}\n}}\n\nhttp://www.{s.site} {{\n\timport app {b} {p + 5}\n}}\n\nhttp://{s.site} {{\n\timport app {a} {p + 1}\n}}\n", n); s.expect("/", 502, "wrong-port", mend=True)
