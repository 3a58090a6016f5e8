#!/bin/sh
# Fills DIRECTORY with a root file system taken from this machine's Debian packages.
#
#   tree.sh DIRECTORY OVERLAY PEERS [nginx | new-nginx | haproxy | lighttpd | apache | traefik | caddy | envoy | python |
#     php | uwsgi]...
#
# busybox supplies the shell and the small tools; OVERLAY is copied over the result; PEERS has the programs that are no
# Debian packages.
set -eu
directory=$1 overlay=$2 peers=$3
shift 3

# copy FILE...: to the same path below the directory, links resolved.
copy() {
  for file; do
    [ -f "$file" ] || continue
    mkdir -p "$directory$(dirname "$file")"
    cp -L "$file" "$directory$file"
  done
}

# libraries FILE...: the shared libraries that programs and modules need.
libraries() {
  for file; do copy $(ldd "$file" 2>/dev/null | grep -o '/[^ ]*'); done
}

mkdir -p "$directory"/bin "$directory"/etc "$directory"/run "$directory"/tmp "$directory"/root
chmod 1777 "$directory/tmp"
cp /usr/bin/busybox "$directory/bin/busybox"
for tool in sh cat ls grep sed ps kill sleep wget nc nslookup netstat id env touch rm mv cp mkdir; do
  ln -s busybox "$directory/bin/$tool"
done
printf 'root:x:0:0:root:/root:/bin/sh\nwww-data:x:33:33::/var/www:/bin/false\n' >"$directory/etc/passwd"
printf 'root:x:0:\nwww-data:x:33:\n' >"$directory/etc/group"
echo 'hosts: files dns' >"$directory/etc/nsswitch.conf"

for part; do
  case $part in
  nginx)
    copy /usr/sbin/nginx /etc/nginx/mime.types /etc/nginx/fastcgi_params /etc/nginx/uwsgi_params
    libraries /usr/sbin/nginx
    mkdir -p "$directory/usr/share/nginx" "$directory/var/lib/nginx" "$directory/var/log/nginx"
    ln -s /dev/stdout "$directory/var/log/nginx/access.log"
    ln -s /dev/stderr "$directory/var/log/nginx/error.log"
    ;;
  new-nginx)
    mkdir -p "$directory/usr/sbin" "$directory/etc/nginx" "$directory/var/log/nginx" "$directory/var/cache/nginx"
    cp "$peers/nginx" "$directory/usr/sbin/nginx"
    copy /etc/nginx/mime.types /etc/nginx/fastcgi_params /etc/nginx/uwsgi_params
    ln -s /dev/stdout "$directory/var/log/nginx/access.log"
    ln -s /dev/stderr "$directory/var/log/nginx/error.log"
    ;;
  haproxy)
    mkdir -p "$directory/usr/local/sbin" "$directory/usr/local/etc/haproxy" "$directory/var/lib/haproxy"
    cp /usr/sbin/haproxy "$directory/usr/local/sbin/haproxy"
    libraries /usr/sbin/haproxy
    ;;
  lighttpd)
    copy /usr/sbin/lighttpd /usr/lib/lighttpd/*.so
    libraries /usr/sbin/lighttpd /usr/lib/lighttpd/mod_proxy.so
    mkdir -p "$directory/etc/lighttpd" "$directory/var/www/html" "$directory/var/log/lighttpd"
    ;;
  apache)
    mkdir -p "$directory/usr/local/apache2/conf" "$directory/usr/local/apache2/logs" "$directory/usr/local/apache2/htdocs"
    mkdir -p "$directory/usr/local/apache2/bin"
    cp /usr/sbin/apache2 "$directory/usr/local/apache2/bin/httpd"
    cp -RL /usr/lib/apache2/modules "$directory/usr/local/apache2/modules"
    libraries /usr/sbin/apache2 /usr/lib/apache2/modules/*.so
    copy /etc/mime.types
    ;;
  traefik | envoy)
    mkdir -p "$directory/usr/local/bin" "$directory/etc/$part"
    cp "$peers/$part" "$directory/usr/local/bin/$part"
    libraries "$peers/$part"
    ;;
  caddy)
    mkdir -p "$directory/usr/bin" "$directory/etc/caddy" "$directory/config/caddy" "$directory/data/caddy"
    cp "$peers/caddy" "$directory/usr/bin/caddy"
    ;;
  python)
    copy /usr/bin/python3.11 $(dpkg -L libpython3.11-minimal libpython3.11-stdlib | grep '^/usr/lib/python3\.11/')
    libraries /usr/bin/python3.11 /usr/lib/python3.11/lib-dynload/_ssl.*.so /usr/lib/python3.11/lib-dynload/_sqlite3.*.so
    ln -s python3.11 "$directory/usr/bin/python3"
    ;;
  php)
    copy /usr/sbin/php-fpm8.2
    libraries /usr/sbin/php-fpm8.2
    ;;
  uwsgi)
    copy /usr/bin/uwsgi-core /usr/lib/uwsgi/plugins/python311_plugin.so
    libraries /usr/bin/uwsgi-core /usr/lib/uwsgi/plugins/python311_plugin.so
    ;;
  esac
done
cp -R "$overlay/." "$directory/"

for part; do
  case $part in
  jlesage)
    # What src/nginx-proxy-manager/build.sh of jlesage/docker-nginx-proxy-manager changes.
    mkdir -p "$directory/config"
    ln -s /config "$directory/data"
    sed -i 's|81 default|8181 default|' "$directory/etc/nginx/conf.d/production.conf"
    sed -i 's|listen 80;|listen 8080;|; s|:80;|:8080;|' "$directory/app/manager.py"
    sed -i 's|80;|8080;|' "$directory/etc/nginx/conf.d/default.conf"
    ;;
  esac
done
