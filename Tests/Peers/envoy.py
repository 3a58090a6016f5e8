"""Envoy's examples and those of projects, asked of a running Envoy."""

import os, random
import yaml
from lib import *

# What needs certificates, other services or other protocols; the text without it is what both read.
DROPPED = {
    "transport_socket", "transport_socket_matches", "health_checks", "access_log", "typed_extension_protocol_options",
    "http2_protocol_options", "http_protocol_options", "outlier_detection", "tracing", "typed_per_filter_config",
    "stat_prefix_", "rate_limits", "listener_filters", "circuit_breakers", "per_connection_buffer_limit_bytes",
    "dns_resolvers", "typed_dns_resolver_config", "upstream_bind_config", "http3_protocol_options", "load_stats",
    "filter_chain_match", "udp_listener_config", "request_mirror_policies", "upgrade_configs"}


def moved(tree, upstreams, ports):
    static = {}

    def walk(node):
        if isinstance(node, list):
            return [walk(one) for one in node]
        if isinstance(node, dict):
            return {k: walk(v) for k, v in node.items() if k not in DROPPED}
        return node

    resources = walk(tree.get("static_resources") or {})
    listeners = []
    for listener in resources.get("listeners") or []:
        address = (listener.get("address") or {}).get("socket_address") or {}
        number = address.get("port_value")
        if not isinstance(number, int) or number in ports or address.get("protocol") == "UDP":
            continue
        ports[number] = free_port()
        listener["address"] = {"socket_address": {"address": "127.0.0.1", "port_value": ports[number]}}
        listener.pop("additional_addresses", None)
        for chain in listener.get("filter_chains") or []:
            for one in chain.get("filters") or []:
                about = one.get("typed_config") or {}
                if "HttpConnectionManager" in str(about.get("@type")):
                    about["http_filters"] = [{"name": "envoy.filters.http.router", "typed_config": {
                        "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}}]
                    about.setdefault("stat_prefix", "x")
        listeners.append(listener)
    clusters = []
    for cluster in resources.get("clusters") or []:
        for group in (cluster.get("load_assignment") or {}).get("endpoints") or []:
            for endpoint in group.get("lb_endpoints") or []:
                address = (endpoint.get("endpoint") or {}).get("address") or {}
                place = address.get("socket_address") or {}
                name = f"{place.get('address')}:{place.get('port_value')}" if place else str(address)
                endpoint["endpoint"] = {"address": {"socket_address": {
                    "address": "127.0.0.1", "port_value": upstreams.port(name)}}}
        if cluster.get("type") in ("STRICT_DNS", "LOGICAL_DNS", "strict_dns", "logical_dns", "static", "STATIC", None):
            cluster["type"] = "STATIC"
        clusters.append(cluster)
    static["static_resources"] = {"listeners": listeners, "clusters": clusters}
    return static


def wanted(node, hosts, paths):
    if isinstance(node, list):
        for one in node:
            wanted(one, hosts, paths)
    elif isinstance(node, dict):
        for domain in node.get("domains") or []:
            if isinstance(domain, str):
                hosts.setdefault(domain.partition(":")[0].replace("*", "w"))
        match = node.get("match")
        if isinstance(match, dict):
            for key in ("prefix", "path", "path_separated_prefix"):
                if isinstance(match.get(key), str) and match[key].startswith("/"):
                    paths.setdefault(match[key])
                    paths.setdefault(match[key].rstrip("/") + "/x1")
        for value in node.values():
            wanted(value, hosts, paths)


def compare(table, file, tree, upstreams):
    ports, hosts, paths = {}, {}, {"/": None, "/x1/y?q=1": None}
    configuration = moved(tree, upstreams, ports)
    wanted(configuration, hosts, paths)
    text, path = yaml.safe_dump(configuration), os.path.join(SCRATCH, "envoy.yaml")
    if not ports or "virtual_hosts" not in text:
        return table.other("not run", file, "no HTTP")
    asked = [(p, h, w) for p in ports.values() for h in [x for x in hosts if x][:6] + ["other.invalid"] for w in list(paths)[:10]]
    asked = asked[::max(1, len(asked) // 40)]
    answer = table.read({
        "kind": "envoy", "files": {"/e.yaml": text}, "command": ["envoy", "-c", "/e.yaml"],
        "requests": [{"url": f"http://{h}:{p}{w}", "port": p} for p, h, w in asked]}, file)
    if not answer:
        return
    with open(path, "w") as out:
        out.write(text)
    run = [str(WHEELS / "envoy"), "-c", path, "--concurrency", "1", "-l", "error", "--base-id", str(random.randrange(2, 30000))]
    problem = mistake(answer)
    with Running(run, list(ports.values()), 12) as envoy:
        if not envoy.started:
            return table.right() if problem else table.other("not run", file, envoy.said.strip()[-200:].replace("\n", " "))
        if problem:
            return table.other("refused", file, problem)
        table.compare(
            file, asked, answer, lambda port, host, where: (f"{host}:{port}{where}", ask(port, f"{host}:{port}", where)))


def examples(suites, verbose):
    upstreams, table = Upstreams(), Table("Envoy files of projects", verbose)
    for path, text in suites.everywhere(r"\.ya?ml$"):
        if "static_resources" not in text or "{{" in text:
            continue
        try:
            tree = yaml.safe_load(text)
        except yaml.YAMLError:
            continue
        if isinstance(tree, dict) and isinstance(tree.get("static_resources"), dict):
            compare(table, path, tree, upstreams)
    table.end()


SUITES = [examples]
