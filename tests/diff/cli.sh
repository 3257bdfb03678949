#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# The command line from end to end, on slots that are files: what rauc prints
# is what lifeboat prints, what unsquashfs unpacks is what it unpacks, an
# install is read back with cmp and fw_printenv, the processes are what they
# should be while they work, and any of them may be killed at any time.
#
# usage: tests/diff/cli.sh   LIFEBOAT=program, default build/host/lifeboat
set -eu
cd "$(dirname "$0")/../.."
top=$PWD
lifeboat=${LIFEBOAT:-$top/build/host/lifeboat}
bundles=$top/build/tests/bundles
tests/data/mkbundles.sh "$bundles"
work=$top/build/test/cli
rm -rf "$work"
mkdir -p "$work"
cd "$work"

passed=0
failed=0
# check WHAT COMMAND...
check()
{
	what=$1
	shift
	if "$@" >out 2>err; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $what"
		head -n 20 out err
	fi
}

# said WHAT PATTERN: by the last check
said()
{
	if grep -qe "$2" out err; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		echo "FAILED $1"
		head -n 20 out err
	fi
}

not()
{
	! "$@"
}

cat >system.conf <<END
[system]
compatible=Test
bootloader=uboot

[keyring]
path=$bundles/keyring.pem

[slot.rootfs.0]
device=a.rootfs
bootname=A

[slot.kernel.0]
device=a.kernel
parent=rootfs.0

[slot.rootfs.1]
device=b.rootfs
bootname=B

[slot.kernel.1]
device=b.kernel
parent=rootfs.1
END
printf '%s\n' "$work/env 0x0 0x2000" "$work/env 0x2000 0x2000" >fw.conf
conf=$work/system.conf
good=$bundles/good.raucb

device()
{
	rm -f a.* b.*
	truncate -s 80M a.rootfs a.kernel b.rootfs b.kernel
	printf 'old' | tee a.rootfs b.rootfs a.kernel |
		dd of=b.kernel conv=notrunc 2>/dev/null
	truncate -s 80M a.rootfs a.kernel b.rootfs b.kernel
	rm -f env
	truncate -s 16K env
	printf 'BOOT_ORDER=A B\nBOOT_A_LEFT=3\nBOOT_B_LEFT=3\nfoo=bar\n' >init
	fw_setenv -c fw.conf -f init x 1 2>err
}

run()
{
	verb=$1
	shift
	"$lifeboat" --conf="$conf" "$verb" --fw-env-config=fw.conf "$@"
}

# ---- info: rauc's words

for name in good zstd small hook check; do
	for format in shell json json-pretty; do
		rauc --conf="$conf" info --output-format=$format \
			"$bundles/$name.raucb" >rauc.out 2>err || :
		"$lifeboat" --conf="$conf" info --output-format=$format \
			"$bundles/$name.raucb" >our.out 2>err || :
		# rauc ends shell output with an empty line
		sed -i '/^$/d' rauc.out
		cp our.out all.out
		# what only we have stands behind it
		sed -i '/^LIFEBOAT_/d' our.out
		sed -z -i 's/,\n  "lifeboat" : {.*\n  }\n}/\n}/
			s/,"lifeboat":{.*}}}\n/}\n/' our.out
		check "info $name as $format" test -s our.out
		check "info $name as $format" diff rauc.out our.out
		check "info $name as $format: more" not cmp -s our.out all.out
	done
	rauc --conf="$conf" info "$bundles/$name.raucb" >rauc.out 2>err
	"$lifeboat" --conf="$conf" info "$bundles/$name.raucb" >our.out 2>err
	# labels and values that both have
	for label in Compatible: Version: Description: Build: Verity.Salt: \
		Verity.Hash: Verity.Size: Filename: Checksum: Size: \
		SPKI Not.Before: Not.After:; do
		grep "$label" rauc.out >rauc.some || :
		grep "$label" our.out >our.some || :
		check "info $name: $label" diff rauc.some our.some
	done
done
# verdict FORMAT-OPTION... : what install and the policies say, by python
verdict()
{
	"$lifeboat" info --conf="$conf" "$@" >our.out 2>err || return 1
	python3 - our.out <<-'END'
		import json, sys
		ours = json.load(open(sys.argv[1]))["lifeboat"]
		for name, v in ours["verdict"].items():
		    assert v["accepted"] == (v["reason"] is None), v
		    assert v["accepted"] == (v["seen"] is None), v
		    print(name, "*" if v["in-force"] else "-",
		          v["reason"] or "yes")
		print("signers", *ours["signers"])
		print("chain", *(c["subject"] for c in ours["chain"]))
		print("time", ours["signing-time"], ours["judged-by"])
	END
}
for format in json json-pretty; do
	check "verdicts as $format" verdict --output-format=$format "$good"
	for line in 'signature \* yes' 'purpose-smimesign \* yes' \
		'purpose-codesign - certificate-purpose' 'purpose-any - yes' \
		'time-floor \* yes' 'time-clock - yes' 'time-signing - yes' \
		'check-crl - crl-missing' 'compatible \* yes' 'hooks \* yes' \
		'min-bundle-version - yes' 'min-version - yes' \
		'install \* yes' 'signers CN=Test signer,O=Test' \
		'chain CN=Test signer,O=Test CN=Test CA,O=Test' \
		'time 20[0-9-]* [0-9:]* UTC by the clock'; do
		said "$format: $line" "^$line$"
	done
done
check 'verdicts of a bundle with hooks' verdict --output-format=json \
	-C system:min-bundle-version=3000 -C keyring:check-purpose=any \
	-C system:compatible=Other "$bundles/hook.raucb"
for line in 'purpose-any \* yes' 'purpose-smimesign - yes' \
	'compatible \* wrong-compatible' 'hooks \* bundle-hooks' \
	'min-bundle-version \* bundle-version' \
	'install \* wrong-compatible'; do
	said "hook: $line" "^$line$"
done
# Each purpose's verdict is what a device that is set to it says.
for purpose in smimesign codesign any; do
	word=no
	! "$lifeboat" info --conf="$conf" -C keyring:check-purpose=$purpose \
		"$good" >out 2>&1 || word=yes
	"$lifeboat" info --conf="$conf" --output-format=shell "$good" >out 2>err
	name=$(echo $purpose | tr a-z A-Z)
	said "shell: $purpose" "^LIFEBOAT_VERDICT_PURPOSE_$name='$word'$"
done
said 'shell: the reason' \
	"^LIFEBOAT_REASON_PURPOSE_CODESIGN='certificate-purpose'$"
said 'shell: the chain' "^LIFEBOAT_SUBJECT_1='CN=Test CA,O=Test'$"
check 'info for people' "$lifeboat" info --conf="$conf" "$good"
said 'the signing time' '^Signing Time: 20'
said 'who' '^Signed by:    CN=Test signer,O=Test$'
said 'a policy' '^    no   purpose-codesign: .*\[certificate-purpose\]$'
said 'the whole' '^  \* yes  install$'
# Hostile texts: what sh and python get is what the manifest says.
certs=$top/build/tests/certs
"$top/tests/data/mkcerts.sh" "$certs"
cat >hostile.py <<'END'
import json, subprocess, sys
lifeboat, remake, certs = sys.argv[1:4]
texts = {
    "compatible": "'; echo broken; '",
    "version": "$(echo broken) `echo broken` ${HOME} \\ \" ' # !x",
    "description": "'" * 500,
    "build": "\n\t\"a\"\nLIFEBOAT_VERDICT_INSTALL='yes'\n\u00e4\u20ac",
}
if len(sys.argv) > 4:
    texts["version"] = "x" * int(sys.argv[4]) + "\u00fc\u20ac\U0001f600" * 10
    texts["description"] = texts["version"] + "\u00fc\u20ac\U0001f600" * 30
quoted = {k: v.replace("\\", "\\\\").replace("\n", "\\n")
          .replace("\t", "\\t") for k, v in texts.items()}
with open("hostile.mf", "w") as f:
    f.write("[update]\n" + "".join("%s=%s\n" % i for i in quoted.items()) +
            "[bundle]\nformat=verity\n@TREE@\n[image.x;id]\nfilename='a b'\n"
            "size=10\nsha256=" + "0" * 64 + "\ntype=raw\n")
open("hostile.img", "wb").write(bytes(8192))
subprocess.run([remake, "hostile.img", certs + "/signer.pem",
                certs + "/signer.key", "hostile.raucb", "hostile.mf"],
               check=True)


def info(form):
    return subprocess.run([lifeboat, "info", "--keyring", certs + "/root.pem",
                           "--output-format", form, "hostile.raucb"],
                          stdout=subprocess.PIPE, check=True).stdout


shell = info("shell")
for name, text in texts.items():
    out = subprocess.run(
        ["sh", "-euc", 'eval "$1"; printf %s "$RAUC_MF_' + name.upper() +
         '"', "sh", shell], stdout=subprocess.PIPE, check=True).stdout
    assert out.decode() == text, (name, out)
out = subprocess.run(["sh", "-euc", 'eval "$1"; printf %s "$RAUC_IMAGE_CLASS_0:'
                      '$RAUC_IMAGE_NAME_0:$LIFEBOAT_VERDICT_INSTALL"', "sh",
                      shell], stdout=subprocess.PIPE, check=True).stdout
assert out == b"x;id:'a b':yes", out
for form in "json", "json-pretty":
    o = json.loads(info(form))
    for name, text in texts.items():
        assert o[name] == text, (form, name, o[name])
    assert o["images"][0]["x;id"]["filename"] == "'a b'", o
    assert o["lifeboat"]["verdict"]["install"]["accepted"] is True
if len(sys.argv) > 4:
    assert texts["description"] in info("readable").decode()
END
for before in '' 0 1 2 3 4 5 6 7 8; do
	# shellcheck disable=SC2086 # none, or one number
	check "hostile texts $before" python3 hostile.py "$lifeboat" \
		"$top/tests/data/remake.py" "$certs" $before
done
for name in good hook; do
	"$lifeboat" info --conf="$conf" --output-format=shell \
		"$bundles/$name.raucb" >shell.out 2>err
	# shellcheck disable=SC2016 # for the inner shell
	check "sh takes all of $name" sh -euc 'eval "$(cat shell.out)"
		test "$LIFEBOAT_SIGNER_0" = "CN=Test signer,O=Test"
		test "$RAUC_MF_VERSION" = 2024.1
		set | grep -c "^LIFEBOAT_VERDICT_" >count
		test "$(cat count)" = 13'
done
check 'info with every option behind' \
	"$lifeboat" info "$good" -c "$conf" --keyring "$bundles/keyring.pem"
check 'info without a keyring that fits' \
	not "$lifeboat" info --keyring=/dev/null "$good"
said 'info names its reason' '\[keyring\]'
check 'another compatible is no error of info' "$lifeboat" info -c "$conf" \
	-C system:compatible=Other "$good"
said 'but is said' wrong-compatible
check 'the embedded keyring does not trust this' not "$lifeboat" info "$good"
check 'version' "$lifeboat" --version
said 'the development keyring is shown' DEVELOPMENT
check 'help' "$lifeboat" install --help
said 'help shows the usage' 'install BUNDLE'
for line in frobnicate 'info' 'info --frobnicate x' 'install a b' \
	'install --restore --progress x' 'stream --detailed --restore a b' \
	'status mark-good a b' 'status mark-ugly'; do
	# shellcheck disable=SC2086 # words
	check "refused: $line" not "$lifeboat" -c "$conf" $line
	said "usage: $line" '\[usage\]'
done

# What does not get to its reader is no success; a reader that has seen enough
# is. Descriptors 0 to 2 that are closed are not taken for something else.
to()
{
	where=$1
	shift
	case $where in
	closed) "$@" >&- ;;
	nothing) "$@" <&- >&- 2>&- ;;
	head) "$@" | head -n 1 ;;
	*) "$@" >"$where" ;;
	esac
}
for format in readable shell json; do
	check "$format into a full device" not to /dev/full \
		"$lifeboat" info -c "$conf" --output-format=$format "$good"
	said 'says so' 'standard output: .*\[disk-full\]'
	check "$format into nothing" not to closed \
		"$lifeboat" info -c "$conf" --output-format=$format "$good"
done
# shellcheck disable=SC2016 # the inner shell fills these in
check 'a reader that goes away' bash -o pipefail -c \
	'"$0" info -c "$1" "$2" | head -n 1' "$lifeboat" "$conf" "$good"
"$lifeboat" stream "$good" good.raucs
check 'a stream for a file' not "$lifeboat" info -c "$conf" good.raucs
said 'is recognised' 'in stream order.*\[stream-once\]'

# ---- extract: unsquashfs's files

for name in good zstd hook; do
	rm -rf ours theirs
	check "extract $name" "$lifeboat" extract -c "$conf" \
		"$bundles/$name.raucb" ours
	unsquashfs -n -d theirs "$bundles/$name.raucb" >out 2>err
	check "extracted $name" diff -r ours theirs
	(cd ours && find . -type f -printf '%P %m %s\n' | sort) >ours.list
	(cd theirs && find . -type f -printf '%P %m %s\n' | sort) >theirs.list
	check "modes of $name" diff ours.list theirs.list
done
# more files than a process may have open
mkdir many
for i in $(seq 100); do
	head -c 500 /dev/urandom >"many/$i"
done
mksquashfs many many.img -no-progress -quiet >out 2>err
"$top/tests/data/remake.py" many.img "$certs/signer.pem" "$certs/signer.key" \
	many.raucb
check 'extract many files' "$lifeboat" extract --keyring="$certs/root.pem" \
	many.raucb many-ours
check 'all of them' diff -r many many-ours
# a long silence would be taken for a stall
check 'extract tells how far it is' script -qec \
	"'$lifeboat' extract -c '$conf' '$good' told" /dev/null
said 'of the files, too' 'writing: '
check 'extract does not write over files' not "$lifeboat" extract -c "$conf" \
	"$good" ours
cp "$good" flipped.raucb
printf 'X' | dd of=flipped.raucb bs=1 seek=300000 conv=notrunc 2>/dev/null
check 'extract of a damaged bundle' not "$lifeboat" extract -c "$conf" \
	flipped.raucb none
check 'leaves nothing' test -z "$(ls none)"

# ---- install, status, marks

device
check install run install "$good"
said 'install says where' 'installed 2024.1 to .*rootfs.1'
check 'rootfs' cmp -n "$(wc -c <"$bundles/rootfs.ext4")" b.rootfs \
	"$bundles/rootfs.ext4"
check 'kernel' cmp -n "$(wc -c <"$bundles/kernel.img")" b.kernel \
	"$bundles/kernel.img"
check 'the other group is as it was' cmp -n 3 a.rootfs a.kernel
env_is()
{
	fw_printenv -c fw.conf | sort >env.out
	sort >env.want
	diff env.want env.out
}
check 'environment after install' env_is <<'END'
BOOT_A_LEFT=3
BOOT_B_LEFT=3
BOOT_ORDER=B A
foo=bar
x=1
END
check 'status' run status
said 'status shows the primary' 'Activated: *rootfs.1 (B)'
for format in shell json json-pretty; do
	check "status as $format" run status --output-format=$format
done
cp out status.json
check 'JSON is JSON' python3 -m json.tool status.json
printf '%s\n' "$work/none 0x0 0x2000" >none.conf
check 'status without an environment' run status --fw-env-config=none.conf
said 'shows the slots' 'rootfs.1'
said 'and why the boot state is unknown' 'State: *unknown: .*\[boot-env-io\]'
check 'a mark without an environment' not run status mark-bad rootfs.1 \
	--fw-env-config=none.conf
head -c 16384 /dev/zero >zeros
printf '%s\n' "$work/zeros 0x0 0x2000" "$work/zeros 0x2000 0x2000" >zeros.conf
for mark in good bad active; do
	check "mark-$mark in no valid environment" not run status \
		mark-$mark rootfs.1 --fw-env-config=zeros.conf
	said 'it is not claimed' '\[boot-env-crc\]'
done
check 'nor touched' cmp -n 16384 zeros /dev/zero
if [ ! -e /etc/fw_env.config ]; then
	check 'status without fw_env.config' "$lifeboat" --conf="$conf" status
	said 'says so' 'State: *unknown: .*fw_env.config \[boot-config\]'
fi
check 'mark-bad' run status mark-bad rootfs.1
check 'mark-bad in the environment' env_is <<'END'
BOOT_A_LEFT=3
BOOT_B_LEFT=0
BOOT_ORDER=A
foo=bar
x=1
END
check 'mark-active' run status mark-active rootfs.1
check 'mark-active in the environment' env_is <<'END'
BOOT_A_LEFT=3
BOOT_B_LEFT=3
BOOT_ORDER=B A
foo=bar
x=1
END
fw_setenv -c fw.conf BOOT_B_LEFT 1
check 'mark-good' run status --override-boot-slot=B mark-good
check 'mark-good in the environment' sh -c \
	'fw_printenv -c fw.conf BOOT_B_LEFT | grep -q =3'
check 'mark-bad other' run status --override-boot-slot=B mark-bad other
check 'other is the one that is not booted' sh -c \
	'fw_printenv -c fw.conf BOOT_A_LEFT | grep -q =0'
check 'booted is not known' not run status \
	--override-boot-slot=_external_ mark-good
check 'a slot without bootname' not run status mark-good kernel.0
check 'mark-active with nothing open' to nothing run status mark-active rootfs.0
check 'in the environment' sh -c \
	'fw_printenv -c fw.conf BOOT_ORDER | grep -qx "BOOT_ORDER=A B"'
check 'status with nothing to write to' not to nothing run status
# a slot that somebody uses
truncate -s 8M mounted.img
mke2fs -q -t ext4 mounted.img
mkdir -p mounted
if mount -o loop mounted.img mounted 2>err; then
	loop=$(findmnt -no SOURCE mounted)
	sed "s,^device=b.rootfs,device=$loop," system.conf >mounted.conf
	check 'a mounted slot' not run install --conf=mounted.conf \
		--override-boot-slot=A "$good"
	said 'is named' "$loop is mounted \[target-mounted\]"
	umount mounted
	check 'which keeps its content' e2fsck -fn mounted.img
fi
check 'booted group is not written' run install --override-boot-slot=B "$good"
check 'so A was' cmp -n 4096 a.rootfs "$bundles/rootfs.ext4"

# ---- the processes at work

mkdir big
head -c 60000000 /dev/urandom >big/rootfs.img
printf '%s\n' '[update]' compatible=Test version=3 '[bundle]' format=verity \
	'[image.rootfs]' filename=rootfs.img >big/manifest.raucm
"$top/keys/mkpki.sh" pki >err 2>&1
rauc bundle --cert=pki/dev-signer.cert.pem --key=pki/dev-signer.key.pem \
	big big.raucb >err 2>&1
ring=$work/pki/keyring.pem
device

# start: an install of the large bundle in the background
start()
{
	"$lifeboat" install -c "$conf" --fw-env-config=fw.conf \
		--keyring="$ring" --override-boot-slot=A big.raucb \
		>install.out 2>install.err &
	pid=$!
	children=
	for _ in $(seq 200); do
		children=$(cat "/proc/$pid/task/$pid/children" 2>/dev/null || :)
		# shellcheck disable=SC2086 # one number a word
		set -- $children
		[ $# -lt 2 ] || break
		sleep 0.01
	done
}

start
for child in $children; do
	status=/proc/$child/status
	for _ in $(seq 100); do
		! grep -q '^Seccomp:.2$' "$status" || break
		sleep 0.001
	done
	# held before there is anything it may write
	kill -STOP "$child"
done
for child in $children; do
	status=/proc/$child/status
	check 'seccomp' grep -q '^Seccomp:.2$' "$status"
	check 'no new privileges' grep -q '^NoNewPrivs:.1$' "$status"
	check 'no capability' grep -q '^CapEff:.0000000000000000$' "$status"
	check 'none to get either' grep -q '^CapPrm:.0000000000000000$' "$status"
	if [ "$(id -u)" = 0 ]; then
		check 'nobody' grep -q '^Uid:.65534.65534.65534.65534$' "$status"
		check 'a handful of descriptors' test \
			"$(find "/proc/$child/fd" -type l | wc -l)" -le 9
		check 'none of them writable yet, but sockets' sh -c "
			for f in /proc/$child/fd/*; do
				case \$(readlink \$f) in
				socket:*) ;;
				*) grep -q '^flags:.*[12]\$' \
				/proc/$child/fdinfo/\${f##*/} && exit 1 ;;
				esac
			done
			exit 0"
	fi
done
# shellcheck disable=SC2086 # one number a word
kill -CONT $children
rc=0
wait "$pid" || rc=$?
check 'the large install' test $rc = 0
check 'its content' cmp -n 60000000 b.rootfs big/rootfs.img

# Any process, any moment: a reason, no process left, and either nothing was
# begun or the slot cannot be booted; then it works again.
for delay in 0 0.1 0.2 0.4 0.6 0.8 1.1 1.4; do
	for which in 1 2 owner; do
		device
		start
		sleep $delay
		case $which in
		1) victim=${children%% *} ;;
		2)
			victim=${children% }
			victim=${victim##* }
			;;
		owner) victim=$pid ;;
		esac
		kill -9 "${victim:-$pid}" 2>/dev/null || :
		rc=0
		wait "$pid" 2>/dev/null || rc=$?
		if [ $rc = 0 ]; then
			check "finished before $delay" cmp -n 60000000 \
				b.rootfs big/rootfs.img
			continue
		fi
		[ $which = owner ] || check "reason, $which after $delay" \
			grep -q '\[worker-died\]' install.err
		for _ in $(seq 100); do
			left=
			for child in $children; do
				[ ! -d "/proc/$child" ] || left=$child
			done
			[ -n "$left" ] || break
			sleep 0.02
		done
		check "no process left, $which after $delay" test -z "$left"
		begun=$(fw_printenv -c fw.conf BOOT_B_LEFT 2>err)
		head -c 3 b.rootfs >head.was
		if [ "$begun" = BOOT_B_LEFT=0 ]; then
			check "bad, $which after $delay" sh -c \
				'fw_printenv -c fw.conf BOOT_ORDER | grep -qx BOOT_ORDER=A'
		else
			check "untouched, $which after $delay" \
				grep -q old head.was
		fi
		check "the other group, $which after $delay" \
			grep -q '^old' a.rootfs
	done
done
check 'and again' run install --keyring="$ring" --override-boot-slot=A \
	big.raucb
check 'all there' cmp -n 60000000 b.rootfs big/rootfs.img

echo "cli: $passed passed, $failed failed"
[ "$failed" = 0 ]
