#!/bin/sh
# Fills DIRECTORY with a root file system taken from this machine's Debian packages.
#
#   tree.sh DIRECTORY OVERLAY [nginx | python]...
#
# busybox supplies the shell and the small tools; OVERLAY is copied over the result.
set -eu
directory=$1 overlay=$2
shift 2

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
  for file; do copy $(ldd "$file" | grep -o '/[^ ]*'); done
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
    copy /usr/sbin/nginx /etc/nginx/mime.types
    libraries /usr/sbin/nginx
    mkdir -p "$directory/usr/share/nginx" "$directory/var/lib/nginx" "$directory/var/log/nginx"
    ln -s /dev/stdout "$directory/var/log/nginx/access.log"
    ln -s /dev/stderr "$directory/var/log/nginx/error.log"
    ;;
  python)
    copy /usr/bin/python3.11 $(dpkg -L libpython3.11-minimal libpython3.11-stdlib | grep '^/usr/lib/python3\.11/')
    libraries /usr/bin/python3.11 /usr/lib/python3.11/lib-dynload/_ssl.*.so /usr/lib/python3.11/lib-dynload/_sqlite3.*.so
    ln -s python3.11 "$directory/usr/bin/python3"
    ;;
  esac
done
cp -R "$overlay/." "$directory/"
