"""Nginx Proxy Manager as a proxy and a reader of its files see it: the layout of 2.15 around a real nginx.

Keeps hosts in /data/database.sqlite, writes /data/nginx/proxy_host/ID.conf from them when they are saved,
and answers the part of its API on 127.0.0.1:3000 that the edit form of a proxy host uses.
"""
import http.server
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time

HOSTS = "/data/nginx/proxy_host"
IDENTITY, SECRET, TOKEN = "admin@example.test", "changeme", "lab-token"
TEXTS = ["forward_host", "forward_port", "forward_scheme", "advanced_config", "enabled", "access_list_id",
         "certificate_id", "ssl_forced", "caching_enabled", "block_exploits", "allow_websocket_upgrade",
         "http2_support", "hsts_enabled", "hsts_subdomains", "trust_forwarded_proto"]
DOCUMENTS = ["domain_names", "locations", "meta"]
SCHEMA = """
CREATE TABLE IF NOT EXISTS proxy_host (
  id integer not null primary key autoincrement, created_on datetime not null, modified_on datetime not null,
  owner_user_id integer not null, is_deleted integer not null default 0, domain_names json not null,
  forward_host varchar(255) not null, forward_port integer not null, access_list_id integer not null default 0,
  certificate_id integer not null default 0, ssl_forced integer not null default 0,
  caching_enabled integer not null default 0, block_exploits integer not null default 0,
  advanced_config text not null default '', meta json not null, allow_websocket_upgrade integer not null default 0,
  http2_support integer not null default 0, forward_scheme varchar(255) not null default 'http',
  enabled integer not null default 1, locations json, hsts_enabled integer not null default 0,
  hsts_subdomains integer not null default 0, trust_forwarded_proto integer not null default 0);
CREATE TABLE IF NOT EXISTS setting (
  id varchar(255) not null, name varchar(100) not null, description varchar(255) not null,
  value varchar(255) not null, meta json not null, primary key (id));
INSERT OR IGNORE INTO setting VALUES
  ('default-site', 'Default Site', 'What to show when Nginx is hit with an unknown Host', 'congratulations', '{}');
"""


def database():
    connection = sqlite3.connect("/data/database.sqlite")
    connection.row_factory = sqlite3.Row
    return connection


def host(identifier):
    with database() as rows:
        row = rows.execute("SELECT * FROM proxy_host WHERE id = ? AND is_deleted = 0", [identifier]).fetchone()
    return row and {**row, **{key: json.loads(row[key] or "[]") for key in DOCUMENTS}}


def store(identifier, values):
    values = {key: json.dumps(value) if key in DOCUMENTS else value for key, value in values.items()}
    values["modified_on"] = time.strftime("%Y-%m-%d %H:%M:%S")
    with database() as rows:
        fields = ", ".join(f"{key} = ?" for key in values)
        rows.execute(f"UPDATE proxy_host SET {fields} WHERE id = ?", [*values.values(), identifier])


def location(place):
    name, slash, path = place["forward_host"].partition("/")
    return f"""  location {place["path"]} {{
    {place.get("advanced_config", "")}

    proxy_set_header Host $host;
    proxy_set_header X-Forwarded-Scheme $scheme;
    proxy_set_header X-Forwarded-Proto  $scheme;
    proxy_set_header X-Forwarded-For    $remote_addr;
    proxy_set_header X-Real-IP		$remote_addr;

    proxy_pass       {place["forward_scheme"]}://{name}:{place["forward_port"]}{slash}{path};

  }}

"""


WEBSOCKET = """proxy_set_header Upgrade $http_upgrade;
proxy_set_header Connection $http_connection;
proxy_http_version 1.1;
"""


def configuration(host):
    """The text of ID.conf, as the templates proxy_host.conf and _location.conf give it."""
    rule = "# ------------------------------------------------------------"
    websocket = WEBSOCKET if host["allow_websocket_upgrade"] else ""
    own = re.search(r"^(?:.*;)?\s*?location\s*?/\s*?{", host["advanced_config"], re.I | re.M)
    default = "" if own or any(place["path"] == "/" for place in host["locations"]) else f"""
  location / {{

    {websocket}

    # Proxy!
    include conf.d/include/proxy.conf;
  }}
"""
    return f"""{rule}
# {", ".join(host["domain_names"])}
{rule}


map $scheme $hsts_header {{
    https   "max-age=63072000; preload";
}}

server {{
  set $forward_scheme {host["forward_scheme"]};
  set $server         "{host["forward_host"]}";
  set $port           {host["forward_port"]};

  listen 80;
listen [::]:80;


  server_name {" ".join(host["domain_names"])};


{websocket}

  access_log /data/logs/proxy-host-{host["id"]}_access.log proxy;
  error_log /data/logs/proxy-host-{host["id"]}_error.log warn;

{host["advanced_config"]}

{"".join(map(location, host["locations"]))}
{default}

  # Custom
  include /data/nginx/custom/server_proxy[.]conf;
}}
"""


def nginx_error():
    """What nginx says against the files as they are; None if it accepts them."""
    test = subprocess.run(["/usr/sbin/nginx", "-t", "-g", "error_log off;"], capture_output=True, text=True)
    return None if test.returncode == 0 else test.stderr


def workers():
    """The process ids of nginx's workers."""
    with open(f"/proc/{nginx.pid}/task/{nginx.pid}/children") as file:
        return set(file.read().split())


def reload():
    """Loads the files and waits until no old worker takes connections, two seconds at most."""
    old = workers()
    subprocess.run(["/usr/sbin/nginx", "-s", "reload"], check=True)
    for _ in range(100):
        if not old & workers():
            return
        time.sleep(0.02)


def configure(identifier):
    """What saving does: generate, test, take the host offline if the test fails, reload."""
    saved = host(identifier)
    path = f"{HOSTS}/{identifier}.conf"
    for old in [path, path + ".err"]:
        if os.path.exists(old):
            os.remove(old)
    error = None
    if saved["enabled"]:
        with open(path, "w") as file:
            file.write(configuration(saved))
        error = nginx_error()
        if error:
            os.rename(path, path + ".err")
    store(identifier, {"meta": {**saved["meta"], "nginx_online": error is None, "nginx_err": error}})
    reload()


def create(values):
    now = time.strftime("%Y-%m-%d %H:%M:%S")
    with database() as rows:
        new = rows.execute(
            "INSERT INTO proxy_host (created_on, modified_on, owner_user_id, domain_names, forward_host,"
            " forward_port, meta, locations) VALUES (?, ?, 1, '[]', '', 0, '{}', '[]')", [now, now]).lastrowid
    update(new, {"enabled": 1, **values})
    return new


def update(identifier, values):
    store(identifier, {key: value for key, value in values.items() if key in TEXTS + DOCUMENTS})
    configure(identifier)


class API(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_call(self):
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else {}
        call = f"{self.command} {self.path.partition('?')[0]}"
        if call == "GET /":
            version = {"major": 2, "minor": 15, "revision": 1}
            return self.answer(200, {"status": "OK", "setup": True, "version": version})
        if call == "POST /tokens":
            if (sent.get("identity"), sent.get("secret")) != (IDENTITY, SECRET):
                return self.answer(401, {"error": {"code": 401, "message": "Invalid email or password"}})
            return self.answer(200, {"token": TOKEN, "expires": "2099-01-01T00:00:00.000Z"})
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self.answer(403, {"error": {"code": 403, "message": "Permission Denied"}})
        if call == "GET /nginx/proxy-hosts":
            with database() as rows:
                every = [row["id"] for row in rows.execute("SELECT id FROM proxy_host WHERE is_deleted = 0")]
            return self.answer(200, [host(identifier) for identifier in every])
        if call == "POST /nginx/proxy-hosts":
            return self.answer(201, host(create(sent)))
        match = re.fullmatch(r"(PUT|POST) /nginx/proxy-hosts/(\d+)(/enable|/disable)?", call)
        if not match or not host(int(match[2])):
            return self.answer(404, {"error": {"code": 404, "message": "Not Found"}})
        update(int(match[2]), {"enabled": int(match[3] == "/enable")} if match[3] else sent)
        self.answer(200, host(int(match[2])))

    do_GET = do_POST = do_PUT = handle_call

    def log_message(self, form, *values):
        print(f"[Express  ] › ℹ  info      {form % values}", flush=True)


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for folder in ["logs", "access", "custom_ssl", "letsencrypt-acme-challenge", "nginx/custom", "nginx/proxy_host",
               "nginx/redirection_host", "nginx/dead_host", "nginx/stream", "nginx/default_host", "nginx/temp"]:
    os.makedirs(f"/data/{folder}", exist_ok=True)
with database() as tables:
    tables.executescript(SCHEMA)
with open("/etc/resolv.conf") as file:
    servers = [line.split()[1] for line in file if line.startswith("nameserver")]
with open("/etc/nginx/conf.d/include/resolvers.conf", "w") as file:
    file.write(f"resolver {' '.join(servers)}  valid=10s;\n")
nginx = subprocess.Popen(["/usr/sbin/nginx"])
if os.environ.get("DB_MYSQL_HOST"):
    # Its own rows stay in a file; what matters here is that it does not listen before its database answers.
    database_at = (os.environ["DB_MYSQL_HOST"], int(os.environ.get("DB_MYSQL_PORT", 3306)))
    while True:
        try:
            socket.create_connection(database_at, timeout=1).close()
            break
        except OSError as error:
            print(f"[Global   ] › ✖  error     connect {error} {database_at[0]}:{database_at[1]}", flush=True)
            time.sleep(1)
print("[Global   ] › ℹ  info      Backend PID 1 listening on port 3000 ...", flush=True)
try:
    http.server.HTTPServer(("127.0.0.1", 3000), API).serve_forever()
finally:
    nginx.terminate()
