#!/bin/sh
# Installs wizard502 for everybody on this machine, or takes it away with --remove. Needs root.
#
# All of it lies in /usr/local/lib/wizard502, which only root can change; /usr/local/bin has a link to it.
set -eu
umask 022
PATH=/usr/sbin:/usr/bin:/sbin:/bin
prefix=/usr/local
home=$prefix/lib/wizard502
[ "$(id -u)" = 0 ] || { echo "install.sh: this needs root, so: sudo $0 $*" >&2; exit 1; }
documents="man/man1/wizard502.1 bash-completion/completions/wizard502 zsh/site-functions/_wizard502
  fish/vendor_completions.d/wizard502.fish"

if [ "${1-}" = --remove ]; then
  rm -rf "$home" "$prefix/bin/wizard502" "$prefix/share/doc/wizard502"
  for file in $documents; do rm -f "$prefix/share/$file"; done
  exit 0
fi
[ "$(uname -m)" = x86_64 ] || { echo "install.sh: this is for amd64, and this machine is $(uname -m)" >&2; exit 1; }
cd "$(dirname "$0")"
sha256sum -c SHA256SUMS >/dev/null || { echo "install.sh: a file is not as it was packed" >&2; exit 1; }

mkdir -p "$prefix/lib" "$prefix/bin" "$prefix/share/doc"
rm -rf "$home.new"
mkdir "$home.new"
cp lib/* "$home.new/"
chown -R 0:0 "$home.new"
chmod 0755 "$home.new" "$home.new"/*
rm -rf "$home"
mv "$home.new" "$home"
rm -f "$prefix/bin/wizard502"
ln -s ../lib/wizard502/wizard502 "$prefix/bin/wizard502"
for file in $documents; do
  mkdir -p "$prefix/share/$(dirname "$file")"
  cp "share/$file" "$prefix/share/$file"
  chmod 0644 "$prefix/share/$file"
done
rm -rf "$prefix/share/doc/wizard502"
cp -R share/doc/wizard502 "$prefix/share/doc/"
chown -R 0:0 "$prefix/share/doc/wizard502"
"$home/wizard502" --version
echo "Installed. Type: wizard502, or $prefix/bin/wizard502 if your shell does not find it."
