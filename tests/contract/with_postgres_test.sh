#!/usr/bin/env bash
# scripts/with-postgres gives a command a PostgreSQL of its own and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
launcher=scripts/with-postgres
failed=0

check() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2', got '$3'"
        failed=1
    fi
}

check server_answers_on_its_socket 1 "$($launcher psql -Atc 'select 1')"
check server_answers_on_loopback_with_the_password 1 \
    "$($launcher bash -c 'psql -h 127.0.0.1 -Atc "select 1"')"
check loopback_without_the_password_is_refused refused \
    "$($launcher bash -c 'unset PGPASSWORD; psql -w -h 127.0.0.1 -Atc "select 1" 2>/dev/null || echo refused')"
check database_is_the_named_one_and_empty "assay 0" "$($launcher bash -c \
    'psql -At -F " " -c "select current_database(), count(*) from pg_tables where schemaname = '"'public'"'"')"

status=0
$launcher bash -c 'exit 7' || status=$?
check exit_status_of_the_command_is_passed_on 7 "$status"

where=$($launcher bash -c 'echo "$PGHOST $(head -1 "$PGHOST/data/postmaster.pid")"')
check directory_is_gone_afterwards gone "$([ -e "${where% *}" ] && echo there || echo gone)"
check server_is_gone_afterwards gone "$([ -e "/proc/${where#* }" ] && echo there || echo gone)"

mapfile -t ports < <($launcher bash -c "echo \$PGPORT; $launcher bash -c 'echo \$PGPORT'")
check two_servers_run_side_by_side different \
    "$([ "${ports[0]}" != "${ports[1]}" ] && echo different || echo same)"

# Kills the server and asks until it answers with what was confirmed before.
killed='psql -qc "create table t as select 42 as n"; kill -QUIT $(head -n 1 "$PGHOST/data/postmaster.pid")
    until psql -Atc "select n from t" 2>/dev/null; do sleep 0.05; done'
check server_that_is_kept_comes_back 42 "$(ASSAY_POSTGRES_KEEP=1 $launcher bash -c "$killed")"

message=$($launcher 2>&1 || true)
check command_is_asked_for "usage: with-postgres COMMAND [ARGUMENT...]" "$message"
exit "$failed"
