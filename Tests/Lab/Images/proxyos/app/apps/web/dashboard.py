"""ProxyOS as a proxy and a reader of its files see it: its database and what it tells a real Caddy.

It keeps routes in /data/proxyos/proxyos.db, generates Caddy's JSON from a row as ProxyOS does, and pushes it to Caddy's
admin API. Its own API at port 3000 has the calls that the dashboard's pages make for a route, by the same names.

Source: dariusvorster/proxyos-app, 9011ed1: packages/caddy/src/config.ts and bootstrap.ts,
packages/api/src/routers/routes.ts, packages/db/src/schema.ts.
"""
import http.server
import json
import os
import re
import secrets
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

DATABASE = "/data/proxyos/proxyos.db"
ADMIN = "http://localhost:2019"
TLS_PORTS = {443, 8006, 8007, 8443, 9090, 9443, 10443}
DOCUMENTS = ["upstreams", "staging_upstreams", "health_check_status_codes", "aliases", "ip_allowlist", "path_rewrite"]
# What the start-up code reads of a row; the rest is lost until the route is saved again.
AT_START = ["id", "name", "domain", "enabled", "upstream_type", "upstreams", "tls_mode", "health_check_enabled",
            "health_check_path", "health_check_interval"]
SCHEMA = """
CREATE TABLE IF NOT EXISTS routes (
  id TEXT PRIMARY KEY, name TEXT NOT NULL, domain TEXT NOT NULL UNIQUE, enabled INTEGER NOT NULL DEFAULT 1,
  upstream_type TEXT NOT NULL, upstreams TEXT NOT NULL, tls_mode TEXT NOT NULL DEFAULT 'auto',
  sso_enabled INTEGER NOT NULL DEFAULT 0, sso_provider_id TEXT, tls_dns_provider_id TEXT, rate_limit TEXT,
  ip_allowlist TEXT, basic_auth TEXT, headers TEXT, health_check_enabled INTEGER NOT NULL DEFAULT 1,
  health_check_path TEXT NOT NULL DEFAULT '/', health_check_interval INTEGER NOT NULL DEFAULT 30,
  compression_enabled INTEGER NOT NULL DEFAULT 1, websocket_enabled INTEGER NOT NULL DEFAULT 1,
  http2_enabled INTEGER NOT NULL DEFAULT 1, http3_enabled INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL, lb_policy TEXT NOT NULL DEFAULT 'round_robin',
  agent_id TEXT, archived_at INTEGER, waf_mode TEXT NOT NULL DEFAULT 'off', staging_upstreams TEXT,
  traffic_split_pct INTEGER, maintenance_mode INTEGER NOT NULL DEFAULT 0, maintenance_saved_upstreams TEXT,
  site_id TEXT, origin TEXT NOT NULL DEFAULT 'local', scope TEXT NOT NULL DEFAULT 'exclusive', path_rewrite TEXT,
  health_check_status_codes TEXT, health_check_body_regex TEXT, health_check_max_response_ms INTEGER,
  force_ssl INTEGER NOT NULL DEFAULT 0, skip_tls_verify INTEGER NOT NULL DEFAULT 0,
  upstream_protocol TEXT NOT NULL DEFAULT 'http', upstream_sni TEXT, aliases TEXT, sync_status TEXT, sync_diff TEXT,
  sync_checked_at INTEGER, sync_source TEXT, exposure_mode TEXT NOT NULL DEFAULT 'direct');
CREATE TABLE IF NOT EXISTS route_rules (
  id TEXT PRIMARY KEY, route_id TEXT NOT NULL, priority INTEGER NOT NULL DEFAULT 0, matcher_type TEXT NOT NULL,
  matcher_key TEXT, matcher_value TEXT NOT NULL, action TEXT NOT NULL, upstream TEXT, enabled INTEGER NOT NULL DEFAULT 1,
  created_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS system_log (
  id TEXT PRIMARY KEY, level TEXT NOT NULL, category TEXT NOT NULL, message TEXT NOT NULL, detail TEXT,
  created_at INTEGER NOT NULL);
"""
HOLDING = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>ProxyOS — Setting Up</title>
</head>
<body>
<div class="card">
  <h1>This connection is live</h1>
  <p>ProxyOS has routed this domain successfully.</p>
  <p>Your upstream service hasn't responded yet — start it or update the upstream address in ProxyOS to complete the setup.</p>
  <div class="badge"><span class="dot"></span>Proxy active</div>
  <div class="footer">Powered by ProxyOS</div>
</div>
</body>
</html>"""


class Refused(Exception):
    """What Caddy's admin API said."""


def caddy(method, path, value=None):
    body = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(ADMIN + path, body, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return json.loads(answer.read() or "null")
    except urllib.error.HTTPError as error:
        raise Refused(f"{error.code} {error.read().decode()}") from error


def database():
    connection = sqlite3.connect(DATABASE)
    connection.row_factory = sqlite3.Row
    return connection


def read(row):
    return {**row, **{key: json.loads(row[key] or "null") for key in DOCUMENTS if key in row.keys()}}


def route(identifier):
    with database() as rows:
        row = rows.execute("SELECT * FROM routes WHERE id = ?", [identifier]).fetchone()
    return row and read(row)


def store(identifier, values):
    values = {key: json.dumps(value) if key in DOCUMENTS and value is not None else value
              for key, value in values.items()}
    with database() as rows:
        rows.execute(f"UPDATE routes SET {', '.join(f'{key} = ?' for key in values)} WHERE id = ?",
                     [*values.values(), identifier])


def log(level, message, error):
    with database() as rows:
        rows.execute("INSERT INTO system_log VALUES (?, ?, 'caddy', ?, ?, ?)",
                     [secrets.token_urlsafe(9), level, message, json.dumps({"error": error}), int(time.time())])


def dial(address):
    bare = re.sub(r"^https?://", "", address)
    return bare if ":" in bare else f"{bare}:{443 if address.startswith('https://') else 80}"


def generate(route, rules=()):
    """buildCaddyRoute of config.ts, as far as the lab's routes need it."""
    handlers = []
    if route.get("waf_mode", "off") != "off":
        handlers.append({"handler": "waf", "enforcement": "block" if route["waf_mode"] == "blocking" else "detect"})
    handlers.append({"handler": "encode", "encodings": {"gzip": {}, "zstd": {}}})
    ruled = [{"match": [{rule["matcher_type"]: [rule["matcher_value"]]}], "terminal": True,
              "handle": [{"handler": "reverse_proxy",
                          "upstreams": [{"dial": re.sub(r"^https?://", "", rule["upstream"])}]}]}
             for rule in sorted(rules, key=lambda rule: rule["priority"])]
    if ruled:
        handlers.append({"handler": "subroute", "routes": ruled})
    upstreams = route["upstreams"]
    protocol, transport, health_tls = route.get("upstream_protocol", "http"), {}, {}
    if protocol == "https-insecure":
        transport = health_tls = {"tls": {"insecure_skip_verify": True}}
    elif protocol == "https-trusted":
        name = route.get("upstream_sni")
        transport = health_tls = {"tls": {"server_name": name} if name else {}}
    else:
        ports = [re.search(r":(\d+)(?:/|$)", one["address"]) for one in upstreams]
        by_port = any(port and int(port[1]) in TLS_PORTS for port in ports)
        if by_port or any(one["address"].startswith("https://") for one in upstreams):
            skip = by_port or bool(route.get("skip_tls_verify")) or any(one.get("skipVerify") for one in upstreams)
            transport = health_tls = {"tls": {"insecure_skip_verify": skip}}
    proxy = {
        "handler": "reverse_proxy",
        "upstreams": [{"dial": dial(one["address"]),
                       **({"weight": one["weight"]} if one.get("weight", 1) != 1 else {})} for one in upstreams],
        "headers": {"request": {"set": {"Host": ["{http.request.host}"],
                                        "X-Real-IP": ["{http.request.remote.host}"]}}}}
    if transport:
        proxy["transport"] = {"protocol": "http", **transport}
    if len(upstreams) > 1:
        policy = "weighted_round_robin" if any("weight" in one for one in proxy["upstreams"]) \
            else route.get("lb_policy") or "round_robin"
        proxy["load_balancing"] = {"selection_policy": {"policy": policy}}
    if route["health_check_enabled"]:
        codes, regex = route.get("health_check_status_codes"), route.get("health_check_body_regex")
        limit = route.get("health_check_max_response_ms")
        proxy["health_checks"] = {"active": {
            "path": route["health_check_path"], "interval": f"{route['health_check_interval']}s",
            "timeout": f"{limit}ms" if limit else "5s", **({"expect_status": codes[0]} if codes else {}),
            **({"expect_body": regex} if regex else {}), **health_tls}}
    match = {"host": [route["domain"], *(route.get("aliases") or [])]}
    if route.get("ip_allowlist"):
        match["remote_ip"] = {"ranges": route["ip_allowlist"]}
    return {"@id": f"proxyos-route-{route['id']}", "match": [match], "handle": handlers + [proxy], "terminal": True}


def generate_fully(route):
    with database() as rows:
        rules = rows.execute("SELECT * FROM route_rules WHERE route_id = ? AND enabled = 1", [route["id"]]).fetchall()
    return generate(route, rules)


def tls_policy(route):
    """Caddy's own authority for `internal`; the other modes would ask a public one, which the lab has not."""
    if route["tls_mode"] == "off":
        return
    subjects = [route["domain"], *(route.get("aliases") or [])]
    policies = caddy("GET", "/config/apps/tls/automation/policies") or []
    kept = [policy for policy in policies if not set(policy.get("subjects", [])) & set(subjects)]
    caddy("PATCH", "/config/apps/tls/automation/policies",
          kept + [{"subjects": subjects, "issuers": [{"module": "internal"}]}])


def replace(routes):
    caddy("PATCH", "/config/apps/http/servers/main/routes", routes)


def sync(identifier):
    """syncRouteToCaddy: replaces a route that Caddy has; one that it has not is not added."""
    saved = route(identifier)
    tls_policy(saved)
    caddy("PATCH", f"/id/proxyos-route-{identifier}", generate_fully(saved))
    store(identifier, {"sync_status": "ok", "sync_diff": None, "sync_checked_at": int(time.time()),
                       "sync_source": "manual"})


def start():
    """bootstrapCaddy: one call with all routes, then the holding page. A refusal ends it before the page."""
    with database() as rows:
        enabled = [read(row) for row in rows.execute(f"SELECT {', '.join(AT_START)} FROM routes WHERE enabled = 1")]
    try:
        replace([generate(one) for one in enabled])
        caddy("POST", "/config/apps/http/servers/main/errors", {"routes": [{
            "match": [{"expression": "{http.error.status_code} in [502, 503, 504]"}],
            "handle": [{"handler": "static_response", "status_code": 503, "body": HOLDING,
                        "headers": {"Content-Type": ["text/html; charset=utf-8"]}}]}]})
        for one in enabled:
            store(one["id"], {"sync_source": "bootstrap"})
        print(f"[proxyos] Caddy ready — initialConfigLoaded=false routes={len(enabled)}", flush=True)
    except Refused as error:
        print(f"[proxyos] bootstrap failed: Error: Caddy replaceRoutes failed: {error}", flush=True)
    caddy("PUT", "/config/apps/http/servers/dashboard",
          {"listen": [":3071"], "routes": [{"handle": [{"handler": "reverse_proxy",
                                                        "upstreams": [{"dial": "localhost:3000"}]}]}]})


def expose(values):
    identifier, now = secrets.token_urlsafe(9), int(time.time())
    row = {"id": identifier, "name": values["domain"].split(".")[0], "upstream_type": "http", "tls_mode": "internal",
           "created_at": now, "updated_at": now, **values, "upstreams": json.dumps(values["upstreams"])}
    with database() as rows:
        rows.execute(f"INSERT INTO routes ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", [*row.values()])
    try:
        saved = route(identifier)
        tls_policy(saved)
        caddy("POST", "/config/apps/http/servers/main/routes", generate(saved))
        store(identifier, {"sync_status": "ok", "sync_checked_at": now, "sync_source": "manual"})
    except Refused as error:
        with database() as rows:
            rows.execute("DELETE FROM routes WHERE id = ?", [identifier])
        log("error", f'Failed to expose "{values["domain"]}" in Caddy', str(error))
        raise
    return route(identifier)


def update(identifier, values):
    store(identifier, {**values, "updated_at": int(time.time())})
    try:
        sync(identifier)
    except Refused as error:
        log("error", f'Failed to update route "{route(identifier)["domain"]}" in Caddy', f"Caddy updateRoute failed: {error}")
        raise
    return route(identifier)


def toggle(identifier, values):
    store(identifier, {"enabled": int(values["enabled"]), "updated_at": int(time.time())})
    if values["enabled"]:
        sync(identifier)
    else:
        caddy("DELETE", f"/id/proxyos-route-{identifier}")


def schedule(identifier, values):
    """scheduledChanges.create and executeDue: Caddy's refusal does not stop it."""
    store(identifier, {"enabled": int(values["action"] == "enable"), "updated_at": int(time.time())})
    try:
        sync(identifier)
    except Refused:
        pass


def delete(identifier):
    try:
        caddy("DELETE", f"/id/proxyos-route-{identifier}")
    except Refused:
        pass
    with database() as rows:
        rows.execute("DELETE FROM routes WHERE id = ?", [identifier])


def add_rule(identifier, values):
    with database() as rows:
        rows.execute("INSERT INTO route_rules (id, route_id, matcher_type, matcher_value, action, upstream, created_at)"
                     " VALUES (?, ?, ?, ?, 'upstream', ?, ?)",
                     [secrets.token_urlsafe(9), identifier, values["matcher_type"], values["matcher_value"],
                      values["upstream"], int(time.time())])
    sync(identifier)


def reload():
    """caddyRouter.reload: every enabled route of the database, in full."""
    with database() as rows:
        enabled = [read(row) for row in rows.execute("SELECT * FROM routes WHERE enabled = 1")]
    replace([generate_fully(one) for one in enabled])
    for one in enabled:
        tls_policy(one)


class API(http.server.BaseHTTPRequestHandler):
    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def handle_call(self):
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else {}
        path, identifier = self.path.partition("?")[0], sent.pop("id", None)
        calls = {
            "/api/health": lambda: {"status": "ok", "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
                                    "db": "ok"},
            "/api/trpc/routes.list": every, "/api/trpc/routes.expose": lambda: expose(sent),
            "/api/trpc/routes.update": lambda: update(identifier, sent),
            "/api/trpc/routes.toggle": lambda: toggle(identifier, sent),
            "/api/trpc/scheduledChanges.create": lambda: schedule(identifier, sent),
            "/api/trpc/routes.delete": lambda: delete(identifier),
            "/api/trpc/routeRules.create": lambda: add_rule(identifier, sent), "/api/trpc/caddy.reload": reload}
        if path not in calls:
            return self.answer(404, {"error": "Not found"})
        try:
            self.answer(200, calls[path]())
        except Refused as error:
            self.answer(500, {"error": {"message": f"Failed to update Caddy: {error}"}})

    do_GET = do_POST = handle_call

    def log_message(self, form, *values):
        pass


def every():
    with database() as rows:
        return [read(row) for row in rows.execute("SELECT * FROM routes")]


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
for folder in ["/data/proxyos", "/data/caddy", "/config/caddy"]:
    os.makedirs(folder, exist_ok=True)
with database() as tables:
    tables.executescript(SCHEMA)
proxy = subprocess.Popen(["caddy", "run", "--config", "/etc/caddy/base-config.json"])
for _ in range(100):
    try:
        caddy("GET", "/config/")
        break
    except OSError:
        time.sleep(0.1)
start()
try:
    http.server.ThreadingHTTPServer(("0.0.0.0", 3000), API).serve_forever()
finally:
    proxy.terminate()
