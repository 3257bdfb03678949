# SPDX-License-Identifier: 0BSD
# 32-bit ARM: built, not booted.
ARCH := armhf
