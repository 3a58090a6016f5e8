"""A seventh collection, for the same registry, by another hand again that had read neither the program nor its pages, readers or lab.
A docstring says what is broken and the public thread; `expect` has the first causes that would be right, written before the program
was asked, and whether commands and patches on this machine can mend it. Two of three are ordinary faults in another dress: what a
platform has generated, macros, snippets with arguments, several files and projects, updates that changed a port, a path or a user."""
import os, signal, time
from faults import APP, fault, guest, host_haproxy, host_nginx, loc, nginx_main, overlay, swarm, vpn
from more import FILES, backend, caddyfile, certificate, compose, node, tls_nginx, variable
from fresh import host_fpm, own_nginx, vhost
from newest import balancer, envoy, page, services, stop
from other import gone, loops, npm
from sixth import own_image, place, sites
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
@fault
def caddy_site_file_without_its_ending(s):
    """`import sites/*.caddy`, and the new site is sites/shop.conf: nobody reads it, and Caddy answers 200 with nothing. https://caddyserver.com/docs/caddyfile/directives/import (kind), https://github.com/chatmail/relay/issues/914 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.file("caddy/sites/blog.caddy", f"http://blog.{s.site} {{\n\treverse_proxy {a}:{p}\n}}\n"); s.file("caddy/sites/shop.conf", caddyfile(s, f"{a}:{p}")); s.mark = "<title>"; s.caddy("import sites/*.caddy\n", n); s.expect("/", 200, "route-missing", "route-misconfigured", mend=True)
@fault
def caddy_variable_that_nobody_set(s):
    """`reverse_proxy {env.BACKEND}`, and the container has no such variable. https://github.com/searxng/searxng-docker/issues/444 (kind)"""
    n = s.net(); p = s.port(); s.app(p, net=n, name=s.name("notes")); s.caddy(f"http://{s.site} {{\n\treverse_proxy {{env.BACKEND}}\n}}\n", n); s.needs("the value is the owner's", "BACKEND"); s.expect("/", {500, 502, 503}, "route-misconfigured", "name-not-found", mend=False)
@fault
def lighttpd_port_in_a_variable(s):
    """The port stands in a variable at the top of another file, and is that of the release before. https://redmine.lighttpd.net/projects/lighttpd/wiki/Docs_Configuration (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.hp = s.hostport(); s.run("lighttpd:1.4", name=s.name("lighttpd"), net=n, publish=[f"{s.hp}:80"], opts=s.mount("lighttpd", "/etc/lighttpd", {"lighttpd.conf": "server.modules = ( \"mod_access\", \"mod_proxy\" )\nserver.document-root = \"/var/www/html\"\nserver.port = 80\nserver.errorlog = \"/dev/stderr\"\ninclude \"vars.conf\"\ninclude \"vhosts.d/*.conf\"\n", "vars.conf": f"var.shop_host = \"{s.ip(a)}\"\nvar.shop_port = {p + 9}\n", "vhosts.d/shop.conf": f"$HTTP[\"host\"] =~ \"^(www\\.)?{s.site.replace('.', chr(92) + '.')}(:[0-9]+)?$\" {{\n    proxy.server = ( \"\" => (( \"host\" => var.shop_host, \"port\" => var.shop_port )) )\n}}\n"})); s.expect("/", {502, 503}, "wrong-port", mend=True)
@fault
def nginx_php_time_in_a_snippet(s):
    """`fastcgi_read_timeout 3s` stands in the snippet that all PHP sites include; the report needs 6 s. https://github.com/linuxserver/docker-nextcloud/issues/211 (kind), https://github.com/wplib/wplib-box/issues/252 (kind)"""
    u = host_fpm(s, "<?php sleep(6); echo '<title>report</title>ok';\n"); s.file("nginx/conf/snippets/fastcgi-php.conf", f"include /etc/nginx/fastcgi_params;\nfastcgi_param SCRIPT_FILENAME {s.dir}/html$fastcgi_script_name;\nfastcgi_index index.php;\nfastcgi_buffers 16 16k;\nfastcgi_read_timeout 3s;\n"); own_nginx(s, f"    root {s.dir}/html;\n    location ~ \\.php$ {{\n        include snippets/fastcgi-php.conf;\n        fastcgi_pass unix:{u};\n    }}\n    location / {{ try_files $uri /index.php$is_args$args; }}"); s.expect("/index.php", 504, "timeout-too-short", slow=7, mend=True)
@fault
def nginx_listens_on_ipv6_only(s):
    """`listen [::]:80;` was copied alone: since 1.3.4 that is IPv6 only, and nobody is there for IPv4. https://github.com/engintron/engintron/pull/1074, https://github.com/centminmod/centminmod/issues/36"""
    s.hp, q = s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "ledger"); sites(s, {"http.d/ledger.conf": f"server {{\n    listen [::]:{s.hp};\n    server_name {s.site};\n{loc(f'http://127.0.0.1:{q}')}\n}}\n"}); s.expect("/", None, "route-misconfigured", "ipv6-mismatch", "address-mistyped", mend=True)
@fault
def nginx_lets_two_in(s):
    """`limit_conn` counts the whole site and not the visitor, and two of them download: 503. https://nginx.org/en/docs/http/ngx_http_limit_conn_module.html (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    limit_conn site 2;\n" + loc(f"http://{a}:{p}"), n, http="limit_conn_zone $server_name zone=site:1m;"); s.ready(); s.load(3, f"http://{s.site}:{s.hp}/slow", 60); s.expect("/", 503, "proxy-limit", "route-misconfigured", mend=True)
@fault
def nginx_closes_for_strangers(s):
    """`geo` has the house's network from before the move, and whoever is not in it gets no answer (444). https://nginx.org/en/docs/http/ngx_http_geo_module.html (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx("    if ($at_home = 0) { return 444; }\n" + loc(f"http://{a}:{p}"), n, http="geo $at_home {\n    default 0;\n    192.168.178.0/24 1;\n    fd00:178::/64 1;\n}"); s.needs("who may come in, the owner decides", "444"); s.expect("/", None, "route-misconfigured", mend=False)
@fault
def nginx_stream_has_an_old_port(s):
    """nginx hands TLS on by its name (stream, ssl_preread) to the app itself, whose port has changed. https://github.com/nginx/kubernetes-ingress/issues/57 (kind), https://github.com/lucasdillmann/nginx-ignition/issues/5 (kind)"""
    n = s.net(); a = tls_nginx(s, n, 8443, "cloud"); s.hp = s.hostport(); d = f"{s.dir}/nginx"; os.makedirs(d + "/logs"); os.makedirs(d + "/temp", exist_ok=True)
    s.file("nginx/conf/nginx.conf", f"worker_processes 1;\npid logs/nginx.pid;\nerror_log logs/error.log info;\nevents {{ worker_connections 256; }}\nstream {{\n    map $ssl_preread_server_name $name {{\n        {s.site} cloud;\n        default refuse;\n    }}\n    upstream cloud {{ server {s.ip(a)}:8444; }}\n    upstream refuse {{ server 127.0.0.1:9; }}\n    server {{\n        listen {s.hp};\n        ssl_preread on;\n        proxy_connect_timeout 3s;\n        proxy_pass $name;\n    }}\n}}\n"); s.bg(PEERS + "/nginx", "-p", d, "-c", "conf/nginx.conf", "-g", "daemon off;"); s.expect("/", None, "wrong-port", mend=True, url=f"https://{s.site}:{s.hp}/")
@fault
def haproxy_file_beside_the_first(s):
    """HAProxy of the host reads haproxy.cfg and a folder; the backend stands in the folder, and its port is old. https://github.com/haproxytech/kubernetes-ingress/issues/479 (kind)"""
    s.hp, q = s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "wiki"); c = s.file("haproxy/haproxy.cfg", "global\n    maxconn 500\ndefaults\n    mode http\n    timeout connect 3s\n    timeout client 30s\n    timeout server 30s\n"); s.file("haproxy/conf.d/10-web.cfg", f"frontend web\n    bind :{s.hp}\n    use_backend wiki if {{ hdr_beg(host) -i {s.site} }}\n"); s.file("haproxy/conf.d/20-wiki.cfg", f"backend wiki\n    option forwardfor\n    server wiki1 127.0.0.1:{q + 1}\n"); s.bg("/usr/sbin/haproxy", "-W", "-db", "-f", c, "-f", f"{s.dir}/haproxy/conf.d"); s.expect("/", 503, "wrong-port", "backend-stopped", mend=True)
@fault
def haproxy_was_not_told(s):
    """The port was put right in haproxy.cfg, and nobody told HAProxy of the host. https://github.com/easzlab/kubeasz/issues/919 (kind)"""
    q, w = s.hostport(), s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "wiki"); host_haproxy(s, f"backend app\n    server s1 127.0.0.1:{w}\n"); s.ready(503); time.sleep(1); f = f"{s.dir}/haproxy.cfg"; s.file("haproxy.cfg", open(f).read().replace(f":{w}\n", f":{q}\n")); s.expect("/", 503, "config-not-reloaded", mend=True)
@fault
def haproxy_pem_without_its_key(s):
    """The renewal wrote the certificate alone into the .pem: No Private Key found, HAProxy does not start. https://github.com/tomdess/docker-haproxy-certbot/issues/13, https://github.com/libresh/compose-haproxy/issues/11"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); d = certificate(s, s.site); os.makedirs(f"{s.dir}/haproxy/certs"); s.file(f"haproxy/certs/{s.site}.pem", open(f"{d}/{s.site}.crt").read()); s.hp = s.hostport()
    c = s.run("haproxy:3.0", name=s.name("haproxy"), net=n, publish=[f"{s.hp}:443"], opts=s.mount("haproxy", "/usr/local/etc/haproxy", {"haproxy.cfg": f"global\n    log stdout format raw local0\ndefaults\n    mode http\n    log global\n    timeout connect 3s\n    timeout client 40s\n    timeout server 40s\nfrontend web\n    bind :443 ssl crt /usr/local/etc/haproxy/certs/\n    default_backend app\nbackend app\n    server s1 {a}:{p}\n"}) + ["--restart", "always"]); loops(s, c); s.needs("the key is its owner's", f"{s.site}.pem"); s.expect("/", None, "proxy-config-invalid", "proxy-stopped", mend=False, url=f"https://{s.site}:{s.hp}/")
@fault
def apache_exception_left_behind(s):
    """`ProxyPass /api !` stayed from a test, so Apache looks for /api among its files. https://httpd.apache.org/docs/2.4/mod/mod_proxy.html#proxypass (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(vhost(s, f"    ProxyPreserveHost On\n    ProxyPass /.well-known/acme-challenge !\n    ProxyPass /api !\n    ProxyPass / http://{a}:{p}/\n    ProxyPassReverse / http://{a}:{p}/\n"), n); s.expect("/api/orders", 404, "route-misconfigured", "route-missing", "path-rewrite-wrong", mend=True)
@fault
def traefik_network_without_its_prefix(s):
    """`--providers.docker.network=proxy`, and Compose has called it project_proxy: Traefik takes any of the app's networks. https://github.com/traefik/traefik/issues/1156, https://github.com/traefik/traefik/issues/2348"""
    n = s.net("stack_proxy"); m = s.net("stack_db"); p = s.port(); a = s.app(p, net=n, labels=s.labels(p)); s.join(m, a); t = s.traefik(s.docker_provider("--providers.docker.network=proxy"), n); s.host()
    for _ in range(12):
        time.sleep(2); g = get(f"http://{s.site}:{s.hp}/", 6)
        if g[0] in (502, 504): break
        sh("docker", "restart", "-t", "1", t)
    s.expect("/", {502, 504}, "network-mismatch", "route-misconfigured", mend=True)
@fault
def traefik_port_of_the_environment(s):
    """The file has `{{ env "SHOP_PORT" }}`, and the container's variable is that of the release before. https://doc.traefik.io/traefik/providers/file/#go-templating (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"'http://{a}:{{{{ env \"SHOP_PORT\" }}}}'")), opts=["-e", f"SHOP_PORT={p + 3}"]); s.needs("the container has to be made again with another value", "SHOP_PORT"); s.expect("/", {502, 504}, "wrong-port", mend=False)
@fault
def traefik_one_of_three_is_frozen(s):
    """Compose made three of them; one is paused since the backup and takes connections, but never answers. https://github.com/vfarcic/docker-flow-proxy/issues/266 (kind)"""
    n = s.net(); p = s.port(); i = s.appimage(); j = s.name("shop"); r = s.rnd.choice(["shop", "store"]); l = s.labels(p, router=r); al = [s.app(p, net=n, image=i, name=f"{j}-web-{k}", labels=l + compose(j, "web", s.dir)[:2] + [f"com.docker.compose.container-number={k}"]) for k in (1, 2, 3)]; s.traefik(s.docker_provider("--serversTransport.forwardingTimeouts.responseHeaderTimeout=2s"), n); s.ready(); sh("docker", "pause", al[1]); s.undo.append(lambda: sh("docker", "unpause", al[1], check=False)); s.expect("/", "mixed", "backend-unresponsive", mend=True)
@fault
def envoy_lets_one_in(s):
    """A local rate limit with one token in ten minutes, meant for the sign-in alone, holds for the whole site: 429. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/local_rate_limit_filter (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); envoy(s, n, a, p, put=[("          http_filters:\n", "          http_filters:\n          - name: envoy.filters.http.local_ratelimit\n            typed_config:\n              \"@type\": type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit\n              stat_prefix: sign_in\n              token_bucket: { max_tokens: 1, tokens_per_fill: 1, fill_interval: 600s }\n              filter_enabled: { runtime_key: sign_in_enabled, default_value: { numerator: 100, denominator: HUNDRED } }\n              filter_enforced: { runtime_key: sign_in_enforced, default_value: { numerator: 100, denominator: HUNDRED } }\n")]); s.ready(); s.expect("/", 429, "proxy-limit", "route-misconfigured", mend=True)

# ---------------------------------------------------------------- the host, and what stands behind
@fault
def plesk_and_no_apache(s):
    """Plesk's nginx hands everything to Apache on 7080, which is not running. https://github.com/moloch--/RootTheBox/issues/554 (kind), https://github.com/AnoopAlias/AUTOM8N/issues/44 (kind)"""
    s.hp, q = s.hostport(), s.hostport(); os.makedirs(f"{s.dir}/apache/logs"); s.file("vhosts/index.html", "<title>shop</title>\n"); mods = "".join(f"LoadModule {m}_module /usr/lib/apache2/modules/mod_{m}.so\n" for m in ("mpm_event", "authz_core", "mime", "dir"))
    c = s.file("apache/httpd.conf", f"ServerRoot {s.dir}/apache\nPidFile {s.dir}/apache/httpd.pid\nListen 127.0.0.1:{q}\n{mods}User www-data\nGroup www-data\nServerName {s.site}\nTypesConfig /etc/mime.types\nErrorLog {s.dir}/apache/logs/error_log\nDirectoryIndex index.html\nDocumentRoot {s.dir}/vhosts\n<Directory />\n    Require all granted\n</Directory>\n"); h = s.bg("/usr/sbin/apache2", "-DFOREGROUND", "-f", c); d = f"{s.dir}/nginx"; os.makedirs(d + "/logs")
    s.file(f"nginx/plesk.conf.d/vhosts/{s.site}.conf", f"#ATTENTION!\n#\n#DO NOT MODIFY THIS FILE BECAUSE IT WAS GENERATED AUTOMATICALLY,\n#SO ALL YOUR CHANGES WILL BE LOST THE NEXT TIME THE FILE IS GENERATED.\n\nserver {{\n    listen 127.0.0.1:{s.hp};\n    server_name {s.site};\n    server_name www.{s.site};\n    client_max_body_size 128m;\n    location / {{\n        proxy_pass \"http://127.0.0.1:{q}\";\n        proxy_hide_header upgrade;\n        proxy_set_header Host             $host;\n        proxy_set_header X-Real-IP        $remote_addr;\n        proxy_set_header X-Accel-Internal /internal-nginx-static-location;\n        access_log off;\n    }}\n}}\n"); s.file("nginx/conf/nginx.conf", "user www-data;\n" + nginx_main(f"    include {d}/plesk.conf.d/vhosts/*.conf;")); s.bg("/usr/sbin/nginx", "-p", d, "-c", "conf/nginx.conf", "-g", "daemon off;"); s.mark = "<title>shop"; s.ready(); gone(h.pid); h.wait(5); s.expect("/", 502, "backend-stopped", "proxy-stopped", mend=False)
@fault
def unit_that_starts_again_and_again(s):
    """The app of the host ends right after its start, and something starts it again every few seconds, as systemd does. https://github.com/Supervisor/supervisor/issues/1285 (kind)"""
    q = s.hostport(); s.file("app.log", ""); s.bg("/bin/sh", "-c", f"while :; do {APP} {q} 127.0.0.1 --die --name ledger >> {s.dir}/app.log 2>&1; sleep 3; done"); host_nginx(s, loc(f"http://127.0.0.1:{q}")); time.sleep(6); s.expect("/", 502, "backend-crash-loop", "backend-stopped", mend=False)
@fault
def second_proxy_on_loopback(s):
    """Caddy in a container asks the host's nginx, which listens on 127.0.0.1 only. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/3423 (kind)"""
    n = s.net(); p = s.port(); q, w = s.hostport(), s.hostport(); s.app(p, publish=[f"127.0.0.1:{q}:{p}"]); sites(s, {"http.d/inner.conf": f"server {{\n    listen 127.0.0.1:{w};\n    server_name {s.site};\n{loc(f'http://127.0.0.1:{q}')}\n}}\n"}); s.caddy(caddyfile(s, f"host.docker.internal:{w}"), n, opts=["--add-host", f"host.docker.internal:{s.gateway(n)}"]); s.expect("/", 502, "listens-on-localhost", mend=True)
@fault
def another_web_server_has_the_port(s):
    """The distribution's nginx was there first, so the proxy's container could not start; its welcome page answers. https://github.com/heyvaldemar/rocketchat-traefik-letsencrypt-docker-compose/issues/8, https://github.com/nginx-proxy/nginx-proxy/issues/540"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.hp = s.hostport(); sites(s, {"http.d/default.conf": f"server {{\n    listen {s.hp} default_server;\n    server_name _;\n    location / {{ return 404; }}\n}}\n"}); time.sleep(1); c = s.name("nginx"); s.undo.append(lambda: sh("docker", "rm", "-f", "-v", c, check=False))
    o = s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": f"server {{\n    listen 80;\n    server_name {s.site};\n{loc(f'http://{a}:{p}')}\n}}\n"}); sh("docker", "run", "-d", "--label", f"field={s.seed}", "--name", c, "--network", n, "-p", f"{s.hp}:80", *o, "nginx:1.27", check=False); s.needs("two want one port, and which of them is meant, the owner decides", str(s.hp)); s.expect("/", 404, "proxy-stopped", "route-missing", mend=False)
@fault
def two_volumes_with_nearly_one_name(s):
    """The app makes its socket in one volume, the proxy has another with nearly its name (project's prefix). https://github.com/rommapp/romm/issues/3809 (kind)"""
    n = s.net(); v, w = f"run_{s.tag}", f"shop_run_{s.tag}"
    for x in (v, w): sh("docker", "volume", "create", "--label", f"field={s.seed}", x); s.undo.append(lambda x=x: sh("docker", "volume", "rm", x, check=False))
    s.run("field/base:1", "sh", "-c", "umask 0; exec app 0 --unix /run/app/gunicorn.sock --name shop", net=n, name=s.name("shop"), opts=["-v", f"{w}:/run/app"]); s.nginx(loc("http://unix:/run/app/gunicorn.sock"), n, opts=["-v", f"{v}:/run/app"]); s.needs("the proxy's container has to be made again with the other volume", w); s.expect("/", 502, "socket-unavailable", mend=False)
@fault
def stack_was_made_again(s):
    """Portainer made the stack again, and the app lost the network to which it had been connected by hand. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/4476 (kind)"""
    n = s.net("npm_default"); m = s.net("zabbix_default"); p = s.port(); a = f"zabbix-web_{s.tag}.frontend"; run = lambda: s.app(p, net=m, name=a, labels=compose("zabbix", "zabbix-web", "/data/compose/12")); run(); s.join(n, a); npm(s, n, a, p); s.ready(); sh("docker", "rm", "-f", a); run(); time.sleep(11); s.expect("/", {502, 504}, "network-mismatch", mend=True)
@fault
def replies_are_dropped(s):
    """A rule of a hardening script drops what comes back from the app, not what goes there. https://github.com/moby/moby/issues/49288 (kind), https://github.com/tredly/tredly-host/issues/36 (kind)"""
    n = s.net("apps"); p = s.port(); a = s.app(p, net=n, opts=["--ip", s.subnet.rsplit(".", 1)[0] + ".40"]); s.rule("-t", "raw", "-I", "PREROUTING", "-i", s.bridge(n), "-p", "tcp", "--sport", str(p), "-j", "DROP"); host_nginx(s, loc(f"http://{s.ip(a)}:{p}")); s.expect("/", 504, "firewall-blocked", mend=True)
@fault
def lxc_firewall_lets_nothing_in(s):
    """The system container has a firewall of its own, with ssh alone open since an update. https://github.com/opsnull/follow-me-install-kubernetes-cluster/issues/309 (kind), https://github.com/tredly/tredly-host/issues/36"""
    p = s.port(); b = f"10.{s.rnd.randrange(70, 220)}.{s.rnd.randrange(256)}"; ns = place(s, f"{b}.57"); s.bg("/usr/sbin/ip", "netns", "exec", ns, APP, p, "--name", "gitea"); host_nginx(s, loc(f"http://{b}.57:{p}")); s.ready(); rule = lambda *a: sh("ip", "netns", "exec", ns, "iptables", "-w", *a)
    for a in (["-i", "lo"], ["-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED"], ["-p", "tcp", "--dport", "22"]): rule("-A", "INPUT", *a, "-j", "ACCEPT")
    rule("-P", "INPUT", "DROP"); s.expect("/", 504, "firewall-blocked", mend=True)
@fault
def lxc_app_is_off(s):
    """The system container is there and answers pings, the app in it has ended. https://github.com/ej52/proxmox-scripts/issues/180 (kind)"""
    p = s.port(); b = f"10.{s.rnd.randrange(70, 220)}.{s.rnd.randrange(256)}"; ns = place(s, f"{b}.57"); a = s.bg("/usr/sbin/ip", "netns", "exec", ns, APP, p, "--name", "gitea"); s.bg("/usr/sbin/ip", "netns", "exec", ns, APP, 22, "--raw", "--name", "sshd"); host_nginx(s, loc(f"http://{b}.57:{p}")); s.ready(); gone(a.pid); a.wait(5); s.expect("/", 502, "backend-stopped", mend=False)
@fault
def no_more_local_ports(s):
    """The proxy has three ports for connections of its own, and long polls hold them: Cannot assign requested address (99). https://github.com/notional-labs/cosmosia/issues/95, https://github.com/VaultaFoundation/evm-contract/issues/512"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n, opts=["--sysctl", "net.ipv4.ip_local_port_range=40000 40002"]); s.ready(); s.load(6, f"http://{s.site}:{s.hp}/slow", 60); s.needs("the container has to be made again with more ports", "ip_local_port_range"); s.expect("/", {500, 502}, "host-exhausted", "proxy-limit", mend=False)
@fault
def link_of_the_old_days(s):
    """nginx knows the app by `--link` on the default bridge; the app was made again and has another address. https://github.com/dokku-alt/dokku-alt/issues/97 (kind), https://github.com/nginx/docker-nginx/issues/283 (kind)"""
    p = s.port(); a = s.app(p); s.nginx(loc(f"http://backend:{p}"), None, opts=["--link", f"{a}:backend"]); s.ready(); i = sh("docker", "inspect", "-f", "{{.Config.Image}}", a); old = s.ip(a); sh("docker", "rm", "-f", a); s.run("field/base:1", "sleep", "infinity", name=s.name("worker")); s.app(p, name=a, image=i); s.needs("the link is made with the proxy's container", "--link")
    if s.ip(a) == old: raise StagingError("the address is the same")
    s.expect("/", 502, "stale-address", mend=False)

# ---------------------------------------------------------------- healthy, and it looks strange
@fault
def healthy_third_server_is_out(s):
    """Traefik looks after three servers; one was stopped and is known to be out: works."""
    n = s.net(); p = s.port(); u = [s.app(p, net=n) for _ in range(3)]; s.traefik(FILES, n, socket=False, files=services(s, balancer("site", *[f"http://{x}:{p}" for x in u], extra="        healthCheck:\n          path: /\n          interval: 1s\n          timeout: 1s\n"))); s.ready(); stop(u[2]); time.sleep(5); s.expect("/", 200)
@fault
def healthy_project_of_the_same_name_is_off(s):
    """Another Compose project has a service of the same name, which has exited with an error: works."""
    n = s.net("proxy"); m = s.net("other_default"); p = s.port(); j, k = f"shop{s.tag}", f"shop-old{s.tag}"; a = s.app(p, net=n, name=f"{j}-web-1", labels=compose(j, "web", s.dir)); s.app(p, "--die", net=m, name=f"{k}-web-1", labels=compose(k, "web", "/srv/" + k)); s.nginx(loc(f"http://{a}:{p}"), n); time.sleep(2); s.expect("/", 200)
@fault
def healthy_password_of_apache(s):
    """Apache itself asks for a password (401): works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); f = s.file("htpasswd", "anna:$apr1$H6uskkkW$IgXLP6ewTrSuBkTrqE8wj/\n"); s.httpd("".join(f"LoadModule {m}_module modules/mod_{m}.so\n" for m in ("auth_basic", "authn_core", "authn_file", "authz_user")) + vhost(s, f"    <Location />\n        AuthType Basic\n        AuthName \"House\"\n        AuthUserFile /etc/htpasswd\n        Require valid-user\n    </Location>\n    ProxyPass / http://{a}:{p}/\n"), n, opts=["-v", f"{f}:/etc/htpasswd:ro"]); s.expect("/", 401, good=(401,))
@fault
def healthy_was_down_this_morning(s):
    """HAProxy's log is full of DOWN and 503; since the slow start is over its server is UP: works."""
    n = s.net(); p = s.port(); a = node(s, f"setTimeout(() => {page('media')}.listen({p}), 8000);\n", net=n, name=s.name("media")); s.haproxy(backend(f"{a}:{p}", " check inter 1s"), n); s.ready(503); [get(f"http://{s.site}:{s.hp}/") for _ in range(15)]; s.ready(); time.sleep(1); s.expect("/", 200)
@fault
def healthy_name_of_another_twice(s):
    """nginx warns of a conflicting server name, but of another site's: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); b = s.name("gone"); two = "".join(f"server {{\n    listen 80;\n    server_name old.example.net;\n    location / {{ return {c}; }}\n}}\n" for c in (410, 503)); s.nginx(loc(f"http://{a}:{p}"), n, http=two); s.expect("/", 200)
@fault
def healthy_dead_upstream_of_another(s):
    """The same file has an upstream block of another site, whose servers are all off; that site's errors fill the log: works."""
    s.hp, q = s.hostport(), s.hostport(); w = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "shop"); s.host(); o = s.host("beta." + s.site); sites(s, {"http.d/all.conf": f"upstream beta {{\n    server 127.0.0.1:{w};\n    server 127.0.0.1:{w + 1} backup;\n}}\nserver {{\n    listen {s.hp};\n    server_name beta.{s.site};\n{loc('http://beta')}\n}}\nserver {{\n    listen {s.hp};\n    server_name {s.site};\n{loc(f'http://127.0.0.1:{q}')}\n}}\n"}); s.ready(); [get(f"http://{o}:{s.hp}/") for _ in range(12)]; s.expect("/", 200)
@fault
def healthy_key_wanted(s):
    """An API says 403 to whoever has no key: works."""
    n = s.net(); p = s.port(); a = node(s, f"http.createServer((q, r) => {{ const ok = q.headers['x-api-key']; r.writeHead(ok ? 200 : 403, {{ 'Content-Type': 'application/json' }}); r.end(ok ? '[]' : '{{\"message\":\"Forbidden\",\"hint\":\"x-api-key\"}}'); }}).listen({p});\n", net=n, name=s.name("api")); s.traefik(FILES, n, socket=False, files=services(s, balancer("site", f"http://{a}:{p}"))); s.expect("/v1/items", 403, good=(403,))
@fault
def healthy_others_are_banned(s):
    """Chains of fail2ban ban strangers and close other ports of this very bridge, with packets counted: works."""
    n = s.net(); m = s.net("apps"); p = s.port(); q = s.hostport(); s.app(p, net=m, publish=[f"{q}:{p}"]); b = s.bridge(n); c = f"f2b-nginx-{s.tag}"; sh("iptables", "-w", "-N", c); s.undo.append(lambda: (sh("iptables", "-w", "-F", c, check=False), sh("iptables", "-w", "-X", c, check=False)))
    for x in ("198.51.100.23", "203.0.113.77"): s.rule("-A", c, "-s", x, "-j", "REJECT", "--reject-with", "icmp-port-unreachable")
    s.rule("-A", c, "-j", "RETURN"); s.rule("-I", "INPUT", "-p", "tcp", "-j", c); s.rule("-A", "INPUT", "-i", b, "-p", "tcp", "--dport", "3306", "-j", "DROP"); s.rule("-t", "raw", "-I", "PREROUTING", "-i", b, "-p", "tcp", "--dport", str(q + 1), "-j", "DROP"); x = s.nginx(loc(f"http://{s.gateway(n)}:{q}"), n); s.ready(); [sh("docker", "exec", x, "wget", "-q", "-T", "1", "-O", "-", f"http://{s.gateway(n)}:{k}/", check=False) for k in (3306, q + 1)]; s.expect("/", 200)
@fault
def healthy_other_caddy_site_is_moving(s):
    """Another site of the Caddyfile says 503 all the time, and one has an app that is gone: this one works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.host(); o = s.host("old." + s.site); g = s.host("git." + s.site); s.caddy(f"http://old.{s.site} {{\n\trespond \"We are moving\" 503\n}}\nhttp://git.{s.site} {{\n\treverse_proxy gitea:3000\n}}\n" + caddyfile(s, f"{a}:{p}"), n); s.ready(); [get(f"http://{x}:{s.hp}/") for x in (o, g, g)]; s.expect("/", 200)
@fault
def healthy_twelve_seconds(s):
    """The first byte takes 12 s, and nginx waits for 60: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 12, net=n); s.nginx(loc(f"http://{a}:{p}"), n); s.expect("/", 200, slow=13)
@fault
def healthy_app_sends_to_its_login(s):
    """The app sends everybody to /login (302), and Traefik's log has yesterday's outage: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--status", 302, net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.ready(302); stop(a); [get(f"http://{s.site}:{s.hp}/", 5) for _ in range(4)]; sh("docker", "start", a); s.ready(302); s.expect("/", 302, good=(302,))
@fault
def healthy_nginx_before_apache(s):
    """nginx, behind it Apache, behind it the app; both once could not reach it: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); h = s.httpd(vhost(s, f"    ProxyPreserveHost On\n    ProxyPass / http://{a}:{p}/ retry=0\n"), n, name=s.name("web")); s.nginx(loc(f"http://{h}:80"), n); s.ready(); stop(a); [get(f"http://{s.site}:{s.hp}/", 8) for _ in range(2)]; sh("docker", "start", a); s.ready(); s.expect("/", 200)

# ---------------------------------------------------------------- Swarm (last: it changes the engine)
@fault
def swarm_has_no_machine_for_it(s):
    """The service may run on machines with a label only, and since the move none has it: pending, no suitable node. https://github.com/portainer/portainer/issues/2260, https://github.com/moby/moby/issues/33807"""
    swarm(s); n = overlay(s); p = s.port(); a = s.name(s.site.split(".")[0]); s.undo.append(lambda: sh("docker", "service", "rm", a, check=False)); sh("docker", "service", "create", "-d", "--name", a, "--network", n, "--endpoint-mode", "dnsrr", "--no-resolve-image", "--constraint", "node.labels.disk==ssd", "field/base:1", "app", str(p)); s.nginx(variable(a, p), n); time.sleep(3); s.needs("which machine may run it, its owner decides", "node.labels.disk"); s.expect("/", 502, "backend-stopped", mend=False)
