#!/usr/bin/env bash
# scripts/with-redis gives a command a Redis of its own and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/../.."
launcher=scripts/with-redis
failed=0

check() {
    if [ "$2" = "$3" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1: expected '$2', got '$3'"
        failed=1
    fi
}

# shellcheck disable=SC2016
{
check server_answers_on_its_socket PONG "$($launcher bash -c 'redis-cli -s "${REDIS_URL#unix://}" ping')"
check server_answers_on_loopback PONG "$($launcher bash -c 'redis-cli -p "$REDIS_PORT" ping')"
check server_is_new_and_empty 0 "$($launcher bash -c 'redis-cli -p "$REDIS_PORT" dbsize')"

status=0
$launcher bash -c 'exit 7' || status=$?
check status_of_the_command_is_passed_on 7 "$status"
status=0
$launcher bash -c 'kill -TERM $$' 2>/dev/null || status=$?
check a_command_that_is_killed_is_told 143 "$status"
status=0
$launcher 2>/dev/null || status=$?
check nothing_to_run_is_a_mistake 2 "$status"

check killed_server_starts_again_empty "1 0" "$($launcher bash -c '
    redis-cli -p "$REDIS_PORT" set a 1 >/dev/null
    echo -n "$(redis-cli -p "$REDIS_PORT" dbsize) "
    old=$(cat "$REDIS_PID_FILE")
    kill -KILL "$old"
    kill -USR1 "$REDIS_KEEPER"
    while [ "$(cat "$REDIS_PID_FILE")" = "$old" ]; do sleep 0.02; done
    redis-cli -p "$REDIS_PORT" dbsize' 2>/dev/null)"

left=$($launcher bash -c 'cat "$REDIS_PID_FILE"; dirname "$REDIS_PID_FILE"')
check server_has_ended gone "$(kill -0 "$(echo "$left" | head -n 1)" 2>/dev/null || echo gone)"
check directory_is_removed gone "$([ -e "$(echo "$left" | tail -n 1)" ] || echo gone)"
}
exit "$failed"
