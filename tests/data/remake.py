#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""remake.py PAYLOAD CERT KEY OUT [MANIFEST]: a bundle around any payload,
squashfs or not: hash tree, manifest, signature, all of them right. The
manifest's text has @TREE@ where the verity keys belong."""

import hashlib
import struct
import subprocess
import sys

SALT = bytes(range(32))
MANIFEST = """[update]
compatible=Test
version=1

[bundle]
format=verity
@TREE@
[image.kernel]
sha256=70fe6ca3c38cb2a3a3a0b4ec4eb2aea2d7fc4d3d84e3b8e0bd2b0a3c5ac9f7a1
size=70001
filename=kernel.img
"""


def tree(data):
    levels = []
    blocks = data
    while True:
        hashes = b"".join(
            hashlib.sha256(SALT + blocks[i:i + 4096]).digest()
            for i in range(0, len(blocks), 4096))
        if len(blocks) == 4096 and levels:
            return b"".join(reversed(levels)), hashes
        blocks = hashes + bytes(-len(hashes) % 4096)
        levels.append(blocks)


def main():
    payload, cert, key, out = sys.argv[1:5]
    text = open(sys.argv[5]).read() if len(sys.argv) > 5 else MANIFEST
    data = open(payload, "rb").read()
    data += bytes(-len(data) % 4096)
    levels, root = tree(data)
    text = text.replace("@TREE@", "verity-hash=%s\nverity-salt=%s\n"
                        "verity-size=%d\n" % (root.hex(), SALT.hex(),
                                              len(levels)))
    cms = subprocess.run(
        ["openssl", "cms", "-sign", "-binary", "-nodetach", "-nosmimecap",
         "-md", "sha256", "-outform", "DER", "-signer", cert, "-inkey", key],
        input=text.encode(), stdout=subprocess.PIPE, check=True).stdout
    with open(out, "wb") as f:
        f.write(data + levels + cms + struct.pack(">Q", len(cms)))


main()
