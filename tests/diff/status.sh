#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# RAUC's status file: what we write is read by RAUC (the service of Debian's
# rauc 1.8, on a session bus of its own) with the same values and makes it
# write or skip a slot as it should; what RAUC writes is read by us and
# survives our changes. Then random changes to random files against GLib.
# Needs root: RAUC mounts the bundle. usage: status.sh [WORKDIR]
set -eu
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.."
if [ "${STATUS_SH_INSIDE:-}" != "$PWD" ]; then
	export STATUS_SH_INSIDE="$PWD"
	exec tests/own-root.sh "tests/diff/${0##*/}" "$@"
fi
work=${1:-build/test/status}
rm -rf "$work"
mkdir -p "$work/data" "$work/mnt" "$work/bundle"
work=$(cd "$work" && pwd)
# a socket's name is short
run=$(mktemp -d)
bus=
service=
cleanup()
{
	[ -z "$service" ] || kill "$service" 2>/dev/null || true
	[ -z "$bus" ] || kill "$bus" 2>/dev/null || true
	rm -rf "$run"
}
trap cleanup EXIT

${CC:-gcc} -std=c11 -D_GNU_SOURCE -O1 -g -Wall -Wextra \
	-fsanitize=address,undefined -fno-sanitize-recover=undefined -Isrc \
	-o "$work/status_tool" tests/diff/status_tool.c src/slot/status.c \
	src/slot/conf.c src/slot/conf_check.c src/slot/settings.c \
	src/slot/net_conf.c src/base/ipv4.c \
	src/bundle/semver.c \
	src/base/base.c src/base/fmt.c src/base/keyfile.c \
	src/base/log.c src/base/reason.c -ldl
cd "$work"

passed=0
failed=0

# same WHAT GOT EXPECTED
same()
{
	if [ "$2" = "$3" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf 'FAILED %s: got\n%s\nexpected\n%s\n' "$1" "$2" "$3"
	fi
}

# ---- RAUC

cat >system.conf <<END
[system]
compatible=dev
bootloader=noop
mountprefix=$work/mnt
data-directory=$work/data
bundle-formats=plain
[keyring]
path=$work/cert.pem
[slot.rootfs.0]
device=$work/slot0
bootname=A
install-same=false
[slot.rootfs.1]
device=$work/slot1
bootname=B
install-same=false
[slot.app.0]
device=$work/app0
parent=rootfs.0
END
cat >"$run/bus.conf" <<END
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=$run/bus</listen>
<auth>EXTERNAL</auth><policy context="default"><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>
END
head -c 65536 /dev/zero | tee slot0 app0 >slot1
openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=status -days 30 \
	-keyout key.pem -out cert.pem 2>openssl.log
head -c 50000 /dev/urandom >bundle/rootfs.img
cat >bundle/manifest.raucm <<END
[update]
compatible=dev
version=3.0
description=\\s of RAUC\\\\
build=42
[image.rootfs]
filename=rootfs.img
END
rauc --cert cert.pem --key key.pem --keyring cert.pem bundle bundle b.raucb \
	>bundle.log 2>&1
image=$(sha256sum bundle/rootfs.img)
image=${image%% *}

dbus-daemon --config-file="$run/bus.conf" --nofork --print-address \
	>"$run/address" 2>bus.log &
bus=$!
while [ ! -s "$run/address" ]; do
	kill -0 "$bus"
	sleep 0.05
done
DBUS_SESSION_BUS_ADDRESS=unix:path=$run/bus
DBUS_STARTER_ADDRESS=$DBUS_SESSION_BUS_ADDRESS
DBUS_STARTER_BUS_TYPE=session
export DBUS_SESSION_BUS_ADDRESS DBUS_STARTER_ADDRESS DBUS_STARTER_BUS_TYPE

# with_rauc BOOTED COMMAND...: a service that has just read the file.
with_rauc()
{
	rauc -c system.conf "--override-boot-slot=$1" service \
		>service.log 2>&1 &
	service=$!
	shift
	n=0
	until timeout 5 rauc -c system.conf status >/dev/null 2>&1; do
		n=$((n + 1))
		[ "$n" != 50 ] || {
			cat service.log
			exit 1
		}
		sleep 0.05
	done
	rc=0
	"$@" 2>rauc.log || rc=$?
	kill "$service"
	wait "$service" || true
	service=
	return "$rc"
}

# What RAUC knows of each slot, in status_tool's words.
cat >flatten.py <<'END'
import json, sys
for slot in json.load(sys.stdin)["slots"]:
    for name, about in slot.items():
        with open("theirs." + name, "w") as out:
            status = about["slot_status"]
            for key in ["compatible", "version", "description", "build"]:
                if status["bundle"].get(key):
                    print(f"bundle.{key}={status['bundle'][key]}", file=out)
            if status.get("status"):
                print(f"status={status['status']}", file=out)
            for group, keys in [("checksum", ["sha256", "size"]),
                    ("installed", ["timestamp", "count"]),
                    ("activated", ["timestamp", "count"])]:
                for key in keys if group in status else []:
                    print(f"{group}.{key}={status[group][key]}", file=out)
END
rauc_status()
{
	timeout 5 rauc -c system.conf status --detailed --output-format=json |
		python3 flatten.py
}

agree()
{
	rm -f theirs.*
	with_rauc A rauc_status || cat rauc.log
	for slot in rootfs.0 rootfs.1 app.0; do
		same "$1, $slot" "$(./status_tool read "$file" $slot)" \
			"$(cat theirs.$slot)"
	done
}

rauc_install()
{
	timeout 20 rauc -c system.conf install "$work/b.raucb" >install.log
}

# ---- what we write

file=data/central.raucs
ours()
{
	./status_tool update "$file" "$@" >/dev/null
}
a=1111111111111111111111111111111111111111111111111111111111111111
b=2222222222222222222222222222222222222222222222222222222222222222

agree "no file"
ours pending 1700000000 - 1.0 "" rootfs.1 $a 1
agree "pending, fresh"
ours ok 1700000000 rootfs.1 1.0 "" rootfs.1 $a 4096
agree "ok, fresh"
ours ok 1700000000 rootfs.0 " 2=[x];#\\ " "Über # uns	" rootfs.0 $a 1 \
	app.0 $b 9223372036854775807
agree "ok, several, escapes"
ours failed 1800000000 - 3 "" rootfs.1 $b 5
agree "failed"
ours activated 1800000000 rootfs.1 3 ""
agree "activated"
ours ok 0 rootfs.1 4 4 rootfs.1 $b 0
agree "ok, without a clock"
sed -i 's/^installed.count=.*/installed.count=4294967296/
	s/^activated.count=.*/activated.count=x/' "$file"
agree "counts that are none"
ours ok 1900000000 app.0 5 5 app.0 $a 9
agree "ok, after them"

# ---- what RAUC writes

group()
{
	awk -v want="[slot.$1]" '/^\[/ { on = $0 == want } on' "$file"
}

before=$(./status_tool read "$file" rootfs.0)
with_rauc A rauc -c system.conf status mark-active rootfs.1 >/dev/null
agree "mark-active"
same "another slot, after mark-active" \
	"$(./status_tool read "$file" rootfs.0)" "$before"
same "activated by RAUC" "$(grep -c '^activated.count=' "$file")" 3
other=$(group rootfs.0; group app.0)
for kind in pending failed ok activated; do
	ours $kind 1900000000 rootfs.1 6 "" rootfs.1 $b 77
	same "$kind, on RAUC's file" "$(group rootfs.0; group app.0)" "$other"
	agree "$kind, on RAUC's file"
done
with_rauc A rauc_install || cat rauc.log
agree "installed by RAUC"
same "what RAUC wrote" \
	"$(group rootfs.1 | grep -v '^installed\|^activated')" \
"[slot.rootfs.1]
bundle.compatible=dev
bundle.version=3.0
bundle.description=\\s\\sof RAUC\\\\
bundle.build=42
status=ok
sha256=$image
size=50000"
cp "$file" rauc.raucs

# ---- what RAUC does with it

# installs WHAT BOOTED SLOT: which of the slots, both being empty whatever
# the file says, gets the image: slot0, slot1 or none.
installs()
{
	for path in slot0 slot1; do
		head -c 65536 /dev/zero >$path
	done
	with_rauc "$2" rauc_install || cat rauc.log
	written=
	for path in slot0 slot1; do
		if cmp -s -n 50000 $path bundle/rootfs.img; then
			written="$written $path"
		fi
	done
	same "$1" "${written:- none}" " $3"
}

installs "install-same=false, installed by RAUC" A none
cp rauc.raucs "$file"
ours pending 1900000000 - 3.0 "" rootfs.1 "$image" 50000
installs "install-same=false, pending" A slot1
cp rauc.raucs "$file"
ours failed 1900000000 - 3.0 "" rootfs.1 "$image" 50000
installs "install-same=false, failed" A slot1
ours pending 1900000000 - 3.0 "" rootfs.1 "$image" 50000
ours ok 1900000000 rootfs.1 3.0 "" rootfs.1 "$image" 50000
installs "install-same=false, installed by us" A none

# ---- GLib

ASAN_OPTIONS=detect_leaks=0 ./status_tool random 20000 "${SEED:-1}" >glib.log 2>&1 ||
	cat glib.log
passed=$((passed + $(sed -n 's/^random: \([0-9]*\) passed.*/\1/p' glib.log)))
failed=$((failed + $(sed -n 's/.* \([0-9]*\) failed$/\1/p' glib.log)))
echo "status: $passed passed, $failed failed"
[ "$failed" = 0 ]
