"""nginx-proxy as a reader of its files sees it: docker-gen's part around a real nginx.

With LAB_TARGET it is docker-gen alone, in a container of its own: nginx runs in the container of that name, shares the
file's folder with it, and gets a signal.

Watches the engine's running containers, writes /etc/nginx/conf.d/default.conf in the text of nginx-proxy's own template
(nginx.tmpl, 1.7: the parts for plain HTTP), and lets nginx load it when it has changed.
"""
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time

FILE = "/etc/nginx/conf.d/default.conf"
HEAD = """# nginx-proxy
# Networks available to the container labeled "com.github.nginx-proxy.nginx-proxy.nginx" or the one running docker-gen
# (which are assumed to match the networks available to the container running nginx):
{networks}

proxy_http_version 1.1;
proxy_set_header Host $host;
proxy_set_header X-Real-IP $remote_addr;
proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme;

server {{
    server_name _; # This is just an invalid value which will never trigger on a real hostname.
    server_tokens off;
    access_log /var/log/nginx/access.log;
    listen 80;
    location ^~ / {{
        return 503;
    }}
}}
"""
HOST = """# {host}/
upstream {host} {{
{servers}}}

server {{
    server_name {host};
    access_log /var/log/nginx/access.log;
    listen 80;

    location / {{
        proxy_pass http://{host};
        set $upstream_keepalive true;
    }}
}}
"""


class Engine(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/var/run/docker.sock")


def engine(path, method="GET"):
    connection = Engine("localhost", timeout=5)
    connection.request(method, path)
    answer = connection.getresponse().read()
    return json.loads(answer) if answer else None


def server(app, own):
    """One server of a group, or only comments if none of the container's networks is the proxy's too."""
    text, address = f"    # Container: {app['Name'][1:]}\n    #     networks:\n", None
    for name, network in sorted(app["NetworkSettings"]["Networks"].items()):
        reachable = name in own
        text += f"    #         {name} ({'reachable' if reachable else 'unreachable'})\n"
        if reachable and address is None:
            address = network["IPAddress"]
    exposed = sorted(port.split("/")[0] for port in app["Config"].get("ExposedPorts") or {})
    default = exposed[0] if len(exposed) == 1 else "80"
    port = environment(app).get("VIRTUAL_PORT", default)
    text += f"    #     IPv4 address: {address or '(none usable)'}\n    #     IPv6 address: (none usable)\n"
    ports = " ".join(f"{one}/tcp" for one in exposed) or "(none)"
    text += f"    #     exposed ports (first ten): {ports}\n    #     default port: {default}\n    #     using port: {port}\n"
    return text, f"    server {address}:{port};\n" if address else ""


def environment(app):
    return dict(pair.split("=", 1) for pair in app["Config"]["Env"] or [] if "=" in pair)


def generate():
    own = engine(f"/containers/{TARGET or socket.gethostname()}/json")["NetworkSettings"]["Networks"]
    apps = [engine(f"/containers/{one['Id']}/json") for one in engine("/containers/json")
            if SUFFIX in one["Names"][0]]
    text = HEAD.format(networks="\n".join(f"#     {name}" for name in sorted(own)))
    hosts = {}
    for app in apps:
        for host in filter(None, environment(app).get("VIRTUAL_HOST", "").split(",")):
            hosts.setdefault(host, []).append(app)
    for host, apps in sorted(hosts.items()):
        parts = [server(app, own) for app in apps]
        servers = "".join(comments + line for comments, line in parts)
        if not any(line for _, line in parts):
            servers += "    # Fallback entry\n    server 127.0.0.1 down;\n"
        else:
            servers += f"    keepalive {2 * len(apps)};\n"
        text += HOST.format(host=host, servers=servers)
    return text


# Other labs may run on the same engine: only what has this one's suffix in its name is looked at.
SUFFIX = os.environ["LAB_SUFFIX"]
TARGET = os.environ.get("LAB_TARGET")
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
written, nginx = None, None
try:
    while True:
        try:
            text = generate()
        except (KeyError, OSError):
            text = written
        if text != written:
            os.makedirs(os.path.dirname(FILE), exist_ok=True)
            with open(FILE, "w") as file:
                file.write(text)
            if TARGET:
                engine(f"/containers/{TARGET}/kill?signal=HUP", "POST")
            elif nginx is None:
                nginx = subprocess.Popen(["/usr/sbin/nginx"])
            else:
                subprocess.run(["/usr/sbin/nginx", "-s", "reload"], check=False)
            print("Generated '/etc/nginx/conf.d/default.conf'", flush=True)
            written = text
        time.sleep(0.3)
finally:
    if nginx:
        nginx.terminate()
