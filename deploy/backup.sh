#!/bin/sh
# Writes all data of the inventory to a compressed file of SQL, while everything runs:
#   deploy/backup.sh [FILE]
# A consistent snapshot of the source, without locks. It contains tables and rows, but no MySQL accounts and no GTIDs: a restored server
# starts a new history, which its replicas follow from the beginning.
set -eu
umask 077
here=$(cd "$(dirname "$0")/.." && pwd)

fail() {
  printf 'backup: %s\n' "$1" >&2
  exit 1
}

file=${1:-inventory-$(date -u +%Y-%m-%dT%H%M%SZ).sql.gz}
[ ! -e "$file" ] || fail "$file is there already; name another file"
trap 'rm -f "$file.part"' EXIT

(cd "$here" && exec docker compose exec -T db bash -c '
  exec mysqldump --defaults-extra-file=<(printf "[client]\nuser=root\npassword=\"%s\"\n" "$(</run/secrets/root_password)") \
    --single-transaction --set-gtid-purged=OFF --no-tablespaces --hex-blob --routines --triggers --events inventory') |
  gzip >"$file.part"

# A pipe hides that its first command failed; check the last line.
gzip -dc "$file.part" | tail -n 1 | grep -q '^-- Dump completed' || fail 'the dump of the source is incomplete; the reason is shown above'
mv "$file.part" "$file"
printf 'Written: %s\n' "$file"
