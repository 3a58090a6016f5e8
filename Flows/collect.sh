#!/bin/sh
# wizard502 collect: looks for what can make a site fail, and prints what it sees. It changes nothing; passwords are hidden, and at the end it says how many.
# 1. Where the proxy runs:  sudo sh collect.sh https://shop.example.org > seen.txt
# 2. Where wizard502 is:    wizard502 diagnose https://shop.example.org --paste seen.txt
url=${1:-} LC_ALL=C PATH=$PATH:/usr/sbin:/sbin uid=$(id -u) from='' to='' boxes='' && export LC_ALL PATH
host=$(printf %s "$url" | sed -E 's#^[a-z]+://([^/]+).*#\1#') path=/$(printf %s "$url" | sed -nE 's#^[a-z]+://[^/]+/##p')
engine=$(command -v docker || command -v podman) ids=$([ -z "$engine" ] || $engine ps -aq --no-trunc 2>/dev/null) proxies='nginx|openresty|traefik|caddy|haproxy|httpd|apache|envoy|cloudflared|lighttpd|proxy|swag'
folders='/etc/nginx /data/nginx /config/nginx /etc/caddy /etc/traefik /etc/haproxy /usr/local/etc/haproxy /etc/apache2 /etc/httpd /usr/local/apache2/conf /etc/envoy /etc/cloudflared /etc/lighttpd /root/.config/traefik'
hide() { sed -E -e 's#(Basic|Bearer) +[[:alnum:]+/=._-]+#\1 ***#g' -e 's#://[^/@:[:space:]"]+:[^/@[:space:]"]+@#://***@#g' -e 's/\$(apr1|2[aby]|[1567])\$[^",[:space:]]*/***/g' \
    -e 's/((passw|secret|token|api[-_]?key|credential|authorization|cookie)[[:alnum:]_.-]*("? *= *"?|": *"?|: +"?|"? +))[^][{}",[:space:]]+/\1***/Ig' -e 's/((PASS|PWD)("? *= *"?|": *"?))[^][{}",[:space:]]+/\1***/Ig' -e '/BEGIN [A-Z ]*PRIVATE KEY/,/END [A-Z ]*PRIVATE KEY/d'; }
run() { printf '\n##502## %s\n' "$*"; "$@" 2>&1 </dev/null | head -c 2000000 | tr '\000' ' ' | hide; }
ask() { run "$@" -sSik --connect-timeout 3 -m "${wait:-8}" -w '\n##502-times %{remote_ip} %{time_connect} %{time_starttransfer} %{time_total} %{size_header}\n'; }
told() { awk '/^##502## /{at=substr($0,9)} {n=gsub(/\*\*\*/,"&"); if(n){all+=n; sum[at]+=n} print} END{e="cat >&2"; print all+0 " values are hidden as ***. Read the file before you pass it on." | e; for(at in sum) print "  " sum[at] ": " substr(at,1,100) | e}'; }
rows() { # Rows of a proxy's database $1, read from a copy, since it may be in use.
  [ -f "$root$1" ] && t=$(mktemp -d) || return 0; for e in '' -wal -journal; do [ ! -f "$root$1$e" ] || cp "$root$1$e" "$t/db$e"; done
  printf '\n##502## sqlite3 %s %s\n' "$root$1" "$2"; { sqlite3 -json "$t/db" "$2" 2>/dev/null || python3 -c 'import json,sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.row_factory=sqlite3.Row; print(json.dumps([dict(r) for r in c.execute(sys.argv[2])]))' "$t/db" "$2" 2>&1; } | hide; rm -r "$t"; }
copy() { t=$(mktemp) && if "$engine" cp "$1:$2" - >"$t" 2>"$t.no"; then printf '\n##502## %s cp %s:%s - | tar -tv\n' "${engine##*/}" "$1" "$2"; { tar -tvf "$t"; tar -xf "$t" --exclude='*.key' --exclude='*passwd*' --to-command='echo "==> $TAR_FILENAME <=="; head -c 300000; echo'; } | tr '\000' ' ' | hide; fi; rm -f "$t" "$t.no"; } # The files of folder $2 of container $1, which need not run.
talk() { hex=$(printf %b "$2" | od -An -v -tx1 | tr -d ' \n'); printf '\n##502## %s telnet://%s %s\n' "$in curl" "$1" "${hex:--}"; { printf %b "$2"; sleep 1; } | $in curl -sN -m 2 "telnet://$1" 2>/dev/null | head -c 64 | od -An -v -tx1; } # What comes back from $1 for the bytes of $2.
files() { # How process $1 (or "host") is set up: the files in known folders and those of $2; elsewhere what looks like a configuration.
  root='' own="$folders $2" list='' dirs=''; [ "$1" = host ] || root=/proc/$1/root; shift 2
  for f in $own; do
    case $f in /|/etc|/usr|/usr/*bin|/bin|/var|/run|/tmp|/opt|/srv|/home|/root|/proc*|/sys*|/dev*) continue ;; esac
    top=/$(printf %s "$f" | cut -d/ -f2) link=$(readlink "$root$top"); [ -z "$link" ] || { dirs="$dirs $root$top"; f=/${link#/}${f#"$top"}; } # A link at the top, such as /data, stays in the root.
    [ -f "$root$f" ] || dirs="$dirs $root$f"; list="$list $(find "$root$f" -maxdepth 5 -type f -size -300k ! -name '*.key' ! -name '*.so' ! -name '*.sample' ! -name '*.default' ! -name '*passwd*' 2>/dev/null | head -n 300)"
  done
  for f in "$@"; do case $f in /|/etc|/proc*|/sys*|/dev*|/etc/ssl*) continue ;; esac
    list="$list $(find "$root$f" -maxdepth 3 -type f -size -300k \( -name '*.conf' -o -name '*.cfg' -o -name '*.y*ml' -o -name '*.toml' -o -name '*.json' -o -name '*addyfile*' \) 2>/dev/null | head -n 100)"; done
  list=$(printf '%s\n' $list "$root/etc/hosts" "$root/etc/resolv.conf" | sort -u)
  run stat -c '%Y %s %n' $list $(find $dirs -maxdepth 5 -type f -name '*.sample' 2>/dev/null | head -n 500); run find $dirs -type l -exec ls -ld {} +; for f in $list; do run cat "$f"; done
  rows /data/database.sqlite 'SELECT * FROM proxy_host'; for q in '* FROM routes' 'name, host FROM static_upstreams'; do rows /data/proxyos/proxyos.db "SELECT $q"; done
  for f in $(grep -ohE 'unix:/[^]:;,"'"'"' )]+' $list 2>/dev/null | cut -d: -f2 | sort -u | head -n 20); do run ls -ld "$root$f"; done
}
named() { tr '\000= ' '\n\n\n' <"/proc/$1/cmdline" | grep '^/' | while read -r f; do printf '%s\n' "$f"; [ ! -f "/proc/$1/root$f" ] || dirname "$f"; done; } # What a command line names, and the folders.
{ run date +%s; run id -u; run ip -o addr; run ss -ltnp; run ss -lx; run cat /proc/net/tcp /proc/net/tcp6; run iptables-save -c; run nft -j list ruleset
[ -z "$url" ] || { run getent hosts "${host%:*}"; ask curl "$url" --max-time 70; ask curl "$url" -H 'Cache-Control: no-cache, max-age=1000'; ask curl "$url" --connect-to ::127.0.0.1:; ask curl "http://${host%:*}$path" --connect-to ::127.0.0.1:80; }
for f in /etc/hosts /etc/resolv.conf /proc/loadavg /proc/meminfo /proc/stat; do run cat "$f"; done
for p in $(for f in $(grep -lE "^($proxies)" /proc/[0-9]*/comm 2>/dev/null | cut -d/ -f3); do ! grep -q . "/proc/$f/cmdline" 2>/dev/null || echo "$f"; done | head -n 40); do # What has ended and still has a number has no command line.
  run cat "/proc/$p/stat" "/proc/$p/cgroup"; for f in cmdline attr/current limits status net/route; do run cat "/proc/$p/$f"; done; run ls -ld "/proc/$p/exe" "/proc/$p/ns/net" "/proc/1/ns/net"; box=$(grep -oE '[0-9a-f]{64}' "/proc/$p/cgroup" | head -n 1); [ -n "$box" ] && boxes="$boxes $box" || from="$from $p"
done; for f in /usr/sbin/nginx:/etc/nginx/nginx.conf /usr/sbin/apache2:/etc/apache2/apache2.conf /usr/sbin/haproxy:/etc/haproxy/haproxy.cfg /usr/bin/caddy:/etc/caddy/Caddyfile /usr/sbin/lighttpd:/etc/lighttpd/lighttpd.conf; do [ ! -x "${f%%:*}" ] || run ls -ld / /etc /usr /usr/bin /usr/sbin "${f%%:*}" "${f#*:}" "$(dirname "${f#*:}")"; done # Who can change what is installed.
files host "$(for p in $from; do named "$p"; done)"; run "${engine:-docker}" ps -a; [ -z "$ids" ] || { run "$engine" inspect $ids; run "$engine" network inspect $($engine network ls -q); }
for id in $ids; do
  read -r pid nets words <<EOF
$($engine inspect --format '{{.State.Pid}} ,{{range $n, $e := .NetworkSettings.Networks}}{{$n}}={{$e.IPAddress}},{{end}} {{.Config.Image}} {{.Path}}' "$id")
EOF
  is=$(printf %s "$words" | grep -cE "$proxies"); case $boxes in *"$id"*) is=1 ;; esac; [ "$is" = 0 ] && lines=60 || lines=200; run "$engine" logs --timestamps --tail "$lines" "$id"
  [ "$pid" -gt 0 ] || [ "$is" = 0 ] || for f in $folders; do case $f in /*/*/*) ;; *) copy "$id" "$f" ;; esac; done; [ "$pid" -gt 0 ] && [ -r "/proc/$pid/net/tcp" ] || continue
  run cat "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6"
  [ "$is" = 0 ] || { from="$from $pid$nets"; files "$pid" "$(named "$pid")" $($engine inspect --format '{{range .Mounts}}{{.Destination}} {{end}}' "$id")
    for f in $($engine inspect --format '{{range .Mounts}}{{.Source}} {{end}}' "$id"); do [ ! -f "$f" ] || { run stat -c '%Y %s %n' "$f"; run cat "$f"; }; done; }
  for port in $(awk '$4=="0A" && $2!~/^0B00007F/{split($2,a,":");print "0x" a[2]}' "/proc/$pid/net/tcp" "/proc/$pid/net/tcp6" 2>/dev/null | sort -u); do
    for net in $(printf %s "$nets" | tr ',' ' '); do to="$to $net:$(printf %d "$port")"; done; done
done
case ${2:-} in sites|port) from='' ;; esac; for p in $(printf '%s\n' $from | head -n 8); do # Unless only the sites are wanted, or one port of an app: what each can ask from where it is: apps in its networks, addresses in its files
  nets=${p#"${p%%,*}"} p=${p%%,*} at=''; [ "$uid" = 0 ] && command -v nsenter >/dev/null && in="nsenter -t $p -n" || in=''; for net in $to; do case $nets, in *,"${net%%=*}="*|,) at="$at ${net#*=}" ;; esac; done
  at="$at $(for f in $folders $(named "$p"); do grep -rohE '\b(localhost|[0-9]+(\.[0-9]+){3}):[0-9]{2,5}' "/proc/$p/root$f" 2>/dev/null; done)"
  for u in 127.0.0.1:2019/config/ 127.0.0.1:8080/api/rawdata 127.0.0.1:9901/config_dump; do ask $in curl "http://$u"; done
  for u in $(printf '%s\n' $at | sort -u | head -n 40); do said=$(ask $in curl "http://$u$path" -H "Host: ${host:-$u}"); printf '%s\n' "$said"; printf %s "$said" | grep -q '^##502-times [^ ]* [0-9.]*[1-9]' || continue # Nobody takes the connection.
    ask $in curl "https://$u$path" -H "Host: ${host:-$u}"; case $path in /?*/*) for t in "${path#/*/}" wizard502-no-such-page; do ask $in curl "http://$u/$t" -H "Host: ${host:-$u}"; done ;; esac; run $in timeout 5 openssl s_client -connect "$u"; ! printf %s "$said" | grep -q '^HTTP/' || continue # It speaks HTTP.
    for t in '\0001\0011\0000\0000\0000\0021\0000\0000\0017\0000FCGI_MPXS_CONNS' 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0000\0000\0000\0004\0000\0000\0000\0000\0000' '' '\0000\0000\0000\0010\0004\0322\0026\0057' 'PING\r\n'; do talk "$u" "$t"; done; done
done; wait=2; [ "${2:-}" = sites ] || for port in $(ss -ltnp 2>/dev/null | grep -vE "$proxies" | awk 'NR>1{n=split($4,a,":"); if(a[n]>1023) print a[n]}' | sort -un | head -n 12); do ask curl "http://127.0.0.1:$port/" -H 'Host: localhost'; done; printf '\n##502## end\n'; } | told # Programs of the machine that speak HTTP come last.
