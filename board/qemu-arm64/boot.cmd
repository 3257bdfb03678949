# SPDX-License-Identifier: 0BSD
#
# Boot script of an A/recovery device: RAUC's BOOT_ORDER and BOOT_A_LEFT
# decide between slot A and the recovery system. mkimage turns this file into
# boot.scr on the recovery partition.
#
# The variables live in two redundant copies on the partition "env", in the
# format of U-Boot and libubootenv: CRC32 (4), flag (1), data (4091). This
# U-Boot only knows copies without a flag, so the flag is cut out before
# `env import` and put in after `env export`. Variables that are not ours are
# kept: the firmware's own environment is set aside while the block is in use.
#
# Always true:
# - an attempt is counted, written and read back before slot A is started;
#   where that fails, slot A is not started;
# - the script never resets and never starts over: what cannot be started
#   leads to recovery in the same run.
#
# lb_* are environment variables, lbx_* the shell's own: those outlive the
# import of another environment, which must hold no lbx_*. Numbers are
# hexadecimal, as everywhere in U-Boot. Memory: 40400000 kernel, 44000000
# ramdisk, 50000000 copy 0, 50010000 copy 1, 50020000 work, 50030000 read back,
# 50100000 firmware's own.

echo "lifeboat boot: start"
lbx_sect0=
lbx_sect1=
lbx_current=
lbx_slot=
lbx_saved=
lbx_why="no slot has attempts left"

mw.b 50000000 0 10000
mw.b 50010000 0 10000
if part start nvme 0 env lb_start; then
	lbx_sect0=${lb_start}
	setexpr lb_start ${lb_start} + 80
	lbx_sect1=${lb_start}
	nvme read 50000000 ${lbx_sect0} 8
	nvme read 50010000 ${lbx_sect1} 8
fi
setexpr.b lb_flag0 *50000004
setexpr.b lb_flag1 *50010004
lbx_flag0=${lb_flag0}
lbx_flag1=${lb_flag1}
lbx_newer=0
if test ${lb_flag0} = ff -a ${lb_flag1} = 0; then
	lbx_newer=1
elif test ${lb_flag0} = 0 -a ${lb_flag1} = ff; then
	lbx_newer=0
elif test 0x${lb_flag1} -gt 0x${lb_flag0}; then
	lbx_newer=1
fi

# Cut the flags out: CRC and data become neighbours, fff bytes in all.
cp.b 50000000 50020000 4
cp.b 50020000 50000001 4
cp.b 50010000 50020000 4
cp.b 50020000 50010001 4
env export -c -s 40000 50100000

# The newer copy last, so that it is the one that stays if both are valid.
if test ${lbx_newer} = 1; then
	env import -d -c 50000001 fff && lbx_current=0
	env import -d -c 50010001 fff && lbx_current=1
else
	env import -d -c 50010001 fff && lbx_current=1
	env import -d -c 50000001 fff && lbx_current=0
fi
if test -z "${lbx_current}"; then
	echo "lifeboat boot: the environment is damaged, starting a new one"
	setenv BOOT_ORDER A
	setenv BOOT_A_LEFT 3
	env export -c -s fff 50020000 BOOT_ORDER BOOT_A_LEFT
	env import -d -c 50020000 fff
fi
test -n "${BOOT_ORDER}" || setenv BOOT_ORDER A
test -n "${BOOT_A_LEFT}" || setenv BOOT_A_LEFT 3
test 0x${BOOT_A_LEFT} -gt 9 && setenv BOOT_A_LEFT 9
echo "lifeboat boot: BOOT_ORDER=${BOOT_ORDER} BOOT_A_LEFT=${BOOT_A_LEFT}"

for lbx_name in ${BOOT_ORDER}; do
	if test -z "${lbx_slot}" -a "x${lbx_name}" = xA; then
		if test 0x${BOOT_A_LEFT} -gt 0; then
			lbx_slot=A
		fi
	fi
done

if test -n "${lbx_slot}"; then
	setexpr BOOT_A_LEFT ${BOOT_A_LEFT} - 1
	lbx_left=${BOOT_A_LEFT}
	env export -c -s fff 50020001
	if test "x${lbx_current}" = x0; then
		setexpr lb_flag ${lbx_flag0} + 1
		lbx_target=${lbx_sect1}
	elif test "x${lbx_current}" = x1; then
		setexpr lb_flag ${lbx_flag1} + 1
		lbx_target=${lbx_sect0}
	else
		setenv lb_flag 1
		lbx_target=${lbx_sect0}
	fi
	cp.b 50020001 50020000 4
	mw.b 50020004 ${lb_flag} 1
	mw.b 50030000 0 1000
	# Two NULs end the data; where they are missing, not all had room.
	setexpr.w lb_end *50020ffe
	if test -n "${lbx_target}" -a ${lb_end} = 0; then
		nvme write 50020000 ${lbx_target} 8 && nvme read 50030000 ${lbx_target} 8 && cmp.b 50020000 50030000 1000 && lbx_saved=1
	fi
fi
env import -d -c 50100000 40000

if test -n "${lbx_saved}"; then
	echo "lifeboat boot: slot A, ${lbx_left} attempts left after this one"
	lbx_why="kernel.0 cannot be read"
	if part start nvme 0 kernel.0 lb_start && part size nvme 0 kernel.0 lb_size && nvme read 40400000 ${lb_start} 8; then
		lbx_why="kernel.0 holds no arm64 kernel"
		setexpr.l lb_magic *40400038
		if test ${lb_magic} = 644d5241; then
			# The header's size counts the memory behind the
			# file too: the partition may end before it.
			setexpr.l lb_count *40400010
			setexpr lb_count ${lb_count} + 1ff
			setexpr lb_count ${lb_count} / 200
			if test 0x${lb_count} -gt 0x${lb_size}; then
				setenv lb_count ${lb_size}
			fi
			lbx_why="kernel.0 cannot be read"
			if nvme read 40400000 ${lb_start} ${lb_count}; then
				setenv bootargs "console=ttyAMA0 panic=1 root=PARTLABEL=rootfs.0 ro rauc.slot=A"
				booti 40400000 - ${fdtcontroladdr}
				lbx_why="kernel.0 cannot be started"
			fi
		fi
	fi
elif test -n "${lbx_slot}"; then
	lbx_why="the environment cannot be written, or is full"
fi

echo "lifeboat boot: recovery: ${lbx_why}"
setenv bootargs "console=ttyAMA0 panic=5 loglevel=4 rauc.external"
part number nvme 0 recovery lb_part
load nvme 0:${lb_part} 40400000 Image && load nvme 0:${lb_part} 44000000 initramfs.cpio.gz && booti 40400000 44000000:${filesize} ${fdtcontroladdr}
echo "lifeboat boot: the recovery system cannot be started"
