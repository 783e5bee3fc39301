#!/bin/sh
# Makes random passwords for the containers, on Linux and macOS (deploy/setup.ps1 does the same on Windows):
#   deploy/setup.sh                 passwords in deploy/secrets/; .env points at them and opens the inventory to the network
#   deploy/setup.sh --tls NAME      also HTTPS for that host name, with a self-signed certificate, and production mode
#   deploy/setup.sh --into FOLDER   only the files, there
# Existing files are kept, so it is safe to repeat.
set -eu
umask 077
cd "$(dirname "$0")/.."

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit "${2:-1}"
}

folder=deploy/secrets name='' only_files=''
while [ $# -gt 0 ]; do
  case $1 in
    --tls) name=${2:-}; [ -n "$name" ] || fail '--tls needs the host name that people will type' 2; shift 2 ;;
    --into) folder=${2:-} only_files=yes; [ -n "$folder" ] || fail '--into needs a folder' 2; shift 2 ;;
    *) sed -n '2,6s/^# \{0,1\}//p' "deploy/setup.sh"; exit 2 ;;
  esac
done

if [ ! -s "$folder/root_password" ] && [ -z "$only_files" ]; then
  volume=${COMPOSE_PROJECT_NAME:-inventory}_db-data
  if command -v docker >/dev/null && docker volume inspect "$volume" >/dev/null 2>&1; then
    fail "the volume $volume holds a database with the passwords used until now. Change root's there first, as \
docs/operating-containers.md says under \"Passwords\", or delete all its data with: docker compose down --volumes"
  fi
fi

random() { # random LENGTH: letters and digits
  LC_ALL=C tr -dc 'A-Za-z0-9' </dev/urandom | head -c "$1"
}

secret() { # secret NAME LENGTH: unless it is there and not empty
  [ -s "$folder/$1" ] && return
  random "$2" >"$folder/$1.new"
  # The folder keeps other users of this machine out; the account in the container must be able to read the file.
  chmod 444 "$folder/$1.new"
  mv -f "$folder/$1.new" "$folder/$1"
}

setting() { # setting NAME VALUE: in .env
  touch .env
  grep -v "^$1=" .env >.env.new || true
  printf '%s=%s\n' "$1" "$2" >>.env.new
  mv .env.new .env
}

mkdir -p "$folder"
chmod 700 "$folder"
# MySQL takes at most 32 characters for the account of replication.
for account in root app migrator monitor replication; do secret "${account}_password" 32; done
secret secret_key 64
secret admin_password 16

if [ -n "$name" ] && [ ! -e "$folder/tls_key" ]; then
  command -v openssl >/dev/null || fail 'openssl is needed to make a certificate: install it, or put your own files tls_certificate and tls_key there'
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=$name" -addext "subjectAltName=DNS:$name" \
    -keyout "$folder/tls_key.new" -out "$folder/tls_certificate" 2>/dev/null || {
    rm -f "$folder/tls_key.new"
    fail "openssl could not make a certificate for $name"
  }
  chmod 444 "$folder/tls_key.new" "$folder/tls_certificate"
  mv -f "$folder/tls_key.new" "$folder/tls_key"
fi

[ -z "$only_files" ] || exit 0
setting INVENTORY_SECRETS "./$folder"
grep -q '^HTTP_BIND=' .env || setting HTTP_BIND 0.0.0.0
if [ -n "$name" ]; then
  setting COMPOSE_PATH_SEPARATOR :
  setting COMPOSE_FILE docker-compose.yml:deploy/compose.tls.yml
  setting INVENTORY_ENV production
  setting INVENTORY_HOSTS "$name"
fi
printf 'The passwords are files in %s/, and .env points at them.\n' "$folder"
printf 'The inventory listens on %s (HTTP_BIND in .env).\n' "$(sed -n 's/^HTTP_BIND=//p' .env)"
printf 'Start with: docker compose up --build -d\nThen log in as admin with the password in %s/admin_password\n' "$folder"
