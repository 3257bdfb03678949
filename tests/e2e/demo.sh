#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# What `make demo` shows: builds the board and everything the device and the
# stick need, then rescues a device that no longer boots, in QEMU.
set -eu
cd "$(dirname "$0")/../.."
begin=$(date +%s.%N)
echo "building lifeboat for qemu-arm64 (downloads come first on a fresh machine)"
make --no-print-directory BOARD=qemu-arm64 all build/qemu-arm64/kernel/slot/version
export PATH="$PATH:/sbin:/usr/sbin"
exec python3 tests/e2e/demo.py "$begin"
