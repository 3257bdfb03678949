#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# seeds_exfat.sh: makes the seeds of the target exfat anew, below
# tests/fuzz/corpus.
set -eu
cd "$(dirname "$0")/../.."
tests/diff/exfat_image.py seeds tests/fuzz/corpus/exfat
