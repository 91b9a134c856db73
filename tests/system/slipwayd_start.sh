#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-or-later
#
# usage: slipwayd_start.sh SLIPWAYD
#
# How the server starts, fails to start, goes on and ends; in a network namespace of its own.

set -eu

slipwayd=$1

# Nothing is skipped where everything has to be there.
skip() {
    echo "skipped: $*" >&2
    [ -z "${CI:-}" ] || exit 1
    exit 77
}

if [ "$(id -u)" -ne 0 ]; then
    skip "only root can make network namespaces"
fi
for tool in unshare setpriv curl python3 nginx mount xxd; do
    if ! command -v "$tool" >/dev/null; then
        skip "$tool is not installed"
    fi
done
if [ "${SLIPWAYD_START_INSIDE:-}" != yes ]; then
    SLIPWAYD_START_INSIDE=yes exec unshare --net --mount "$0" "$@"
fi

work=$(mktemp -d)
server=
n_passed=0

fail() {
    echo "FAILED: $test_name: $*" >&2
    cat "$work/err" >&2 || true
    exit 1
}

clean_up() {
    if [ -n "$server" ]; then
        kill -KILL "$server" 2>/dev/null || true
        sleep 0.2
    fi
    umount "$work/small" 2>/dev/null || true
    rm -rf "$work"
}
trap clean_up EXIT

ip link set lo up
chmod 755 "$work"

# Run in the background; its process id is in $server.
start() {
    "$slipwayd" --state "$work/state" --config "$work/conf" >"$work/out" 2>"$work/err" &
    server=$!
}

# wait_until SECONDS COMMAND...
wait_until() {
    tries=$(($1 * 20))
    shift
    while ! "$@"; do
        tries=$((tries - 1))
        if [ "$tries" -le 0 ]; then
            return 1
        fi
        sleep 0.05
    done
}

is_ready() {
    grep -q "slipwayd: ready" "$work/err"
}

is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# The roles and nginx of this state folder.
pids_of_all() {
    pgrep -f "^slipwayd --role=[a-z]+ --state=$work/state " || true
    pgrep -f "^nginx: master process .* -p $work/state/http" || true
}

pid_of() {
    pgrep -f "^slipwayd --role=$1 --state=$work/state "
}

has_role() {
    pid_of "$1" >/dev/null
}

is_nobody_left() {
    [ -z "$(pids_of_all)" ]
}

answers() {
    [ "$(curl -sk -o /dev/null -w '%{http_code}' "https://127.0.0.1:443/api/v1/client/time")" = 200 ]
}

start_ready() {
    start
    wait_until 10 is_ready || fail "not ready within 10 s"
    wait_until 5 answers || fail "no answer from the API"
}

stop() {
    kill -TERM "$server"
    wait "$server" || fail "exit status $?, not 0"
    server=
}

# expect_failure STATUS WORDS COMMAND...
expect_failure() {
    want=$1
    words=$2
    shift 2
    got=0
    timeout 10 "$@" >"$work/out2" 2>"$work/err2" || got=$?
    [ "$got" -eq "$want" ] || fail "exit status $got, not $want: $(cat "$work/err2")"
    grep -q "$words" "$work/err2" || fail "does not say: $words: $(cat "$work/err2")"
    [ "$(grep -c "^slipwayd: SLW-" "$work/err2")" -eq 1 ] || fail "not one line: $(cat "$work/err2")"
}

passed() {
    echo "ok: $test_name"
    n_passed=$((n_passed + 1))
}

printf '[boot-image]\nkernel-root = /nonexistent\nx86-root = /nonexistent\n' >"$work/conf"
: >"$work/err"

# The one-time token of the start under way, handed in on standard input so that no process shows it.
sign_in() {
    token=$(sed -n 's/^Administrator token (one time): //p' "$work/out")
    [ "$(printf '{"token": "%s"}' "$token" | curl -sk -o /dev/null -w '%{http_code}' \
        -H 'Content-Type: application/json' --data-binary @- https://127.0.0.1:443/api/v1/logins)" = 201 ]
}

test_name="the first start prints address, pin and a token, until somebody has signed in"
start_ready
grep -q "^Site: https://127.0.0.1:443$" "$work/out" || fail "no address"
grep -qE "^Pin: [0-9a-f]{64}$" "$work/out" || fail "no pin"
grep -qE "^Administrator token \(one time\): slw_" "$work/out" || fail "no token"
grep -q "slw_" "$work/err" && fail "the token is in the log"
stop
start_ready
grep -q "slw_" "$work/out" || fail "nobody has signed in, and there is no token any more"
sign_in || fail "the token is not taken"
sign_in && fail "the token is taken twice"
stop
start_ready
grep -q "slw_" "$work/out" && fail "a token although somebody has signed in"
passed

test_name="each role runs as a user of its own without capabilities"
for role in site dp pxe; do
    wait_until 2 has_role "$role" || fail "no $role"
    status=/proc/$(pid_of "$role")/status
    grep -qE "^CapEff:[[:space:]]0+$" "$status" || fail "$role has capabilities"
    grep -qE "^NoNewPrivs:[[:space:]]1$" "$status" || fail "$role may gain privileges"
    grep -qE "^Seccomp:[[:space:]]2$" "$status" || fail "$role has no filter"
    awk '/^Uid:/ { print $2 }' "$status"
done >"$work/uids"
[ "$(grep -vx 0 "$work/uids" | sort -u | wc -l)" -eq 3 ] || fail "users: $(cat "$work/uids")"
passed

test_name="starting twice says so and names the first"
expect_failure 10 "SLW-0010: already running on $work/state, pid $server" \
    "$slipwayd" --state "$work/state" --config "$work/conf"
passed

test_name="a port in use is reported with the process that has it"
expect_failure 11 "SLW-0011: port 80/tcp (\[site\] http-port) is in use by nginx, pid [0-9]" \
    "$slipwayd" --state "$work/other" --config "$work/conf"
printf '[site]\nhttp-port = 8080\nhttps-port = 8443\n' >"$work/conf2"
expect_failure 11 "SLW-0011: port 67/udp (\[pxe\] dhcp-port) is in use by [a-z-]*, pid [0-9]" \
    "$slipwayd" --state "$work/other" --config "$work/conf2"
passed

test_name="internal paths and files beside the content cannot be reached from outside"
for path in /api/v1/internal/authorize /api/v1/internal/jobs /content/tmp/x /content/index.db /content/format \
    /content/lock /keys/site.key; do
    code=$(curl -sk -o /dev/null -w '%{http_code}' "https://127.0.0.1:443$path")
    [ "$code" = 404 ] || fail "$path: $code"
    code=$(curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1$path")
    [ "$code" = 404 ] || [ "$code" = 301 ] || fail "$path by HTTP: $code"
done
for path in boot-decisions boot-events dp/jobs:claim; do # for distribution points, with their tokens
    code=$(curl -sk -o /dev/null -w '%{http_code}' -X POST -d '{}' -H 'Content-Type: application/json' \
        "https://127.0.0.1:443/api/v1/internal/$path")
    [ "$code" = 401 ] || fail "$path without a token: $code"
done
passed

test_name="a killed role comes back"
for role in site dp pxe; do
    before=$(pid_of "$role")
    kill -KILL "$before"
    wait_until 2 is_gone "$before" || fail "$role was not killed"
    wait_until 5 has_role "$role" || fail "$role did not come back"
done
grep -q "a process ended and will be started again name=site signal=9" "$work/err" || fail "not logged"
wait_until 5 answers || fail "no answer from the API"
passed

test_name="a killed nginx comes back"
before=$(cat "$work/state/http/nginx.pid")
kill -KILL "$before"
wait_until 2 is_gone "$before" || fail "nginx was not killed"
wait_until 5 answers || fail "no answer from the API"
passed

test_name="SIGTERM ends everything within 5 seconds"
begin=$(date +%s%N)
stop
[ $(($(date +%s%N) - begin)) -lt 5000000000 ] || fail "took too long"
is_nobody_left || fail "left: $(pids_of_all)"
passed

test_name="after SIGKILL of the parent a restart works at once"
start_ready
kill -KILL "$server"
wait "$server" 2>/dev/null || true
start_ready
stop
wait_until 1 is_nobody_left || fail "left: $(pids_of_all)"
passed

test_name="a role that does not end is killed in time"
start_ready
kill -STOP "$(pid_of dp)"
begin=$(date +%s%N)
stop
[ $(($(date +%s%N) - begin)) -lt 5000000000 ] || fail "took too long"
is_nobody_left || fail "left: $(pids_of_all)"
passed

test_name="a newer schema ends the server and leaves the database alone"
python3 - "$work/state/site/slipway.db" <<'PYTHON'
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
db.execute("INSERT INTO schema_migration VALUES (9999, 'later', 'x', 'now')")
db.commit()
db.close()
PYTHON
expect_failure 14 "SLW-0014: the database in $work/state/site was made by a newer version" \
    "$slipwayd" --state "$work/state" --config "$work/conf"
wait_until 1 is_nobody_left || fail "left: $(pids_of_all)"
passed

test_name="a content store of another format ends the server and is left alone"
rm -rf "$work/state/site"
echo "slipway-store 4" >"$work/state/dp/content/format"
expect_failure 26 "SLW-0360: the content store in $work/state/dp/content is of another format" \
    "$slipwayd" --state "$work/state" --config "$work/conf"
wait_until 1 is_nobody_left || fail "left: $(pids_of_all)"
[ "$(cat "$work/state/dp/content/format")" = "slipway-store 4" ] || fail "it was not left alone"
rm -rf "$work/state/dp/content"
passed

test_name="a damaged key is reported and kept"
rm -rf "$work/state/site"
echo damaged >"$work/state/keys/site.key"
expect_failure 17 "SLW-0017: the site's key or certificate in $work/state/keys" \
    "$slipwayd" --state "$work/state" --config "$work/conf"
grep -q damaged "$work/state/keys/site.key" || fail "the key was replaced"
passed

test_name="a full disk is reported"
mkdir "$work/small"
mount -t tmpfs -o size=2m tmpfs "$work/small"
dd if=/dev/zero of="$work/small/filler" bs=4k 2>/dev/null || true
expect_failure 13 "SLW-0013: " "$slipwayd" --state "$work/small/state" --config "$work/conf"
rm "$work/small/filler"
passed

test_name="without root a low port and a foreign folder are reported"
mkdir "$work/foreign" "$work/own"
chown 65534:65534 "$work/own"
cp "$slipwayd" "$work/slipwayd"
chmod 755 "$work/slipwayd"
expect_failure 12 "SLW-0012: " setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$work/slipwayd" --state "$work/foreign" --config "$work/conf"
expect_failure 12 "SLW-0012: port 80/tcp" setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$work/slipwayd" --state "$work/own" --config "$work/conf"
passed

test_name="without root it runs as the caller on high ports"
cat >"$work/high" <<'CONF'
[site]
http-port = 8080
https-port = 8443
[pxe]
dhcp-port = 6767
boot-server-port = 4011
tftp-port = 6969
CONF
: >"$work/err" # or the server before this one is ready
setpriv --reuid 65534 --regid 65534 --clear-groups \
    "$work/slipwayd" --state "$work/own/state" --config "$work/high" >"$work/out" 2>"$work/err" &
server=$!
wait_until 10 is_ready || fail "not ready within 10 s"
pin=$(xxd -r -p "$work/own/state/keys/pin" | base64)
curl -sk --pinnedpubkey "sha256//$pin" -o /dev/null https://127.0.0.1:8443/api/v1/client/time || fail "no answer"
curl -sk --pinnedpubkey "sha256//$(printf 'wrong' | sha256sum | xxd -r -p | base64)" -o /dev/null \
    https://127.0.0.1:8443/api/v1/client/time && fail "the pin is not the key's"
stop
passed

test_name="a wrong configuration is reported with its line"
printf '[site]\nhttp-port = 99999\n' >"$work/wrong"
expect_failure 15 "SLW-0015: $work/wrong:2: \[site\] http-port: 99999 is not allowed: a number from 1 to" \
    "$slipwayd" --state "$work/other" --config "$work/wrong"
expect_failure 15 "SLW-0015: $work/missing: there is no such file" "$slipwayd" -n --config "$work/missing"
expect_failure 2 "SLW-0019: " "$slipwayd" --nonsense
passed

echo "$n_passed tests passed"
