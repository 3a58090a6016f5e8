"""Images made of this machine's own programs by `docker import`; their names look like the real ones."""
import os, re, shutil, subprocess, tempfile
HERE = os.path.dirname(os.path.abspath(__file__))
from stage import APP, PEERS
TOOLS = "sh cat ls grep sed ps kill sleep wget nc nslookup netstat id env touch rm mv cp mkdir hostname ip vi".split()

def copy(tree, path, to=None):
    to = tree + (to or path)
    os.makedirs(os.path.dirname(to), exist_ok=True)
    shutil.copy(os.path.realpath(path), to)

def libraries(tree, *files):
    for file in files:
        out = subprocess.run(["ldd", file], capture_output=True, text=True).stdout
        for lib in re.findall(r"(/\S+) \(0x", out):
            copy(tree, lib)

def write(tree, path, text):
    os.makedirs(os.path.dirname(tree + path), exist_ok=True)
    open(tree + path, "w").write(text)

NGINX_CONF = """user www-data;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
events { worker_connections 1024; }
http {
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /var/log/nginx/access.log;
    keepalive_timeout 65;
    include /etc/nginx/conf.d/*.conf;
}
"""
def nginx(t):
    copy(t, "/usr/sbin/nginx"); libraries(t, "/usr/sbin/nginx")
    for f in "mime.types fastcgi_params fastcgi.conf uwsgi_params".split(): copy(t, "/etc/nginx/" + f)
    write(t, "/etc/nginx/nginx.conf", NGINX_CONF)
    write(t, "/etc/nginx/conf.d/default.conf", "server { listen 80 default_server; server_name localhost; location / { return 200 'Welcome to nginx!'; } }\n")
    for d in ("/var/lib/nginx", "/var/log/nginx", "/usr/share/nginx/html", "/var/cache/nginx"): os.makedirs(t + d, exist_ok=True)
    os.symlink("/dev/stdout", t + "/var/log/nginx/access.log"); os.symlink("/dev/stderr", t + "/var/log/nginx/error.log")
def haproxy(t):
    copy(t, "/usr/sbin/haproxy", "/usr/local/sbin/haproxy"); libraries(t, "/usr/sbin/haproxy")
    os.makedirs(t + "/usr/local/etc/haproxy"); os.makedirs(t + "/var/lib/haproxy")
def lighttpd(t):
    copy(t, "/usr/sbin/lighttpd"); libraries(t, "/usr/sbin/lighttpd")
    for m in os.listdir("/usr/lib/lighttpd"): copy(t, "/usr/lib/lighttpd/" + m)
    libraries(t, "/usr/lib/lighttpd/mod_proxy.so"); os.makedirs(t + "/etc/lighttpd"); os.makedirs(t + "/var/www/html")
def httpd(t):
    r = "/usr/local/apache2"
    copy(t, "/usr/sbin/apache2", r + "/bin/httpd"); libraries(t, "/usr/sbin/apache2")
    for m in os.listdir("/usr/lib/apache2/modules"):
        if m.endswith(".so"): copy(t, "/usr/lib/apache2/modules/" + m, r + "/modules/" + m); libraries(t, "/usr/lib/apache2/modules/" + m)
    for d in ("logs", "conf", "htdocs"): os.makedirs(t + r + "/" + d, exist_ok=True)
    copy(t, "/etc/mime.types", r + "/conf/mime.types")
def traefik(t): copy(t, PEERS + "/traefik", "/usr/local/bin/traefik"); os.makedirs(t + "/etc/traefik")
def caddy(t):
    copy(t, PEERS + "/caddy", "/usr/bin/caddy")
    for d in ("/etc/caddy", "/config/caddy", "/data/caddy"): os.makedirs(t + d)
def envoy(t): copy(t, PEERS + "/envoy", "/usr/local/bin/envoy"); libraries(t, PEERS + "/envoy"); os.makedirs(t + "/etc/envoy")
def php(t):
    copy(t, "/usr/sbin/php-fpm8.2", "/usr/local/sbin/php-fpm"); libraries(t, "/usr/sbin/php-fpm8.2")
    write(t, "/usr/local/etc/php-fpm.conf", "[global]\nerror_log = /proc/self/fd/2\ndaemonize = no\ninclude = /usr/local/etc/php-fpm.d/*.conf\n")
    write(t, "/usr/local/etc/php-fpm.d/www.conf", "[www]\nuser = www-data\ngroup = www-data\nlisten = 9000\npm = dynamic\npm.max_children = 5\npm.start_servers = 2\npm.min_spare_servers = 1\npm.max_spare_servers = 3\naccess.log = /proc/self/fd/2\n")
    write(t, "/var/www/html/index.php", "<?php echo '<title>php</title>ok';\n")
def app(t): copy(t, APP, "/usr/local/bin/app")
def node(t): copy(t, shutil.which("node"), "/usr/local/bin/node"); libraries(t, shutil.which("node")); os.makedirs(t + "/app")

IMAGES = {
    "nginx:1.27": ([nginx, app], ['CMD ["nginx", "-g", "daemon off;"]', "EXPOSE 80"]),
    "haproxy:3.0": ([haproxy], ['CMD ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]']),
    "httpd:2.4": ([httpd], ['CMD ["httpd", "-D", "FOREGROUND", "-d", "/usr/local/apache2", "-f", "conf/httpd.conf"]', "ENV PATH=/usr/local/apache2/bin:/usr/local/bin:/usr/bin:/bin", "WORKDIR /usr/local/apache2", "EXPOSE 80"]),
    "lighttpd:1.4": ([lighttpd], ['CMD ["lighttpd", "-D", "-f", "/etc/lighttpd/lighttpd.conf"]', "EXPOSE 80"]),
    "traefik:v3.1": ([traefik], ['ENTRYPOINT ["traefik"]', "EXPOSE 80"]),
    "caddy:2": ([caddy], ['CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]', "EXPOSE 80 443 2019", "ENV XDG_CONFIG_HOME=/config", "ENV XDG_DATA_HOME=/data"]),
    "envoyproxy/envoy:v1.31": ([envoy], ['CMD ["envoy", "-c", "/etc/envoy/envoy.yaml"]', "EXPOSE 10000"]),
    "php:8.2-fpm": ([php], ['CMD ["php-fpm", "-F", "-y", "/usr/local/etc/php-fpm.conf"]', "EXPOSE 9000", "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/bin:/bin", "WORKDIR /var/www/html"]),
    "field/base:1": ([app], ['CMD ["app", "8080"]']),
}
if shutil.which("node"): IMAGES["node:20-slim"] = ([node], ['CMD ["node", "server.js"]', "WORKDIR /app"])
ALIASES = {
    "nginx:1.27": ["nginxproxy/nginx-proxy:1.6", "jc21/nginx-proxy-manager:2.11", "lscr.io/linuxserver/swag:3.0"],
    "haproxy:3.0": ["tecnativa/docker-socket-proxy:0.3"],
    "caddy:2": ["lucaslorentz/caddy-docker-proxy:2.9"],
    "field/base:1": ["qmcgaw/gluetun:v3", "tailscale/tailscale:stable", "nginxproxy/docker-gen:0.14", "linuxserver/qbittorrent:4.6", "grafana/grafana:11.2",
      "louislam/uptime-kuma:1", "vaultwarden/server:1.32", "gitea/gitea:1.22", "jellyfin/jellyfin:10.9", "paperlessngx/paperless-ngx:2.12", "n8nio/n8n:1.60", "traefik/whoami:v1.10", "pihole/pihole:2024.07", "homeassistant/home-assistant:2024.9", "ghost:5"],
}
APPS = ["grafana/grafana:11.2", "louislam/uptime-kuma:1", "vaultwarden/server:1.32", "gitea/gitea:1.22", "jellyfin/jellyfin:10.9", "paperlessngx/paperless-ngx:2.12", "n8nio/n8n:1.60", "ghost:5"]

def build(force=False):
    if not os.path.exists(APP):
        os.makedirs(os.path.dirname(APP), exist_ok=True)
        subprocess.run(["gcc", "-O1", "-static", "-pthread", "-o", APP, HERE + "/src/app.c"], check=True)
    have = subprocess.run(["docker", "images", "--format", "{{.Repository}}:{{.Tag}}"], capture_output=True, text=True).stdout.split()
    for tag, (parts, changes) in IMAGES.items():
        if tag not in have or force:
            with tempfile.TemporaryDirectory(prefix="field-") as t:
                os.makedirs(t + "/bin"); shutil.copy("/usr/bin/busybox", t + "/bin/busybox")
                for tool in TOOLS: os.symlink("busybox", t + "/bin/" + tool)
                for d in ("run", "tmp", "root", "etc", "var"): os.makedirs(f"{t}/{d}", exist_ok=True)
                os.symlink("../run", t + "/var/run"); os.chmod(t + "/tmp", 0o1777); os.chmod(t, 0o755)
                write(t, "/etc/passwd", "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1::/:/bin/false\nwww-data:x:33:33::/var/www:/bin/false\n")
                write(t, "/etc/group", "root:x:0:\ndaemon:x:1:\nwww-data:x:33:\n"); write(t, "/etc/nsswitch.conf", "hosts: files dns\n")
                for n in os.listdir("/lib/x86_64-linux-gnu"):
                    if re.match(r"libnss_(files|dns)|libresolv", n): copy(t, "/lib/x86_64-linux-gnu/" + n)
                for p in parts: p(t)
                cmd = "tar -C %s -c . | docker import %s - %s" % (t, " ".join("-c '%s'" % c for c in changes + ["LABEL field=image"]), tag)
                subprocess.run(["sh", "-c", cmd], check=True, stdout=subprocess.DEVNULL)
        for a in ALIASES.get(tag, []):
            if a not in have or force: subprocess.run(["docker", "tag", tag, a], check=True)
if __name__ == "__main__":
    import sys; build("--force" in sys.argv)
