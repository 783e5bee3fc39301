#!/bin/sh
# Fills an empty system from a file of deploy/backup.sh and starts it:
#   deploy/restore.sh FILE
# It never overwrites data: it refuses volumes that contain any. (`docker compose down --volumes` deletes them.)
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)

fail() {
  printf 'restore: %s\n' "$1" >&2
  exit 1
}

compose() {
  (cd "$here" && exec docker compose "$@")
}

sql() { # the client of MySQL inside the source, as root
  compose exec -T db bash -c '
    exec mysql --defaults-extra-file=<(printf "[client]\nuser=root\npassword=\"%s\"\n" "$(</run/secrets/root_password)") "$@"' mysql "$@"
}

[ $# -eq 1 ] || fail 'name the file: deploy/restore.sh FILE'
[ -r "$1" ] || fail "$1 cannot be read"
gzip -dc "$1" | tail -n 1 | grep -q '^-- Dump completed' || fail "$1 is not a complete file of deploy/backup.sh"

compose run --rm provision
found=$(sql --skip-column-names --execute \
  "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'inventory'" </dev/null)
[ "$found" = 0 ] || fail 'the database holds tables already, and nothing was changed. If they may go: docker compose down --volumes, then again'
gzip -dc "$1" | sql inventory

compose up --detach
compose exec -T web1 inventory verify
printf 'Restored from %s\n' "$1"
