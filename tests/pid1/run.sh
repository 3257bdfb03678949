#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# run.sh [LIFEBOAT]: the static binary as a real process 1, in user, pid,
# mount and network namespaces of its own; root is not needed. Where user
# namespaces are forbidden and we are root, the same without one, and without
# CAP_SYS_ADMIN inside, so that no device of this machine can be reached.
#
# reboot(2) of process 1 ends its pid namespace with SIGHUP, power off with
# SIGINT: exit status 129 and 130. Ending in any other way fails the test.
set -u

here=$(cd "$(dirname "$0")/../.." && pwd)
binary=${1:-$here/build/host/lifeboat}
tmp=$(mktemp -d)
failed=0
passed=0
outer=
propagation=

[ -x "$binary" ] || { echo "pid1: no $binary: make host"; exit 1; }

if [ -z "${PID1_AS_ROOT:-}" ] && unshare -Urmpn --fork true 2>/dev/null; then
	mode=user
elif [ "$(id -u)" = 0 ] && unshare -mpn --fork true 2>/dev/null; then
	mode=root
elif [ "$(id -u)" = 0 ] &&
	unshare -mpn --propagation unchanged --fork true 2>/dev/null; then
	# / of a chroot is no mount point and has no propagation to change
	mode=root
	propagation="--propagation unchanged"
else
	echo "pid1: this kernel allows no namespaces here"
	echo "pid1: 0 passed, 1 failed"
	exit 1
fi

trap 'stop; rm -rf "$tmp"' EXIT

# A root with nothing in it but the binary. fd 3 of the test is the keyboard.
fresh() {
	stop
	rm -rf "$tmp/root"
	mkdir -p "$tmp/root/etc/rauc" "$tmp/root/dev" "$tmp/root/proc" \
		"$tmp/root/sys" "$tmp/root/run" "$tmp/root/lib/modules"
	cp "$binary" "$tmp/root/init"
	rm -f "$tmp/keys" "$tmp/out" "$tmp/status"
	mkfifo "$tmp/keys"
	: >"$tmp/out"
	printf '[recovery]\nsettle=20\nstall=5\nwait=30\n' \
		>"$tmp/root/etc/lifeboat.conf"
}

device() {
	cat >"$tmp/root/etc/rauc/system.conf" <<-'CONF'
	[system]
	compatible=pid1 test
	bootloader=uboot
	[slot.rootfs.0]
	device=PARTLABEL=no-such-partition-anywhere
	type=ext4
	bootname=A
	CONF
	echo '/dev/no-such-disk 0x0 0x4000' >"$tmp/root/etc/fw_env.config"
}

# boot [OUTPUT]: starts it; $first is the host's pid of process 1.
boot() {
	started=$(date +%s%N)
	if [ $mode = user ]; then
		set -- unshare -Urmpnf --kill-child chroot "$tmp/root" /init
	else
		# shellcheck disable=SC2016 # $1 belongs to the inner shell
		# shellcheck disable=SC2086 # two words or none
		set -- unshare -mpnf $propagation --kill-child sh -c '
			mount -t proc proc "$1/proc" &&
			mount -t sysfs sysfs "$1/sys" &&
			exec setpriv --bounding-set=-sys_admin \
				--inh-caps=-sys_admin chroot "$1" /init' \
			sh "$tmp/root"
	fi
	# read-write, so that opening it does not wait for the other side
	exec 3<>"$tmp/keys"
	"$@" <"$tmp/keys" >>"${OUT:-$tmp/out}" 2>&1 3>&- &
	outer=$!
	first=
	within 3 first_is_there
}

first_is_there() {
	first=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null)
	first=${first% }
	[ -n "$first" ] &&
		[ "$(readlink "/proc/$first/exe" 2>/dev/null)" != "" ] &&
		[ "$(tr '\0' ' ' <"/proc/$first/cmdline")" = "/init " ]
}

stop() {
	[ -n "$outer" ] && kill -9 "$outer" 2>/dev/null && wait "$outer"
	outer=
	exec 3>&-
} 2>/dev/null

# within SECONDS COMMAND...: true as soon as COMMAND is.
within() {
	end=$(($(date +%s%N) + $1 * 1000000000))
	shift
	until "$@"; do
		[ "$(date +%s%N)" -lt "$end" ] || return 1
		sleep 0.02
	done
}

not() { ! "$@"; }
says() { grep -qF -- "$1" "$tmp/out"; }
ended() { ! kill -0 "$outer" 2>/dev/null; }
alive() { [ "$(cat "/proc/$first/comm" 2>/dev/null)" = init ]; }
key() { printf '%s' "$1" >&3; }

ends_with() { # STATUS: waits for it
	within 8 ended || return 1
	wait "$outer" 2>/dev/null
	status=$?
	outer=
	[ "$status" = "$1" ]
}

# The kernel's answer to reboot(2) reaches unshare as a signal's death.
reboots() { ends_with 129; }
powers_off() { ends_with 130; }

check() { # NAME COMMAND...
	name=$1
	shift
	if "$@"; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "pid1: FAILED: $name"
		sed 's/^/    | /' "$tmp/out" | tail -20
	fi
}

# ---- what a person sees, and when

fresh
boot
check "the first line" within 1 says ": recovery"
took=$((($(date +%s%N) - started) / 1000000))
check "the first line comes within a second ($took ms)" [ "$took" -lt 1000 ]
if "$binary" --version | grep -q 'keyring: DEVELOPMENT'; then
	development=1
	check "whose keys it has" within 1 says "DEVELOPMENT KEYS: whoever built"
else
	development=
fi
check "what it waits for" within 1 says "medium with a bundle (*.raucb)"
check "what could not be mounted is no reason to stop" alive
check "no system.conf: one reason" within 2 says \
	"/etc/rauc/system.conf: missing or empty [system-conf-missing-key]"
check "no system.conf: said again while it waits" within 4 says \
	"nothing can be installed: /etc/rauc/system.conf"
check "no system.conf: it lives" alive
[ -n "$development" ] || check "keys of its own: nothing of development" \
	not says DEVELOPMENT
key h
check "keys are answered" within 2 says "keys: i search again"
key l
check "there is nothing to choose from" within 2 says \
	"the last search found no bundle"
key 1
key r
check "one key is not enough to reboot" within 2 says "press r again"
sleep 0.1
check "it waits for the second" alive
key r
check "r and r reboot" reboots

fresh
device
printf '[encryption]\nkey=none.pem\n[handlers]\n' \
	>>"$tmp/root/etc/rauc/system.conf"
boot
check "a key's path starts from system.conf" within 2 says \
	"/etc/rauc/none.pem: "
check "what is not read of system.conf is told" within 2 says \
	"[handlers] is unknown and passed over"
check "no medium: it says so and waits" within 4 says "waiting for a medium"
check "no disk: one reason" within 4 says "/dev/no-such-disk: does not"
check "no disk: it lives" alive
key i
check "searches again" within 2 says "searching again"
key pp
check "p and p power off" powers_off

fresh
printf '[system]\ncompatible=x\n[slot.a.b.c]\n' >"$tmp/root/etc/rauc/system.conf"
printf '[trusst]\nmin-signers=2\n' >"$tmp/root/etc/lifeboat.conf"
printf 'no line of it\n' >"$tmp/root/etc/fw_env.config"
boot
check "a broken lifeboat.conf is named" within 2 says "/etc/lifeboat.conf: [trusst]"
check "a broken system.conf is named" within 2 says "/etc/rauc/system.conf: "
check "a broken fw_env.config is named" within 2 says "/etc/fw_env.config: "
check "broken files: it lives" alive
check "a group that is none keeps it from installing" within 4 says \
	"nothing can be installed: /etc/lifeboat.conf: [trusst]"

# What only a development image listens to.
fresh
device
echo 'ignore-floor=true' >>"$tmp/root/etc/lifeboat.conf"
boot
within 4 says "waiting for a medium"
no_effect="ignore-floor is for development images: it has no effect"
if [ -n "$development" ]; then
	check "ignore-floor is taken" not says "$no_effect"
else
	check "ignore-floor is not taken" says "$no_effect"
fi

# ---- its duties

fresh
device
boot
within 4 says "waiting for a medium"
enter="nsenter -t $first -p"
[ $mode = user ] && enter="$enter -U"
for _ in 1 2 3 4 5; do
	$enter sh -c '(exec sleep 0.05) & (exec sleep 0.05) &' 2>/dev/null
done
sleep 0.3
children() {
	tr ' ' '\n' <"/proc/$first/task/$first/children"
}
no_children() { [ -z "$(children)" ]; }
check "orphans are reaped" within 3 no_children
for s in HUP USR1 QUIT ALRM PIPE CHLD; do
	kill -s $s "$first"
done
sleep 0.1
check "other signals are ignored" alive
kill -s TERM "$first"
check "SIGTERM reboots" reboots
check "and says so" says "rebooting: asked for by a signal"

fresh
boot
within 2 says ": recovery"
kill -s INT "$first"
check "Ctrl-Alt-Del reboots" reboots

fresh
boot
within 2 says ": recovery"
kill -s USR2 "$first"
check "SIGUSR2 powers off" powers_off

# ---- the line

fresh
boot
within 4 says "nothing can be installed"
kill -s SEGV "$first"
check "a crash is told" within 2 says "fatal: process 1 crashed with signal 11"
check "the operator has time" alive
key x
check "a crash reboots, never exits" reboots

# A child killed in the middle, again and again.
fresh
device
boot
n=0
while [ $n -lt 40 ] && alive; do
	for p in $(children); do
		kill -9 "$p" 2>/dev/null
	done
	n=$((n + 1))
	[ $((n % 10)) = 0 ] && key i
	sleep 0.01
done
check "children may die at any time" alive
key i
check "and it goes on" within 4 says "waiting for a medium"

# A console that takes nothing must not stop it.
fresh
mkfifo "$tmp/stuck"
exec 4<>"$tmp/stuck"
OUT=$tmp/stuck boot
n=0
while [ $n -lt 20 ]; do
	key hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh
	n=$((n + 1))
	sleep 0.02
done
sleep 0.2
check "a stuck console: it lives" alive
kill -s TERM "$first"
check "a stuck console: it reboots all the same" reboots
exec 4>&-

# Keys come to an end, the input is closed: no busy loop.
fresh
boot
within 4 says "nothing can be installed"
exec 3>&-
sleep 0.1
used() { awk '{print $14 + $15}' "/proc/$first/stat"; }
before=$(used)
sleep 0.5
check "no busy loop without a keyboard" [ $(($(used) - before)) -le 2 ]
check "it lives without a keyboard" alive

echo "pid1 ($mode namespaces): $passed passed, $failed failed"
[ $failed = 0 ] && [ $passed != 0 ]
