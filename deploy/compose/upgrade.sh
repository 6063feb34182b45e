#!/bin/sh
# Change to a version and back again if it is not healthy: `./upgrade.sh 0.2.0`. A rollback is the
# same with the older version. The database is dumped first, into backups/.
set -eu
cd "$(dirname "$0")"
wanted=${1:?Name a version: ./upgrade.sh 0.2.0}
case $wanted in *[!0-9A-Za-z._-]*) echo "$wanted is no version." >&2; exit 2 ;; esac
before=$(sed -n 's/^ESCRIBA_VERSION=//p' .env)

use() {  # VERSION: one line of .env, replaced whole
    sed "s/^ESCRIBA_VERSION=.*/ESCRIBA_VERSION=$1/" .env > .env.new && mv .env.new .env
}
start() {
    docker compose up -d --wait --wait-timeout 600
}

mkdir -p backups
chmod 0700 backups
dump=backups/$(date -u +%Y%m%dT%H%M%SZ)-$before.dump
docker compose exec -T postgres pg_dump -U escriba -Fc dagster > "$dump.part"
mv "$dump.part" "$dump"
use "$wanted"
if start; then
    echo "Escriba $wanted is healthy. The database of $before is in $dump."
    exit 0
fi
echo "Escriba $wanted is not healthy: going back to $before." >&2
docker compose logs --tail 50 code >&2 || true
use "$before"
start
echo "Escriba $before runs again. $dump has its database (docs/production.md)." >&2
exit 1
