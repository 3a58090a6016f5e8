"""The faults and the healthy controls. A docstring says what is broken, and the public thread the system follows."""
import json, os, shutil, socket, subprocess, threading, time
from stage import APP, PEERS, StagingError, free_port, get, sh
ALL = {}
def fault(f): ALL[f.__name__.replace("_", "-")] = f; return f
def loc(up, extra=""): return f"    location / {{\n        proxy_pass {up};\n        proxy_set_header Host $host;\n        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n        proxy_connect_timeout 3s;\n{extra}    }}"
def nginx_main(extra=""): return "worker_processes 1;\npid logs/nginx.pid;\nerror_log logs/error.log notice;\nevents { worker_connections 256; }\nhttp {\n    access_log logs/access.log;\n" + extra + "\n}\n"

# ---------------------------------------------------------------- one network place, several containers
def vpn(s, net, port, name=None): # a VPN container with its own control server and two guests
    v = s.app(8000, name=name or s.name("gluetun"), net=net, image="qmcgaw/gluetun:v3", opts=["--sysctl", "net.ipv6.conf.all.disable_ipv6=1", "--expose", str(port)])
    return v
def guest(s, owner, port, *args, image="linuxserver/qbittorrent:4.6", name=None):
    s.mark = f"<title>{image.split(':')[0].split('/')[-1]}</title>"; return s.app(port, *args, name=name or s.name("qbittorrent"), net="container:" + owner, image=image)

@fault
def vpn_restarted_nginx(s):
    """The VPN container was restarted; its guest sits in the old network namespace. nginx dials the VPN container by name.
    https://github.com/qdm12/gluetun/issues/641"""
    n = s.net(); p = s.port(); v = vpn(s, n, p); guest(s, v, p)
    s.nginx(loc(f"http://{v}:{p}"), n); s.ready()
    sh("docker", "restart", "-t", "1", v); s.expect("/", 502, "namespace-lost")
@fault
def vpn_recreated_caddy(s):
    """The VPN container was created again (an update by Watchtower); the guest refers to a container that is gone.
    https://github.com/qdm12/gluetun/issues/405"""
    n = s.net(); p = s.port(); v = vpn(s, n, p); guest(s, v, p)
    s.caddy(f"http://{s.site} {{\n\treverse_proxy {v}:{p}\n}}\n", n); s.ready()
    sh("docker", "rm", "-f", v); vpn(s, n, p, name=v); s.expect("/", 502, "namespace-lost")
@fault
def vpn_restarted_traefik_labels(s):
    """As above with Traefik, its labels at the VPN container. https://github.com/passteque/gluetun/issues/2371"""
    n = s.net(); p = s.port()
    v = s.app(8000, name=s.name("vpn"), net=n, image="qmcgaw/gluetun:v3", labels=s.labels(p)); guest(s, v, p, name=s.name("sonarr"))
    s.traefik(s.docker_provider(), n); s.ready()
    sh("docker", "restart", "-t", "1", v); s.expect("/", 502, "namespace-lost")
@fault
def vpn_restarted_haproxy(s):
    """HAProxy dials a sidecar's address where the guest lived before the sidecar's restart.
    https://github.com/passteque/gluetun/issues/504"""
    n = s.net(); p = s.port(); v = vpn(s, n, p); guest(s, v, p, image=s.appimage(), name=s.name())
    s.haproxy(f"frontend web\n    bind :80\n    default_backend app\nbackend app\n    server one {v}:{p} check inter 2s\n", n); s.ready()
    sh("docker", "restart", "-t", "1", v); s.expect("/", 503, "namespace-lost")
@fault
def guest_is_named_nginx(s):
    """The route names the guest, which has no name on any network; its owner has. https://github.com/traefik/traefik/issues/6701"""
    n = s.net(); p = s.port(); v = vpn(s, n, p); g = guest(s, v, p)
    s.nginx("    resolver 127.0.0.11 valid=5s; resolver_timeout 3s;\n    set $target " + g + f";\n    location / {{ proxy_pass http://$target:{p}; }}", n); s.expect("/", 502, "shared-network-backend")
@fault
def guest_is_named_caddy(s):
    """The same behind Caddy, with a Tailscale side container. https://github.com/tailscale-dev/ScaleTail/issues/150"""
    n = s.net(); p = s.port(); v = s.run("tailscale/tailscale:stable", "sleep", "infinity", name=s.name("ts"), net=n); g = guest(s, v, p, image=s.appimage(), name=s.name())
    s.caddy(f"http://{s.site} {{\n\treverse_proxy http://{g}:{p}\n}}\n", n); s.expect("/", 502, "shared-network-backend")
def sidecar_proxy(s, up, n, kind="caddy"):
    hp = s.hostport(); s.hp = hp
    t = s.run("tailscale/tailscale:stable", "sleep", "infinity", name=s.name("tailscale"), net=n, publish=[f"{hp}:80"])
    if kind == "caddy": s.caddy(f"http://{s.site} {{\n\treverse_proxy {up}\n}}\n", f"container:{t}", publish=False)
    elif kind == "nginx": s.nginx("    resolver 127.0.0.11 valid=2s; resolver_timeout 3s;\n    set $up " + up.split(":")[0] + f";\n    location / {{ proxy_connect_timeout 3s; proxy_pass http://$up:{up.split(':')[1]}; }}", f"container:{t}", publish=False)
    else: s.traefik(["--providers.file.directory=/etc/traefik/dynamic"], f"container:{t}", socket=False, publish=False, files={"routes.yml": f"http:\n  routers:\n    r:\n      rule: Host(`{s.site}`)\n      service: s\n  services:\n    s:\n      loadBalancer:\n        servers:\n          - url: http://{up}\n"})
    s.hp = hp; return t
@fault
def sidecar_caddy_wrong_port(s):
    """Caddy lives in a Tailscale container's network; the app listens on another port. https://github.com/tailscale-dev/ScaleTail/issues/150"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); sidecar_proxy(s, f"{a}:{p + 7}", n); s.expect("/", 502, "wrong-port")
@fault
def sidecar_nginx_app_stopped(s):
    """nginx lives in a side container's network; the app has exited. https://github.com/hollie/tailscale-caddy-proxy/issues/12"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); sidecar_proxy(s, f"{a}:{p}", n, "nginx"); s.ready(); sh("docker", "stop", "-t", "1", a); time.sleep(5); s.expect("/", {502, 504}, "backend-stopped")
@fault
def sidecar_caddy_other_network(s):
    """Caddy lives in a side container's network; the app is on its own project's network. https://github.com/hollie/tailscale-caddy-proxy/issues/12"""
    n = s.net(); m = s.net("immich_default"); p = s.port(); a = s.app(p, net=m); sidecar_proxy(s, f"{a}:{p}", n); s.expect("/", 502, "network-mismatch")
@fault
def sidecar_restarted_proxy_left(s):
    """The side container was restarted, the proxy is the guest left behind: nothing answers on the published port.
    https://github.com/qdm12/gluetun/issues/641"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); t = sidecar_proxy(s, f"{a}:{p}", n, "traefik"); s.ready(); sh("docker", "restart", "-t", "1", t); s.expect("/", None, "namespace-lost")

# ---------------------------------------------------------------- the proxy is on the host
def host_nginx(s, server, *, prefix=None, conf="conf/nginx.conf", http=""):
    s.hp = s.hostport(); d = prefix or f"{s.dir}/nginx"; os.makedirs(d + "/logs", exist_ok=True); os.makedirs(d + "/conf", exist_ok=True)
    s.file(f"{d}/{conf}"[len(s.dir) + 1:], nginx_main(f"{http}    server {{\n        listen {s.hp};\n        server_name {s.site};\n{server}\n    }}"))
    return s.bg("/usr/sbin/nginx", "-p", d, "-c", conf, "-g", "daemon off;")
def host_caddy(s, text):
    s.hp = s.hostport(); f = s.file("Caddyfile", "{\n\tadmin localhost:%d\n\tauto_https off\n}\nhttp://%s:%d {\n%s\n}\n" % (s.hostport(), s.site, s.hp, text))
    return s.bg(PEERS + "/caddy", "run", "--config", f, "--adapter", "caddyfile", env={"HOME": s.dir, "XDG_DATA_HOME": s.dir + "/data", "XDG_CONFIG_HOME": s.dir + "/cfg"})
def host_haproxy(s, text):
    s.hp = s.hostport(); f = s.file("haproxy.cfg", f"global\n    maxconn 500\ndefaults\n    mode http\n    timeout connect 3s\n    timeout client 30s\n    timeout server 30s\nfrontend web\n    bind :{s.hp}\n    default_backend app\n{text}")
    return s.bg("/usr/sbin/haproxy", "-W", "-db", "-f", f)
@fault
def host_nginx_not_published(s):
    """nginx on the host dials 127.0.0.1:PORT; the container's port is only exposed. https://github.com/nginx-proxy/nginx-proxy/issues/1059"""
    n = s.net(); p = s.hostport(); s.app(p, net=n, opts=["--expose", str(p)]); host_nginx(s, loc(f"http://127.0.0.1:{p}")); s.expect("/", 502, "port-not-published")
@fault
def published_on_loopback_gateway_dialled(s):
    """The app is published on 127.0.0.1; the proxy container dials the bridge's gateway. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/621"""
    n = s.net(); m = s.net("apps"); p = s.port(); q = s.hostport(); s.app(p, net=m, publish=[f"127.0.0.1:{q}:{p}"])
    s.nginx(loc(f"http://{s.gateway(n)}:{q}"), n); s.expect("/", 502, "port-not-published", "upstream-is-localhost")
@fault
def host_caddy_dials_container_name(s):
    """Caddy of the machine dials a container by its name. https://github.com/headscale/headscale/issues (kind), https://github.com/laradock/laradock/issues/1365"""
    n = s.net(); p = s.port(); q = s.hostport(); a = s.app(p, net=n, publish=[f"{q}:{p}"]); host_caddy(s, f"\treverse_proxy {a}:{p}"); s.expect("/", 502, "port-not-published", "name-not-found")
@fault
def host_port_used_inside(s):
    """The route has the published port, the container listens on its own. https://github.com/jlesage/docker-nginx-proxy-manager/issues/261"""
    n = s.net(); p = s.port(); q = s.hostport(); a = s.app(p, net=n, publish=[f"{q}:{p}"])
    s.httpd(f"<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPass / http://{a}:{q}/\n    ProxyPassReverse / http://{a}:{q}/\n</VirtualHost>\n", n); s.expect("/", 503, "wrong-port")
@fault
def host_nginx_own_prefix_wrong_port(s):
    """nginx was started with -p and -c; the port was changed in the app. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1021 (kind)"""
    p = s.port(); q = s.hostport(); s.app(p, publish=[f"127.0.0.1:{q}:{p}"]); w = s.hostport()
    host_nginx(s, loc(f"http://127.0.0.1:{w}"), prefix=f"{s.dir}/srv/web", conf="conf/edge.conf"); s.expect("/", 502, "wrong-port", "backend-stopped")
@fault
def own_lan_address(s):
    """The route dials the machine's own LAN address, which does not lead back here. https://forums.docker.com/t/39063"""
    p = s.port(); q = s.hostport(); s.app(p, publish=[f"{q}:{p}"])
    s.rule("-t", "nat", "-I", "OUTPUT", "-d", "192.0.2.2", "-p", "tcp", "--dport", str(q), "-j", "DNAT", "--to-destination", f"192.0.2.{s.rnd.randrange(60, 200)}:{q}")
    host_haproxy(s, f"backend app\n    server a 192.0.2.2:{q}\n"); s.expect("/", {502, 503, 504}, "nat-hairpin", "firewall-blocked")

# ---------------------------------------------------------------- firewalls (only for packets of this stage's own bridge)
@fault
def ufw_blocks_published_port(s):
    """ufw's chains drop what comes from the proxy's bridge to a published port. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/3350"""
    n = s.net(); m = s.net("apps"); p = s.port(); q = s.hostport(); s.app(p, net=m, publish=[f"{q}:{p}"]); b = s.bridge(n); t = s.tag
    for c in ("ufw-user-input", "ufw-reject-input"):
        c = f"{c}-{t}" ; sh("iptables", "-w", "-N", c); s.undo.append(lambda c=c: (sh("iptables", "-w", "-F", c, check=False), sh("iptables", "-w", "-X", c, check=False)))
    s.rule("-A", f"ufw-user-input-{t}", "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT")
    for q2 in (22, 80, 443): s.rule("-A", f"ufw-user-input-{t}", "-p", "tcp", "--dport", str(q2), "-j", "ACCEPT")
    s.rule("-A", f"ufw-reject-input-{t}", "-i", b, "-j", "DROP")
    s.rule("-A", "INPUT", "-j", f"ufw-user-input-{t}"); s.rule("-A", "INPUT", "-j", f"ufw-reject-input-{t}")
    s.nginx(loc(f"http://192.0.2.2:{q}"), n); s.expect("/", 504, "firewall-blocked")
@fault
def raw_prerouting_drop(s):
    """Docker 28 and hardening scripts drop in table raw. https://github.com/moby/moby/issues/49288"""
    n = s.net(); m = s.net("apps"); p = s.port(); q = s.hostport(); s.app(p, net=m, publish=[f"{q}:{p}"])
    s.rule("-t", "raw", "-I", "PREROUTING", "-i", s.bridge(n), "-p", "tcp", "--dport", str(q), "-j", "DROP")
    s.caddy(f"http://{s.site} {{\n\treverse_proxy 192.0.2.2:{q}\n}}\n", n); s.expect("/", {502, 504}, "firewall-blocked")
@fault
def nft_prerouting_drop(s):
    """An nftables table of one's own drops the bridge's packets before Docker sees them. https://github.com/firewalld/firewalld/issues/534"""
    n = s.net(); m = s.net("apps"); p = s.port(); q = s.hostport(); s.app(p, net=m, publish=[f"{q}:{p}"]); t = f"hardening_{s.tag}"
    sh("nft", "-f", "-", input=f'table inet {t} {{\n chain early {{\n type filter hook prerouting priority -300; policy accept;\n iifname "{s.bridge(n)}" tcp dport {q} counter drop\n }}\n}}\n'); s.undo.append(lambda: sh("nft", "delete", "table", "inet", t, check=False))
    s.haproxy(f"frontend web\n    bind :80\n    default_backend app\nbackend app\n    server one {s.gateway(n)}:{q}\n", n); s.expect("/", {503, 504}, "firewall-blocked")
@fault
def firewalld_rejects_host_app(s):
    """The app is a service of the host; a firewalld-like chain rejects the proxy's bridge: no route to host. https://github.com/cowrie/cowrie/issues/2551"""
    n = s.net(); p = s.hostport(); s.bg(APP, p, "--name", "homeassistant"); t = f"firewalld_{s.tag}"
    sh("nft", "-f", "-", input=f'table inet {t} {{\n chain filter_INPUT {{\n type filter hook input priority 10; policy accept;\n ct state established,related accept\n iifname "{s.bridge(n)}" reject with icmpx type admin-prohibited\n }}\n}}\n'); s.undo.append(lambda: sh("nft", "delete", "table", "inet", t, check=False))
    s.nginx(loc(f"http://host.docker.internal:{p}"), n, opts=["--add-host", f"host.docker.internal:{s.gateway(n)}"]); s.expect("/", 502, "firewall-blocked")

# ---------------------------------------------------------------- addresses and names
@fault
def zero_address_caddy(s):
    """The Caddyfile dials 0.0.0.0. https://caddy.community/t (kind), https://github.com/GoodiesHQ/headscale-admin/issues/31"""
    n = s.net(); p = s.port(); q = s.hostport(); s.app(p, net=n, publish=[f"127.0.0.1:{q}:{p}"]); s.caddy(f"http://{s.site} {{\n\treverse_proxy 0.0.0.0:{q}\n}}\n", n); s.expect("/", 502, "upstream-is-localhost")
@fault
def any_address_v6_traefik(s):
    """A Traefik file route dials [::]. https://github.com/sourcegraph/sourcegraph/issues/1890 (kind)"""
    n = s.net(); p = s.port(); s.app(p, net=n, publish=[f"{s.hostport()}:{p}"])
    s.traefik(["--providers.file.directory=/etc/traefik/dynamic"], n, socket=False, files={"app.yml": f"http:\n  routers:\n    app:\n      rule: Host(`{s.site}`)\n      service: app\n  services:\n    app:\n      loadBalancer:\n        servers:\n          - url: http://[::]:{p}\n"}); s.expect("/", 502, "upstream-is-localhost", "ipv6-mismatch")
@fault
def localhost_without_ipv6(s):
    """The route says [::1], the place has no IPv6: errno 99. https://github.com/ONLYOFFICE/DocumentServer/issues/128"""
    n = s.net(); p = s.port(); x = s.nginx(loc(f"http://[::1]:{p}"), n, opts=["--sysctl", "net.ipv6.conf.all.disable_ipv6=1"]); s.app(p, "127.0.0.1", net="container:" + x); s.expect("/", 502, "ipv6-mismatch")
@fault
def only_v6_app(s):
    """The app listens on [::] with IPV6_V6ONLY; the network has IPv4 only. https://github.com/gotify/server/issues/886 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--v6only", net=n, opts=["--sysctl", "net.ipv6.conf.all.disable_ipv6=0"])
    s.haproxy(f"frontend web\n    bind :80\n    use_backend b\nbackend b\n    server s1 {a}:{p}\n", n); s.needs("the app's own setting", "0.0.0.0"); s.expect("/", 503, "ipv6-mismatch")
@fault
def second_resolver(s):
    """nginx has two resolvers; one of them knows no container. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1021"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); d = s.run("pihole/pihole:2024.07", "app", "dns", "53", name=s.name("pihole"), net=n)
    s.nginx(f"    resolver 127.0.0.11 {s.ip(d)} valid=1s; resolver_timeout 3s;\n    location / {{ set $u {a}; proxy_pass http://$u:{p}; }}", n)
    def ask():
        while not s.stop.wait(0.7): get(f"http://{s.site}:{s.hp}/", 5)
    s.expect("/", "mixed", "resolver-differs", "name-not-found"); threading.Thread(target=ask, daemon=True).start()
@fault
def haproxy_own_resolver(s):
    """HAProxy's resolvers section has only Pi-hole, which knows no containers. https://github.com/docker/for-linux/issues/583 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); d = s.run("pihole/pihole:2024.07", "app", "dns", "53", name=s.name("pihole"), net=n)
    s.haproxy(f"resolvers lan\n    nameserver pihole {s.ip(d)}:53\n    hold nx 1s\nfrontend web\n    bind :80\n    default_backend b\nbackend b\n    server s1 {a}:{p} check resolvers lan init-addr none\n", n); s.expect("/", 503, "resolver-differs", "name-not-found")
@fault
def old_address_taken_by_other(s):
    """The app was created again with another address; its old one belongs to a worker now. https://github.com/langgenius/dify/pull/40808"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n); s.ready()
    sh("docker", "rm", "-f", a); s.run("field/base:1", "sleep", "infinity", name=s.name("worker"), net=n); s.app(p, name=a, net=n); s.expect("/", 502, "stale-address")
@fault
def address_in_route_caddy(s):
    """A container's address stands in the Caddyfile and is another's after a new start. https://github.com/nginx-proxy/nginx-proxy/issues/348"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {s.ip(a)}:{p}\n}}\n", n); s.ready()
    sh("docker", "stop", "-t", "1", a); s.run("field/base:1", "sleep", "infinity", name=s.name("cache"), net=n); sh("docker", "start", a); s.expect("/", 502, "stale-address")
@fault
def one_name_two_apps(s):
    """Two Compose projects both call a service `app` on one shared network: every second request goes to the other app. https://github.com/moby/moby/issues/35204 (kind)"""
    n = s.net(); p = s.port(); al = "app"; s.app(p, name=s.name("blog-app"), net=n, opts=["--network-alias", al]); s.app(p + 3, name=s.name("shop-app"), net=n, opts=["--network-alias", al])
    s.nginx(f"    resolver 127.0.0.11 valid=1s; resolver_timeout 3s;\n    location / {{ set $up {al}; proxy_pass http://$up:{p}; proxy_next_upstream off; }}", n); 
    def ask():
        while not s.stop.wait(0.7): get(f"http://{s.site}:{s.hp}/", 5)
    s.expect("/", "mixed", "route-misconfigured", "wrong-port", "name-not-found"); threading.Thread(target=ask, daemon=True).start(); time.sleep(4)
@fault
def renamed_twin(s):
    """The route has the old container's name; it is stopped and its new twin runs under another. https://github.com/louislam/uptime-kuma/issues (kind), https://github.com/laradock/laradock/issues/1365"""
    n = s.net(); p = s.port(); img = s.appimage(); b = img.split("/")[-1].split(":")[0]; old = s.name(b + "-old"); s.app(p, name=old, net=n, image=img); s.app(p, name=s.name(b), net=n, image=img); 
    s.caddy(f"http://{s.site} {{\n\treverse_proxy {old}:{p}\n}}\n", n); s.ready(); sh("docker", "stop", "-t", "1", old); s.expect("/", 502, "backend-stopped", "name-not-found")
@fault
def app_on_macvlan(s):
    """The app has its own address on the LAN (macvlan); the host, and with it the proxy on a bridge, cannot reach it. https://github.com/jlesage/docker-nginx-proxy-manager/issues/136"""
    a, b = f"hf{s.tag}0", f"hf{s.tag}1"; x = f"10.{s.rnd.randrange(221, 250)}.{s.rnd.randrange(250)}"; sh("ip", "link", "add", a, "type", "veth", "peer", "name", b); s.undo.append(lambda: sh("ip", "link", "del", a, check=False))
    sh("ip", "addr", "add", f"{x}.2/24", "dev", a); sh("ip", "link", "set", a, "up"); sh("ip", "link", "set", b, "up")
    n = s.net("lan", "-d", "macvlan", "-o", f"parent={a}", "--gateway", f"{x}.1", subnet=f"{x}.0/24"); m = s.net(); p = 80
    s.app(p, name=s.name("pihole"), net=n, image="pihole/pihole:2024.07", opts=["--ip", f"{x}.53"]); s.nginx(loc(f"http://{x}.53:{p}"), m); s.expect("/", {502, 504}, "network-mismatch", "nat-hairpin")
@fault
def traefik_other_network(s):
    """Labels are right, the app is on its project's network only: 504. https://github.com/traefik/traefik/issues/3535"""
    n = s.net("traefik"); m = s.net("stack_default"); p = s.port(); s.app(p, net=m, labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.expect("/", 504, "network-mismatch")
@fault
def loopback_app_traefik(s):
    """The app listens on 127.0.0.1 in its container. https://github.com/traefik/traefik/issues/5829"""
    n = s.net(); p = s.port(); s.app(p, "127.0.0.1", net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.expect("/", 502, "listens-on-localhost")

# ---------------------------------------------------------------- sources of routes
def refusing_engine(s, answer):
    path = f"{s.dir}/docker.sock"; u = socket.socket(socket.AF_UNIX); u.bind(path); u.listen(50); s.undo.append(u.close)
    def serve():
        while not s.stop.is_set():
            try: c, _ = u.accept()
            except OSError: return
            try:
                c.settimeout(3); c.recv(65536); b = json.dumps({"message": answer}).encode()
                c.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nApi-Version: 1.52\r\nServer: Docker/29.1.3 (linux)\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(b) + b)
            except OSError: pass
            finally: c.close()
    threading.Thread(target=serve, daemon=True).start(); s.undo.append(s.stop.set); return path
def socket_proxy(s, net, **allowed):
    """Tecnativa's: HAProxy before Docker's socket, which lets through what its variables say."""
    sections = "".join(f"    http-request allow if {{ path,url_dec -m reg -i ^(/v[\\d\\.]+)?/{w} }} {{ env({v}) -m bool }}\n" for w, v in (("containers", "CONTAINERS"), ("events", "EVENTS"), ("_ping", "PING"), ("version", "VERSION"), ("info", "INFO"), ("networks", "NETWORKS")))
    o = s.mount("socket-proxy", "/usr/local/etc/haproxy", {"haproxy.cfg": f"global\n    log stdout format raw daemon info\ndefaults\n    mode http\n    log global\n    option httplog\n    timeout connect 10s\n    timeout client 10m\n    timeout server 10m\nfrontend dockerfrontend\n    bind :2375\n    http-request deny unless METH_GET\n{sections}    http-request deny\n    default_backend dockerbackend\nbackend dockerbackend\n    server dockersocket /var/run/docker.sock\n"})
    return s.run("tecnativa/docker-socket-proxy:0.3", name=s.name("socket-proxy"), net=net, opts=o + ["-v", "/var/run/docker.sock:/var/run/docker.sock"] + [x for k, v in {"EVENTS": 1, "PING": 1, "VERSION": 1, **allowed}.items() for x in ("-e", f"{k}={v}")])
@fault
def traefik_api_too_old(s):
    """After an update of Docker the engine refuses Traefik's old API version; all hosts 404. https://github.com/traefik/traefik/issues/12253"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p)); k = refusing_engine(s, "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client to a newer version")
    s.traefik(s.docker_provider(), n, socket=False, opts=["-v", f"{k}:/var/run/docker.sock"]); s.needs("a newer image has to be fetched", "3.6.1"); s.expect("/", 404, "provider-unreachable")
@fault
def traefik_socket_permission(s):
    """Traefik runs as user 1000 and may not open the socket. https://github.com/wodby/docker4drupal/issues/440"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n, opts=["--user", "1000:1000"], port=8080); s.expect("/", 404, "provider-unreachable")
@fault
def traefik_socket_proxy_down(s):
    """The socket proxy between Traefik and Docker has exited. https://github.com/Tecnativa/docker-socket-proxy/issues/21"""
    n = s.net(); m = s.net("socket"); p = s.port(); s.app(p, net=n, labels=s.labels(p)); k = socket_proxy(s, m, CONTAINERS=1); sh("docker", "stop", "-t", "1", k)
    t = s.traefik(s.docker_provider(f"--providers.docker.endpoint=tcp://{k}:2375"), n, socket=False); s.join(m, t); s.expect("/", 404, "provider-unreachable")
@fault
def traefik_socket_not_mounted(s):
    """The socket is missing in Traefik's volumes. https://github.com/traefik/traefik/issues/6701 (kind)"""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n, socket=False); s.expect("/", 404, "provider-unreachable")
@fault
def caddy_docker_proxy_no_upstreams(s):
    """The app is not on the ingress network, so caddy-docker-proxy wrote `reverse_proxy` without an upstream. https://github.com/lucaslorentz/caddy-docker-proxy/issues/448"""
    n = s.net("caddy"); m = s.net("whoami_default"); p = s.port(); s.app(p, name=s.name("whoami"), net=m, image="traefik/whoami:v1.10", labels=[f"caddy=http://{s.site}", "caddy.reverse_proxy={{upstreams %d}}" % p])
    s.hp = s.hostport(); o = s.mount("cfg", "/config/caddy", {"Caddyfile.autosave": f"http://{s.site} {{\n\treverse_proxy\n}}\n"}) + ["-e", f"CADDY_INGRESS_NETWORKS={n}", "-v", "/var/run/docker.sock:/var/run/docker.sock"]
    s.run("lucaslorentz/caddy-docker-proxy:2.9", "caddy", "run", "--config", "/config/caddy/Caddyfile.autosave", "--adapter", "caddyfile", name=s.name("caddy"), net=n, opts=o, publish=[f"{s.hp}:80"]); s.needs("the stand-in writes no file", f"docker network connect {n} "); s.expect("/", 503, "network-mismatch", "route-misconfigured", "provider-unreachable")
@fault
def docker_gen_stopped(s):
    """docker-gen, in its own container, has exited; the app's address changed since. https://github.com/nginx-proxy/acme-companion/issues/1040"""
    n = s.net("nginx-proxy"); p = s.port(); a = s.app(p, net=n, opts=["-e", f"VIRTUAL_HOST={s.site}", "-e", f"VIRTUAL_PORT={p}", "--expose", str(p)])
    conf = f"# nginx-proxy version : 1.6.0\n# Networks available to the container labeled \"com.github.nginx-proxy.nginx-proxy.nginx\" or the one running docker-gen\nupstream {s.site} {{\n    # {a}\n    server {s.ip(a)}:{p};\n}}\nserver {{\n    listen 80;\n    server_name {s.site};\n    location / {{\n        proxy_pass http://{s.site};\n        proxy_connect_timeout 3s;\n    }}\n}}\n"
    s.hp = s.hostport(); o = s.mount("conf.d", "/etc/nginx/conf.d", {"default.conf": conf}); x = s.run("nginx:1.27", name=s.name("nginx-proxy"), net=n, opts=o, publish=[f"{s.hp}:80"], labels=["com.github.nginx-proxy.nginx-proxy.nginx"])
    g = s.run("nginxproxy/docker-gen:0.14", "sh", "-c", "exec sleep 3", "docker-gen", "-notify-sighup", x, "-watch", "/etc/docker-gen/templates/nginx.tmpl", "/etc/nginx/conf.d/default.conf", name=s.name("docker-gen"), net=n, opts=["-v", f"{s.dir}/conf.d:/etc/nginx/conf.d", "-v", "/var/run/docker.sock:/tmp/docker.sock:ro"], labels=["com.github.nginx-proxy.docker-gen"])
    s.ready(); time.sleep(3); sh("docker", "stop", "-t", "1", a); s.run("field/base:1", "sleep", "infinity", name=s.name("db"), net=n); sh("docker", "start", a); s.needs("the stand-in writes no file", f"docker start {g}"); s.expect("/", {502, 504}, "provider-unreachable", "stale-address")

# ---------------------------------------------------------------- the proxy does not run
@fault
def host_nginx_does_not_start(s):
    """nginx of the machine: an edit of sites-enabled lacks a semicolon, nginx did not come up again. https://github.com/nginx/nginx/issues (kind)"""
    q = s.hostport(); s.hp = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "intranet")
    s.file(f"/etc/nginx/conf.d/{s.tag}.conf", f"server {{\n    listen {s.hp};\n    server_name {s.site};\n    location / {{\n        proxy_pass http://127.0.0.1:{q}\n        proxy_set_header Host $host;\n    }}\n}}\n")
    subprocess.run(["/usr/sbin/nginx"], capture_output=True); s.expect("/", None, "proxy-config-invalid", "proxy-stopped")
@fault
def host_caddy_does_not_start(s):
    """Caddy of the machine: the Caddyfile has a directive that does not exist; the service is dead. https://github.com/caddyserver/caddy/issues/4887 (kind)"""
    q = s.hostport(); s.hp = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "intranet"); os.makedirs("/etc/caddy", exist_ok=True)
    if not os.path.exists("/usr/bin/caddy"): shutil.copy(PEERS + "/caddy", "/usr/bin/caddy"); s.undo.append(lambda: os.unlink("/usr/bin/caddy"))
    s.undo.append(lambda: os.path.isdir("/etc/caddy") and not os.listdir("/etc/caddy") and os.rmdir("/etc/caddy"))
    s.file("/lib/systemd/system/caddy.service", "[Unit]\nDescription=Caddy\n[Service]\nType=notify\nExecStart=/usr/bin/caddy run --environ --config /etc/caddy/Caddyfile\nExecReload=/usr/bin/caddy reload --config /etc/caddy/Caddyfile --force\n[Install]\nWantedBy=multi-user.target\n")
    s.file("/etc/caddy/Caddyfile", f"http://{s.site}:{s.hp} {{\n\tencode gzip\n\treverse_proxi 127.0.0.1:{q}\n}}\n"); subprocess.run(["/usr/bin/caddy", "run", "--config", "/etc/caddy/Caddyfile"], capture_output=True, timeout=20)
    s.expect("/", None, "proxy-config-invalid", "proxy-stopped")
@fault
def host_haproxy_does_not_start(s):
    """HAProxy of the machine: the frontend uses a backend that is not there. https://github.com/haproxy/haproxy/issues (kind)"""
    q = s.hostport(); s.hp = s.hostport(); s.bg(APP, q, "127.0.0.1", "--name", "intranet"); old = open("/etc/haproxy/haproxy.cfg").read()
    s.file("/etc/haproxy/haproxy.cfg", old + f"\nfrontend {s.tag}\n    bind *:{s.hp}\n    acl h hdr(host) -i {s.site} {s.site}:{s.hp}\n    use_backend be_{s.tag}_app if h\n\nbackend be_{s.tag}\n    server a 127.0.0.1:{q}\n"); subprocess.run(["/usr/sbin/haproxy", "-D", "-f", "/etc/haproxy/haproxy.cfg"], capture_output=True); s.undo.append(lambda: sh("service", "haproxy", "stop", check=False)); s.expect("/", None, "proxy-config-invalid", "proxy-stopped") # a repair starts it
@fault
def nginx_host_not_found_in_upstream(s):
    """nginx exited at start as another site's upstream does not resolve. https://github.com/docker-library/docs/issues (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); x = s.nginx(loc(f"http://{a}:{p}"), n, http=f"server {{\n    listen 80;\n    server_name old.{s.site};\n    location / {{ proxy_pass http://{s.name('legacy')}:3000; }}\n}}"); s.expect("/", None, "proxy-stopped", "name-not-found", "proxy-config-invalid")
@fault
def caddy_restarts_broken_caddyfile(s):
    """The Caddy container restarts again and again: a subdirective is misspelt. https://github.com/lucaslorentz/caddy-docker-proxy/issues/234 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(f"http://{s.site} {{\n\tencode zstd gzip\n\treverse_proxy {a}:{p} {{\n\t\theader_upp X-Real-IP {{remote_host}}\n\t}}\n}}\n", n, opts=["--restart", "unless-stopped"]); s.expect("/", None, "proxy-config-invalid", "proxy-stopped"); time.sleep(2)
@fault
def traefik_watch_off(s):
    """The dynamic file is right, Traefik does not watch it and still has the old port. https://github.com/traefik/traefik/issues/5472"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); y = lambda q: f"http:\n  routers:\n    app:\n      rule: Host(`{s.site}`)\n      service: app\n  services:\n    app:\n      loadBalancer:\n        servers:\n          - url: http://{a}:{q}\n"
    s.traefik(["--providers.file.directory=/etc/traefik/dynamic", "--providers.file.watch=false"], n, socket=False, files={"app.yml": y(p + 1)}); s.ready(502); time.sleep(2); s.file("dynamic/app.yml", y(p)); s.expect("/", 502, "config-not-reloaded")
@fault
def nginx_not_reloaded(s):
    """The site was mended in conf.d, nginx was never reloaded. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/5602 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p + 2}"), n); s.ready(502); time.sleep(2); s.file("conf.d/default.conf", f"server {{\n    listen 80;\n    server_name {s.site};\n{loc(f'http://{a}:{p}')}\n}}\n"); s.expect("/", 502, "config-not-reloaded")

# ---------------------------------------------------------------- the app's own answers, the address, the path
@fault
def app_says_500(s):
    """The app answers 500 itself. https://github.com/nextcloud/docker/issues (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--status", 500, net=n); s.nginx(loc(f"http://{a}:{p}"), n); s.needs("the app's own error", f"docker logs --tail 50 {a}"); s.expect("/", 500, "app-error")
@fault
def app_says_503_traefik(s):
    """The app is in maintenance and answers 503 itself. https://github.com/ghost (kind)"""
    n = s.net(); p = s.port(); s.app(p, "--status", 503, net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.needs("the app's own error", "docker logs --tail 50 "); s.expect("/", 503, "app-error")
@fault
def app_says_502_haproxy(s):
    """The app is a gateway itself and answers 502 for what stands behind it. https://github.com/immich-app/immich/discussions (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--status", 502, net=n); s.haproxy(f"frontend web\n    bind :80\n    default_backend b\nbackend b\n    server s1 {a}:{p}\n", n); s.needs("the app's own error", f"docker logs --tail 50 {a}"); s.expect("/", 502, "app-error")
@fault
def https_asked_of_http_site(s):
    """https:// was typed for a site that speaks http. https://github.com/hollie/tailscale-caddy-proxy/issues/12"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p}\n}}\n", n); s.ready(); s.needs("the address was mistyped", f"http://{s.site}:{s.hp}"); s.expect("/", None, "address-mistyped", url=f"https://{s.site}:{s.hp}/")
@fault
def name_misspelled(s):
    """A letter of the name is missing: no such name. https://github.com/wodby/docker4drupal/issues/440 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n, labels=s.labels(p)); s.traefik(s.docker_provider(), n); s.ready(); h = s.site; w = h[0] + h[2:]; s.file("/etc/resolv.conf", "nameserver 192.0.2.2\n"); s.needs("the address was mistyped", f"http://{s.site}:{s.hp}"); s.expect("/", None, "address-mistyped", url=f"http://{w}:{s.hp}/")
@fault
def name_misspelled_wildcard(s):
    """The name resolves by a wildcard, the proxy has a site that differs by two letters swapped. https://github.com/nginx-proxy/nginx-proxy/issues/440 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n, http="server { listen 80 default_server; return 404; }"); s.ready(); h = s.site; w = h[0] + h[2] + h[1] + h[3:]; s.host(w); s.needs("the address was mistyped", s.site); s.expect("/", 404, "address-mistyped", "route-missing", url=f"http://{w}:{s.hp}/")
@fault
def port_mistyped(s):
    """Two digits of the port are swapped: nothing listens there. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/621 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.haproxy(f"frontend web\n    bind :80\n    acl a hdr_dom(host) -i {s.site}\n    use_backend b if a\nbackend b\n    server s1 {a}:{p}\n", n); s.ready(); s.needs("the address was mistyped", f"http://{s.site}:{s.hp}"); s.expect("/", None, "address-mistyped", url=f"http://{s.site}:{s.hp + 10}/")
@fault
def prefix_stripped_nginx(s):
    """`proxy_pass` with a slash takes the prefix away; the app lives below it. https://github.com/jellyfin/jellyfin/issues (kind), https://github.com/grafana/grafana/issues/16613"""
    n = s.net(); p = s.port(); b = "/" + s.rnd.choice(["grafana", "wiki", "paperless", "files"]); a = s.app(p, "--base", b, net=n); s.nginx(f"    location {b}/ {{\n        proxy_pass http://{a}:{p}/;\n        proxy_set_header Host $host;\n    }}", n); s.expect(b + "/", 404, "path-rewrite-wrong")
@fault
def prefix_stripped_caddy(s):
    """handle_path strips what the app needs. https://caddy.community/t/13394 (the subfolder problem)"""
    n = s.net(); p = s.port(); b = "/" + s.rnd.choice(["notes", "sonarr", "books"]); a = s.app(p, "--base", b, net=n); s.caddy(f"http://{s.site} {{\n\thandle_path {b}/* {{\n\t\treverse_proxy {a}:{p}\n\t}}\n}}\n", n); s.expect(b + "/login", 404, "path-rewrite-wrong")
@fault
def prefix_stripped_traefik(s):
    """stripPrefix takes the base path of the app. https://github.com/traefik/traefik/issues/5159 (kind)"""
    n = s.net(); p = s.port(); b = "/" + s.rnd.choice(["radarr", "flux", "draw"]); s.app(p, "--base", b, net=n, labels=s.labels(p, extra=[f"traefik.http.middlewares.cut.stripprefix.prefixes={b}", "traefik.http.routers.ROUTER.middlewares=cut"])); s.traefik(s.docker_provider(), n); s.expect(b + "/", 404, "path-rewrite-wrong")

# ---------------------------------------------------------------- Unix sockets
@fault
def caddy_socket_missing(s):
    """Caddy of the host dials a socket that is not there. https://github.com/docker-library/php/issues/1304 (kind)"""
    host_caddy(s, f"\treverse_proxy unix/{s.dir}/run/app.sock"); s.needs("the app is not there", f"{s.dir}/run/app.sock"); s.expect("/", 502, "socket-unavailable", "backend-stopped")
@fault
def haproxy_socket_missing(s):
    """HAProxy in a container dials a socket of a volume that nobody writes. https://github.com/docker-library/php/issues/1138 (kind)"""
    n = s.net(); os.makedirs(s.dir + "/run"); s.haproxy("frontend web\n    bind :80\n    default_backend b\nbackend b\n    server s1 unix@/sockets/app.sock\n", n, opts=["-v", f"{s.dir}/run:/sockets"]); s.needs("the app is not there", "/sockets/app.sock"); s.expect("/", 503, "socket-unavailable", "backend-stopped")
@fault
def apache_socket_missing(s):
    """ProxyPass unix:...|http:// leads to a path that is not mounted. https://github.com/markshust/docker-magento/issues/115"""
    n = s.net(); s.httpd(f"<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPass / unix:/run/gunicorn/app.sock|http://localhost/\n</VirtualHost>\n", n); s.needs("the app is not there", "/run/gunicorn/app.sock"); s.expect("/", 503, "socket-unavailable", "backend-stopped")
@fault
def nginx_socket_left_over(s):
    """The app was killed; its socket file is still there and refuses. https://github.com/benoitc/gunicorn/issues (kind)"""
    n = s.net(); os.makedirs(s.dir + "/run"); a = s.app(0, "--unix", "/run/app/puma.sock", opts=["-v", f"{s.dir}/run:/run/app"]); s.nginx(loc("http://puma"), n, http="upstream puma { server unix:/run/app/puma.sock fail_timeout=0; }", opts=["-v", f"{s.dir}/run:/run/app"])
    time.sleep(1); os.chmod(s.dir + "/run/puma.sock", 0o777); s.ready(); sh("docker", "kill", a); s.expect("/", 502, "socket-unavailable", "backend-stopped")
@fault
def nginx_fpm_socket_permission(s):
    """php-fpm's socket belongs to root with 0600, nginx's workers are www-data. https://github.com/richarvey/nginx-php-fpm/issues/168"""
    n = s.net(); os.makedirs(s.dir + "/run"); os.chmod(s.dir + "/run", 0o755); 
    s.file("fpm/www.conf", "[www]\nuser = www-data\ngroup = www-data\nlisten = /run/php/php-fpm.sock\nlisten.owner = root\nlisten.group = root\nlisten.mode = 0600\npm = static\npm.max_children = 2\n")
    s.run("php:8.2-fpm", name=s.name("php"), net=n, opts=["-v", f"{s.dir}/fpm:/usr/local/etc/php-fpm.d", "-v", f"{s.dir}/run:/run/php"])
    s.nginx("    root /var/www/html;\n    location / {\n        include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME /var/www/html/index.php;\n        fastcgi_pass unix:/run/php/php-fpm.sock;\n    }", n, opts=["-v", f"{s.dir}/run:/run/php"]); time.sleep(1); s.expect("/", 502, "socket-unavailable")

# ---------------------------------------------------------------- FastCGI, uwsgi, other protocols
def fpm(s, n, php, children=2, extra=""):
    s.file("fpm/www.conf", f"[www]\nuser = www-data\ngroup = www-data\nlisten = 9000\npm = static\npm.max_children = {children}\nclear_env = no\n{extra}"); s.file("html/index.php", php)
    return s.run("php:8.2-fpm", name=s.name("php"), net=n, opts=["-v", f"{s.dir}/fpm:/usr/local/etc/php-fpm.d", "-v", f"{s.dir}/html:/var/www/html"])
def fpm_nginx(s, n, a, extra=""): return s.nginx("    root /var/www/html;\n    index index.php;\n    location / {\n        include fastcgi_params;\n        fastcgi_param SCRIPT_FILENAME /var/www/html/index.php;\n        fastcgi_pass " + a + ":9000;\n" + extra + "    }", n)
@fault
def fpm_max_children(s):
    """All php-fpm children are busy: pm.max_children. https://github.com/nextcloud/docker/issues (kind), https://github.com/docker-library/php/issues/1105"""
    n = s.net(); a = fpm(s, n, "<?php if (isset($_GET['report'])) { sleep(40); } echo '<title>shop</title>ok';\n", 2); fpm_nginx(s, n, a, "        fastcgi_read_timeout 4s;\n"); s.ready(); s.load(2, f"http://{s.site}:{s.hp}/?report=1"); s.load(6, f"http://{s.site}:{s.hp}/?report=1"); s.expect("/", 504, "workers-exhausted"); 
@fault
def fpm_script_says_503(s):
    """The PHP application itself answers 503 (maintenance mode, database away). https://github.com/wodby/docker4drupal/issues/440 (kind)"""
    n = s.net(); a = fpm(s, n, "<?php http_response_code(503); echo '<title>Maintenance</title>database is not available';\n"); fpm_nginx(s, n, a); s.needs("the app's own error", f"docker logs --tail 50 {a}"); s.expect("/", 503, "app-error")
@fault
def http_to_fpm(s):
    """proxy_pass to php-fpm's port, which speaks FastCGI. https://github.com/NginxProxyManager/nginx-proxy-manager/issues/1021"""
    n = s.net(); a = fpm(s, n, "<?php echo 'ok';\n"); time.sleep(1); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:9000\n}}\n", n); s.expect("/", 502, "protocol-mismatch")
@fault
def http_to_uwsgi(s):
    """nginx of the host speaks HTTP to a uwsgi socket. https://github.com/unbit/uwsgi/issues (kind)"""
    q = s.hostport(); f = s.file("wsgi.py", "def application(e, r):\n    r('200 OK', [('Content-Type', 'text/html')])\n    return [b'<title>ok</title>']\n")
    s.bg("/usr/bin/uwsgi-core", "--plugin", "/usr/lib/uwsgi/plugins/python311_plugin.so", "--uwsgi-socket", f"127.0.0.1:{q}", "--wsgi-file", f, "--master", "--die-on-term"); host_nginx(s, loc(f"http://127.0.0.1:{q}")); time.sleep(2); s.expect("/", {502, 504}, "protocol-mismatch")
ENVOY = """admin:
  address: {{ socket_address: {{ address: 127.0.0.1, port_value: 9901 }} }}
static_resources:
  listeners:
  - name: web
    address: {{ socket_address: {{ address: 0.0.0.0, port_value: 10000 }} }}
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: web
          access_log:
          - name: envoy.access_loggers.stdout
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog }}
          route_config:
            virtual_hosts:
            - name: app
              domains: ["{host}", "{host}:*"]
              routes:
              - match: {{ prefix: "/" }}
                route: {{ cluster: app, timeout: 40s }}
          http_filters:
          - name: envoy.filters.http.router
            typed_config: {{ "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router }}
  clusters:
  - name: app
    type: STRICT_DNS
    connect_timeout: 2s
{cluster}    load_assignment:
      cluster_name: app
      endpoints:
      - lb_endpoints:
        - endpoint: {{ address: {{ socket_address: {{ address: {up}, port_value: {port} }} }} }}
"""
@fault
def envoy_circuit_breaker(s):
    """Envoy's circuit breaker is open: one connection, no queue (UO). https://github.com/envoyproxy/envoy/issues/15286 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster="    circuit_breakers:\n      thresholds:\n      - max_connections: 1\n        max_pending_requests: 1\n        max_requests: 1\n"), n); s.ready(); s.load(4, f"http://{s.site}:{s.hp}/slow"); s.expect("/", 503, "workers-exhausted", "proxy-limit")
@fault
def envoy_upstream_not_http(s):
    """Envoy gets no HTTP from the port (a mail server listens there): UPE. https://github.com/envoyproxy/envoy/issues/2715 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--raw", net=n, name=s.name("mail")); s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster=""), n); s.needs("there is no web page", str(p)); s.expect("/", {502, 503}, "protocol-mismatch", "wrong-port")
@fault
def haproxy_queue_timeout(s):
    """The server's maxconn is used up, requests wait in the queue until `timeout queue` (sQ). https://github.com/haproxy/haproxy/issues/1020 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.haproxy(f"frontend web\n    bind :80\n    default_backend b\nbackend b\n    timeout queue 2s\n    server s1 {a}:{p} maxconn 2\n", n); s.ready(); s.load(5, f"http://{s.site}:{s.hp}/slow"); s.expect("/", 503, "workers-exhausted", "proxy-limit")
@fault
def nginx_worker_connections(s):
    """nginx's connections are used up by idle clients. https://github.com/nginx-proxy/nginx-proxy/issues/778 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); x = s.nginx(loc(f"http://{a}:{p}"), n, main="user www-data;\nworker_processes 1;\npid /run/nginx.pid;\nerror_log /var/log/nginx/error.log notice;\nevents { worker_connections 14; }\nhttp {\n    access_log /var/log/nginx/access.log;\n    keepalive_timeout 600;\n    client_header_timeout 600;\n    include /etc/nginx/conf.d/*.conf;\n}\n"); s.ready(); s.hold(30, "127.0.0.1", s.hp, f"GET / HTTP/1.1\r\nHost: {s.site}\r\n".encode()); s.expect("/", {None, 500, 502}, "proxy-limit")
@fault
def envoy_big_headers(s):
    """The app's cookies are larger than Envoy's default limit of 60 KiB. https://github.com/envoyproxy/envoy/issues/2869 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--header", 92000, net=n); s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster=""), n); s.expect("/", {502, 503}, "response-header-too-large")
@fault
def haproxy_big_headers(s):
    """The app's header does not fit HAProxy's buffer (16 KiB less its reserve). https://github.com/haproxy/haproxy/issues/1597 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--header", 19000, net=n); s.haproxy(f"frontend web\n    bind :80\n    default_backend b\nbackend b\n    server s1 {a}:{p}\n", n); s.expect("/", 502, "response-header-too-large")
@fault
def caddy_timeout(s):
    """Caddy waits 2 s for the header, the report takes 5. https://github.com/caddyserver/caddy/issues/3397 (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 5, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p} {{\n\t\ttransport http {{\n\t\t\tresponse_header_timeout 2s\n\t\t}}\n\t}}\n}}\n", n); s.expect("/", {502, 504}, "timeout-too-short")
@fault
def apache_hung_app(s):
    """The app accepts and never answers; ProxyTimeout 5. https://github.com/apache/httpd (kind), https://github.com/NginxProxyManager/nginx-proxy-manager/issues/566"""
    n = s.net(); p = s.port(); a = s.app(p, "--hang", net=n); s.httpd(f"ProxyTimeout 5\n<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPass / http://{a}:{p}/\n</VirtualHost>\n", n); s.needs("the app hangs again", f"docker restart {a}"); s.expect("/", {502, 504}, "backend-unresponsive")
@fault
def lighttpd_paused_app(s):
    """The app's container is paused (a backup script died between pause and unpause); lighttpd waits. https://github.com/offen/docker-volume-backup/issues (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.hp = s.hostport()
    o = s.mount("lighttpd", "/etc/lighttpd", {"lighttpd.conf": f'server.modules = ( "mod_access", "mod_proxy" )\nserver.document-root = "/var/www/html"\nserver.port = 80\nserver.errorlog = "/dev/stderr"\n$HTTP["host"] =~ "^{s.site.replace(".", chr(92) + ".")}(:[0-9]+)?$" {{\n    proxy.server = ( "" => (( "host" => "{s.ip(a)}", "port" => {p}, "read-timeout" => 4 )) )\n}}\n'})
    s.run("lighttpd:1.4", name=s.name("lighttpd"), net=n, opts=o, publish=[f"{s.hp}:80"]); s.ready(); sh("docker", "pause", a); s.undo.append(lambda: sh("docker", "unpause", a, check=False)); s.expect("/", {502, 504}, "backend-unresponsive")
@fault
def shell_starts_app_and_nginx(s):
    """`sh -c "app & exec nginx"`: one container for both; nginx has the wrong port. https://github.com/TrafeX/docker-php-nginx/issues/47"""
    n = s.net(); p = s.port(); s.nginx(loc(f"http://127.0.0.1:{p + 1}"), n, cmd=["sh", "-c", f"app {p} --name dashboard & exec nginx -g 'daemon off;'"], name=s.name("dashboard")); s.expect("/", 502, "wrong-port")
@fault
def httpd_own_config_file(s):
    """httpd runs with -d and -f; the app behind it was stopped. https://github.com/docker-library/httpd/issues (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.httpd(f"<VirtualHost *:8000>\n    ServerName {s.site}\n    ProxyPass / http://{a}:{p}/ connectiontimeout=3 timeout=5 retry=0\n</VirtualHost>\n", n, cmd=["httpd", "-D", "FOREGROUND", "-d", "/usr/local/apache2", "-f", "conf/gateway.conf"], conf="conf/gateway.conf", port=8000); s.ready(); sh("docker", "stop", "-t", "1", a); time.sleep(3); s.expect("/", {500, 502, 503}, "backend-stopped")
@fault
def crash_loop_traefik_file(s):
    """The app exits one second after each start. https://github.com/paperless-ngx/paperless-ngx/discussions (kind)"""
    n = s.net(); p = s.port(); a = s.app(p, "--die", net=n, opts=["--restart", "always"]); s.traefik(["--providers.file.directory=/etc/traefik/dynamic"], n, socket=False, files={"a.toml": f"[http.routers.a]\n  rule = \"Host(`{s.site}`)\"\n  service = \"a\"\n[http.services.a.loadBalancer]\n  [[http.services.a.loadBalancer.servers]]\n    url = \"http://{a}:{p}\"\n"}); time.sleep(8); s.needs("the app's own fault", f"docker logs --tail 50 {a}"); s.expect("/", {502, 504}, "backend-crash-loop")
# ---------------------------------------------------------------- Swarm (last: it changes the engine)
def swarm(s):
    sh("docker", "swarm", "init", "--advertise-addr", "127.0.0.1"); s.undo.append(lambda: (sh("docker", "swarm", "leave", "--force", check=False), time.sleep(1), sh("docker", "network", "rm", "docker_gwbridge", check=False)))
def overlay(s):
    n = s.name("ingress-web"); sh("docker", "network", "create", "-d", "overlay", "--attachable", "--label", f"field={s.seed}", n); s.undo.append(lambda: [time.sleep(1) for _ in range(8) if subprocess.run(["docker", "network", "rm", n], capture_output=True).returncode]); return n
def service(s, n, port, *args, labels=()):
    a = s.name(); s.undo.append(lambda: sh("docker", "service", "rm", a, check=False)); l = [x for y in labels for x in ("--label", y)]
    sh("docker", "service", "create", "-d", "--name", a, "--network", n, "--endpoint-mode", "dnsrr", "--no-resolve-image", *l, "field/base:1", "app", str(port), *args)
    for _ in range(40):
        if "1/1" in sh("docker", "service", "ls", "-f", f"name={a}", "--format", "{{.Replicas}}"): return a
        time.sleep(0.5)
    raise StagingError("service does not start: " + sh("docker", "service", "ps", "--no-trunc", a))
@fault
def swarm_wrong_port_traefik(s):
    """A Swarm service's label has the wrong port. https://github.com/traefik/traefik/issues/10743"""
    swarm(s); n = overlay(s); p = s.port(); service(s, n, p, labels=s.labels(p + 1)); s.traefik(["--providers.swarm.endpoint=unix:///var/run/docker.sock", "--providers.swarm.exposedbydefault=false", f"--providers.swarm.network={n}"], n); s.expect("/", {502, 504}, "wrong-port")
@fault
def swarm_scaled_to_zero(s):
    """The service was scaled to 0 replicas. https://github.com/lucaslorentz/caddy-docker-proxy/issues/348 (kind)"""
    swarm(s); n = overlay(s); p = s.port(); a = service(s, n, p); s.nginx(f"    resolver 127.0.0.11 valid=1s; resolver_timeout 3s;\n    location / {{ set $u {a}; proxy_pass http://$u:{p}; }}", n); s.ready(); sh("docker", "service", "scale", "-d", f"{a}=0"); time.sleep(4); s.expect("/", 502, "backend-stopped")

# ---------------------------------------------------------------- healthy
@fault
def healthy_vpn_guest(s):
    """A guest in a VPN container's network, dialled by its owner's name: works."""
    n = s.net(); p = s.port(); v = vpn(s, n, p); guest(s, v, p); s.nginx(loc(f"http://{v}:{p}"), n); s.expect("/", 200)
@fault
def healthy_sidecar_caddy(s):
    """Caddy in a Tailscale container's network: works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); sidecar_proxy(s, f"{a}:{p}", n); s.expect("/", 200)
@fault
def healthy_host_nginx(s):
    """nginx of the host, the app published on 127.0.0.1: works."""
    p = s.port(); q = s.hostport(); s.app(p, publish=[f"127.0.0.1:{q}:{p}"]); host_nginx(s, loc(f"http://127.0.0.1:{q}")); s.expect("/", 200)
@fault
def healthy_zero_host_network(s):
    """Caddy of the host dials 0.0.0.0, which is itself there: works."""
    q = s.hostport(); s.bg(APP, q, "--name", "intranet"); host_caddy(s, f"\treverse_proxy 0.0.0.0:{q}"); s.expect("/", 200)
@fault
def healthy_traefik_labels(s):
    """Traefik with Docker's socket; another app stands stopped beside it: works."""
    n = s.net(); p = s.port(); s.app(p, net=n, labels=s.labels(p)); b = s.app(p, name=s.name("old"), net=n); sh("docker", "stop", "-t", "1", b); s.traefik(s.docker_provider(), n); s.expect("/", 200)
@fault
def healthy_prefix(s):
    """The app lives below a base path and gets it: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--base", "/wiki", net=n); s.nginx(f"    location /wiki/ {{ proxy_pass http://{a}:{p}; }}", n); s.expect("/wiki/", 200)
@fault
def healthy_firewall(s):
    """ufw-like chains that let the bridge pass: works."""
    n = s.net(); m = s.net("apps"); p = s.port(); q = s.hostport(); s.app(p, net=m, publish=[f"{q}:{p}"]); b = s.bridge(n); s.rule("-A", "INPUT", "-i", b, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", "-j", "ACCEPT"); s.rule("-A", "INPUT", "-i", b, "-p", "tcp", "--dport", str(q), "-j", "ACCEPT"); s.rule("-A", "INPUT", "-i", b, "-p", "tcp", "-j", "DROP"); s.nginx(loc(f"http://{s.gateway(n)}:{q}"), n); s.expect("/", 200)
@fault
def healthy_unix_socket(s):
    """An app on a Unix socket behind HAProxy of the host: works."""
    u = s.dir + "/app.sock"; s.bg(APP, 0, "--unix", u, "--name", "puma"); time.sleep(0.5); host_haproxy(s, f"backend app\n    server a unix@{u}\n"); s.expect("/", 200)
@fault
def healthy_fpm(s):
    """nginx and php-fpm: works."""
    n = s.net(); a = fpm(s, n, "<?php echo '<title>shop</title>ok';\n"); fpm_nginx(s, n, a); s.expect("/", 200)
@fault
def healthy_login(s):
    """The app asks for a password (401): works."""
    n = s.net(); p = s.port(); a = s.app(p, "--status", 401, net=n); s.caddy(f"http://{s.site} {{\n\treverse_proxy {a}:{p}\n}}\n", n); s.expect("/", 401)
@fault
def healthy_slow(s):
    """The app takes 4 s and the proxy waits: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--delay", 4, net=n); s.haproxy(f"frontend web\n    bind :80\n    default_backend b\nbackend b\n    server s1 {a}:{p}\n", n); s.expect("/", 200)
@fault
def healthy_after_outage(s):
    """The app was away for a while, the log has its 502s, now it works."""
    n = s.net(); p = s.port(); a = s.app(p, net=n); s.nginx(loc(f"http://{a}:{p}"), n); s.ready(); sh("docker", "stop", "-t", "1", a); [get(f"http://{s.site}:{s.hp}/") for _ in range(3)]; sh("docker", "start", a); time.sleep(3); s.expect("/", 200)
@fault
def healthy_envoy(s):
    """Envoy: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--header", 20000, net=n); s.envoy(ENVOY.format(host=s.site, up=a, port=p, cluster=""), n); s.expect("/", 200)
@fault
def healthy_two_replicas(s):
    """Two containers of one image behind one alias: works."""
    n = s.net(); p = s.port(); i = s.appimage(); [s.app(p, net=n, image=i, opts=["--network-alias", "web"]) for _ in (1, 2)]; s.nginx(f"    resolver 127.0.0.11 valid=1s; resolver_timeout 3s;\n    location / {{ set $u web; proxy_pass http://$u:{p}; }}", n); s.expect("/", 200)
@fault
def healthy_shell_start(s):
    """`sh -c "app & exec nginx"` with the right port: works."""
    n = s.net(); p = s.port(); s.nginx(loc(f"http://127.0.0.1:{p}"), n, cmd=["sh", "-c", f"app {p} --name dashboard & exec nginx -g 'daemon off;'"]); s.expect("/", 200)
@fault
def healthy_redirect(s):
    """The app sends the visitor to /login: works."""
    n = s.net(); p = s.port(); a = s.app(p, "--status", 302, net=n); s.httpd(f"<VirtualHost *:80>\n    ServerName {s.site}\n    ProxyPass / http://{a}:{p}/\n</VirtualHost>\n", n); s.expect("/", 302)
# Order: healthy ones in between would do no harm; what changes the machine comes last.
LATE = ["host-nginx-does-not-start", "host-caddy-does-not-start", "host-haproxy-does-not-start", "own-lan-address", "swarm-wrong-port-traefik", "swarm-scaled-to-zero"]
ALL = {**{k: v for k, v in ALL.items() if k not in LATE}, **{k: ALL[k] for k in LATE}}
