# SPDX-License-Identifier: 0BSD
#
# What is linked into lifeboat, pinned: the key as apt knows it, then
# version and SHA-256 (of the .deb, or of the .dsc, which holds those of the
# source files). src/deps.sh reads this file. A package that is gone from the
# archive is replaced by the newest of the release, which is said loudly and
# shown by lifeboat --version; a file that does not match is an error.
# Kernels, boot loaders and QEMU belong to the tests and are not pinned.

# src:bearssl
PIN_bearssl = 0.6+dfsg.1-3 9bd17e07fc9824b0223dcb4ba14adac17981a4d8f1d63b6655819fe8f2ed98d1
# src:libdeflate
PIN_libdeflate = 1.14-1 1f82791c5ac5623ed110e09cc991471deebfe4c419414392d1242e122c6f4c19
# src:libzstd
PIN_libzstd = 1.5.4+dfsg2-5 8f602f92b575aa8b5e979196fb6ee82d78f233521dc9636526d3ecba1f63c1b1
# src:busybox
PIN_busybox = 1:1.35.0-4+deb12u1 9c01fe128b0eeded371c70e37d474fdb5055f71b5d0a778db44c6b0c62d3a7fa
# src:lz4
PIN_lz4 = 1.9.4-1 e16302bca544d08d106efc216541f4a0403c8f8a5fad5eaac7588223a55af263
# musl-dev:amd64
PIN_musl-dev_amd64 = 1.2.3-1 7c34f29a0c1aa12f6da1d25ed6de6fe6bbd9e048ee76b3dcb88c5e51fb65507f
# musl-dev:arm64
PIN_musl-dev_arm64 = 1.2.3-1 55c2ca4bc3041c8ed8ac7dc3ef6080d9551a21650568b2fd7610b59eaf98a4f4
# musl-dev:armhf
PIN_musl-dev_armhf = 1.2.3-1 3a9dbb8ae66716f117dce87558fb47a161db0eebf0700cc6bf84ef6871ce7d38
# libclang-rt-14-dev:amd64
PIN_libclang-rt-14-dev_amd64 = 1:14.0.6-12 180c4d27fdc912e2e5de21f383aff07d27e1745c34591a41e4d12ff70be54764
# libclang-rt-14-dev:arm64
PIN_libclang-rt-14-dev_arm64 = 1:14.0.6-12 26044ab85590cce84cefb45462d33c95d716a60ea7a14b5bf35bede61ee1e9ec
# libclang-rt-14-dev:armhf
PIN_libclang-rt-14-dev_armhf = 1:14.0.6-12 140d18eada131d45934c22860f3cb465c8d3e25cfdd8fefa69149cda9667e991
