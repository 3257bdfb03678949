#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""corpora.py VECTORS RAUC TOOL CASE LIFEBOAT [-v]: public test vectors, as
Debian's package python3-cryptography-vectors has them, put to corpus_tool and
trust_case:

    NIST's PKITS: every signed message, its path and its CRLs; against the
    verdict in its name and against openssl cms -verify on the same keyring
    NIST's FIPS 186-3 signature verification: ECDSA, RSA PKCS#1 v1.5, RSA-PSS
    every certificate there is: what we read, openssl reads alike

and the bundles, signatures and keyrings of RAUC's own tests (the folder test
of its source), put to lifeboat and rauc, trust_case and openssl.

Whatever is refused although the vectors say that it is valid has to have one
of the reasons below. Ends with "NAME: N passed, N failed" for each part."""

import base64
import calendar
import collections
import os
import re
import subprocess
import sys
import time

VECTORS, RAUC, TOOL, CASE, LIFEBOAT = sys.argv[1:6]
VERBOSE = "-v" in sys.argv
PKITS = os.path.join(VECTORS, "x509", "PKITS_data")

PATHS_ACCEPTED = 41  # of those that PKITS calls valid

# Reasons for which we refuse what PKITS calls valid.
STRICTER = {
    "certificate-critical-extension":
        "policies and name constraints are not implemented",
    "crl-unusable": "CRLs in parts, indirect ones and deltas are not",
    "crl-missing":
        "a CRL counts when the key that signed the certificate signed it",
    "certificate-revoked": "a hold counts, and no delta lifts it",
    "signature-algorithm": "DSA is not",
    "signer-unknown": "names are compared byte by byte",
}
RINGS = ("dev-ca.pem", "rel-ca.pem", "dev-only-ca.pem", "root-ca.pem",
         "provisioning-ca.pem", "dev-partial-ca.pem", "rel-partial-ca.pem",
         "web-ca.pem")
KEYS = ("", "rsa-4096/private-key-000.pem", "ecc/private-key-000.pem")
# They differ from a valid one in that somebody has asked for a policy, which
# nobody can ask of RAUC; openssl takes them too.
POLICY = re.compile(r"Polic|AnyPolicy|Qualifier")


class Count:
    def __init__(self, name):
        self.name = name
        self.passed = self.failed = 0
        self.kinds = collections.Counter()

    def check(self, good, text):
        if good:
            self.passed += 1
        else:
            self.failed += 1
            print("FAILED %s: %s" % (self.name, text))

    def end(self):
        for kind, n in sorted(self.kinds.items()):
            print("    %5d  %s" % (n, kind))
        print("%s: %d passed, %d failed" % (
            self.name, self.passed, self.failed), flush=True)
        return self.failed == 0 and self.passed > 0


def run(*args, data=None):
    done = subprocess.run(args, input=data, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.decode("utf-8", "replace")


def read(path, mode="r"):
    with open(path, mode) as f:
        return f.read()


class Tool:
    def __init__(self):
        self.process = subprocess.Popen(
            [TOOL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write(" ".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().rstrip("\n")
        if not answer:
            raise SystemExit("corpus_tool died of: " + " ".join(words)[:2000])
        return answer


# ---- DER

def tlv(tag, *parts):
    body = b"".join(parts)
    n = len(body)
    if n < 0x80:
        length = bytes([n])
    else:
        octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + length + body


def oid(text):
    first, second, *rest = map(int, text.split("."))
    out = bytes([40 * first + second])
    for arc in rest:
        octets = [arc & 0x7f]
        while arc > 0x7f:
            arc >>= 7
            octets.append(0x80 | arc & 0x7f)
        out += bytes(reversed(octets))
    return tlv(6, out)


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def elements(der):
    """The parts of a constructed element, each whole."""
    def size(at):
        n = der[at + 1]
        if n < 0x80:
            return 2, n
        return 2 + n - 0x80, int.from_bytes(der[at + 2:at + n - 0x7e], "big")
    at = size(0)[0]
    while at < len(der):
        head, length = size(at)
        yield der[at:at + head + length]
        at += head + length


def without_crls(cms):
    """A SignedData without the CRLs it brings along, which nobody signed: with
    check-crl lifeboat takes such a message for an attempt to be helped."""
    kind, content = elements(cms)
    signed = next(elements(content))
    return tlv(0x30, kind, tlv(0xa0, tlv(0x30, *(
        e for e in elements(signed) if e[0] != 0xa1))))


def certificates_in(cms):
    signed = next(elements(list(elements(cms))[1]))
    return [c for e in elements(signed) if e[0] == 0xa0 for c in elements(e)]


NULL = tlv(5)
HASHES = {"SHA1": "1.3.14.3.2.26", "SHA224": "2.16.840.1.101.3.4.2.4",
          "SHA256": "2.16.840.1.101.3.4.2.1",
          "SHA384": "2.16.840.1.101.3.4.2.2",
          "SHA512": "2.16.840.1.101.3.4.2.3"}
NUMBER = {"SHA1": 1, "SHA224": 4, "SHA256": 2, "SHA384": 3, "SHA512": 4}
PKCS1 = {"SHA1": 5, "SHA224": 14, "SHA256": 11, "SHA384": 12, "SHA512": 13}
ECDSA = {"SHA1": "1", "SHA224": "3.1", "SHA256": "3.2", "SHA384": "3.3",
         "SHA512": "3.4"}
CURVES = {"P-256": "1.2.840.10045.3.1.7", "P-384": "1.3.132.0.34",
          "P-521": "1.3.132.0.35"}


def rsa_key(n, e):
    return tlv(0x30, tlv(0x30, oid("1.2.840.113549.1.1.1"), NULL), tlv(
        3, b"\0", tlv(0x30, integer(n), integer(e))))


def pss(name, salt):
    alg = tlv(0x30, oid(HASHES[name]), NULL)
    return tlv(0x30, oid("1.2.840.113549.1.1.10"), tlv(
        0x30, tlv(0xa0, alg),
        tlv(0xa1, tlv(0x30, oid("1.2.840.113549.1.1.8"), alg)),
        tlv(0xa2, integer(salt))))


# ---- signatures

def records(path):
    """Dictionaries of a CAVS file; the last [x] is under "section"."""
    section, held = "", {}
    for line in read(path).splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif " = " in line:
            key, value = line.split(" = ", 1)
            held[key] = value
            if key == "Result":
                yield dict(held, section=section)


def signatures(tool):
    """Whatever the vectors call false is refused, whatever they call true is
    accepted, but for keys and hashes that are not offered."""
    good = True
    folder = os.path.join(VECTORS, "asymmetric")
    parts = (("ECDSA, FIPS 186-3", "ECDSA/FIPS_186-3/SigVer.rsp"),
             ("RSA PKCS#1 v1.5, FIPS 186-3", "RSA/FIPS_186-2/"
              "SigVer15_186-3.rsp"),
             ("RSA-PSS, FIPS 186-3", "RSA/FIPS_186-2/SigVerPSS_186-3.rsp"))
    for name, path in parts:
        count = Count(name)
        for r in records(os.path.join(folder, path)):
            if "ECDSA" in name:
                curve, md = r["section"].replace("SHA-", "SHA").split(",")
                if curve not in CURVES:
                    count.kinds["other curves, not asked"] += 1
                    continue
                size = (int(curve[2:]) + 7) // 8
                point = b"\4" + b"".join(
                    int(r[q], 16).to_bytes(size, "big") for q in ("Qx", "Qy"))
                spki = tlv(0x30, tlv(0x30, oid("1.2.840.10045.2.1"), oid(
                    CURVES[curve])), tlv(3, b"\0", point))
                alg = tlv(0x30, oid("1.2.840.10045.4." + ECDSA[md]))
                value = tlv(0x30, integer(int(r["R"], 16)),
                            integer(int(r["S"], 16)))
            else:
                md = r["SHAAlg"]
                spki = rsa_key(int(r["n"], 16), int(r["e"], 16))
                value = bytes.fromhex(r["S"])
                if "PSS" in name:
                    alg = pss(md, len(bytes.fromhex(r["SaltVal"])))
                else:
                    alg = tlv(0x30, oid("1.2.840.113549.1.1.%d" % PKCS1[md]),
                              NULL)
            if re.search("mod = (1024|1536)", r["section"]):
                count.kinds["keys below 2048 bits, not asked"] += 1
                continue
            answer = tool.ask("sign", spki.hex(), alg.hex(), r["Msg"],
                              value.hex())
            want = "yes" if r["Result"].startswith("P") else "no"
            offered = answer in ("yes", "no")
            count.kinds["%s, the vectors say %s" % (
                answer if offered else answer + " not offered", want)] += 1
            what = "%s %s %s: %s" % (r["section"], md, r["Result"], answer)
            count.check(answer == want or not offered, what)
            if not offered:
                count.check(md in ("SHA1", "SHA224"), what)
        good &= count.end()
    return good


# ---- certificates

def pem(kind, der):
    text = base64.b64encode(der).decode()
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n" % (
        kind, "\n".join(text[i:i + 64] for i in range(0, len(text), 64)), kind)


def unpem(text):
    """The first element of a PEM file."""
    return base64.b64decode(re.search(
        rb"-----BEGIN [A-Z0-9 ]*-----\s*([A-Za-z0-9+/=\s]+)-----END",
        text).group(1))


def names_of(cert):
    """(subject, issuer) of a certificate, in DER."""
    part = [e for e in elements(next(elements(cert))) if e[0] != 0xa0]
    return part[4], part[2]


def issuer_of(crl):
    part = [e for e in elements(next(elements(crl))) if e[0] != 2]
    return part[1]


def certificates(tool, work):
    count = Count("certificates")
    for folder, _, files in os.walk(os.path.join(VECTORS, "x509")):
        for file in sorted(files):
            path = os.path.join(folder, file)
            if not file.endswith((".pem", ".der", ".crt")):
                continue
            data = read(path, "rb")
            if b"-----BEGIN" in data:
                data = unpem(data)
            der = os.path.join(work, "cert.der")
            with open(der, "wb") as f:
                f.write(data)
            rc, text = run("openssl", "x509", "-inform", "DER", "-in", der,
                           "-noout", "-serial", "-dates", "-ext",
                           "basicConstraints")
            answer = tool.ask("cert", der)
            if not answer.startswith("ok"):
                count.kinds["refused by both" if rc else
                            "refused by us alone"] += 1
                if VERBOSE:
                    print(file, answer)
                continue
            count.check(rc == 0, path + ": only we read it")
            if rc != 0:
                continue
            _, serial, start, end, ca = answer.split()
            dates = [calendar.timegm(time.strptime(
                re.search(w + r"=(.*) GMT", text).group(1),
                "%b %d %H:%M:%S %Y")) for w in ("notBefore", "notAfter")]
            theirs = (int(re.search(r"serial=(\S+)", text).group(1), 16),
                      dates, "CA:TRUE" in text)
            ours = (int.from_bytes(bytes.fromhex(serial), "big", signed=True),
                    [int(start), int(end)], ca == "1")
            count.check(ours == theirs, "%s: %r, openssl: %r" % (
                path, ours, theirs))
            count.kinds["read by both"] += 1
    return count.end()


# ---- paths

def pkits(work):
    """Accepted means: PKITS says valid, and openssl accepts it on the same
    keyring; refused but valid has a reason of STRICTER."""
    count = Count("PKITS")
    anchor = read(os.path.join(PKITS, "certs", "TrustAnchorRootCertificate.crt"),
                  "rb")
    crls = collections.defaultdict(list)
    for file in sorted(os.listdir(os.path.join(PKITS, "crls"))):
        crl = read(os.path.join(PKITS, "crls", file), "rb")
        crls[issuer_of(crl)].append(pem("X509 CRL", crl))
    cms, content = os.path.join(work, "m.cms"), os.path.join(work, "m.txt")
    ring = os.path.join(work, "ring.pem")
    for file in sorted(os.listdir(os.path.join(PKITS, "smime"))):
        text = read(os.path.join(PKITS, "smime", file), "rb").replace(
            b"\r\n", b"\n")
        mark = b"\n--" + re.search(rb'boundary="([^"]+)"', text).group(1)
        part = text.split(mark)
        with open(content, "wb") as f:
            f.write(part[1][1:].replace(b"\n", b"\r\n"))
        der = base64.b64decode(part[2].split(b"\n\n", 1)[1])
        with open(cms, "wb") as f:
            f.write(without_crls(der))
        issuers = {name for cert in certificates_in(der) + [anchor]
                   for name in names_of(cert)}
        with open(ring, "w") as f:
            f.write(pem("CERTIFICATE", anchor) + "".join(
                crl for name in sorted(issuers) for crl in crls[name]))
        _, ours = run(CASE, ring, cms, "content=" + content, "crl=1",
                      "purpose=any", "time=clock")
        rc, theirs = run("openssl", "cms", "-verify", "-binary", "-inform",
                         "DER", "-in", cms, "-content", content, "-CAfile",
                         ring, "-no-CApath", "-no-CAstore", "-crl_check_all",
                         "-purpose", "any", "-out", "/dev/null")
        reason = ours.split(":")[0].strip()
        name = file[len("Signed"):-len(".eml")]
        valid = not re.match("Invalid|Missing", name)
        if VERBOSE:
            print("%-55s %-32s openssl %d" % (name, reason, rc))
        if reason == "ok":
            count.check(valid or POLICY.search(name), name + ": we accept it")
            count.check(rc == 0, name + ": openssl refuses it: " + theirs)
            count.kinds["accepted" if valid else
                        "accepted, with a policy nobody can ask for"] += 1
        elif valid:
            count.check(reason in STRICTER, "%s: %s" % (name, ours))
            count.kinds["valid, but %s: %s" % (
                reason, STRICTER.get(reason))] += 1
        else:
            count.passed += 1
            count.kinds["invalid, refused"] += 1
    # one that refuses everything is not right either
    count.check(count.kinds["accepted"] >= PATHS_ACCEPTED,
                "fewer paths than before are accepted")
    return count.end()


def rauc_bundles(work):
    """info, of lifeboat and of rauc, under one system.conf."""
    count = Count("bundles of RAUC's tests")
    conf = os.path.join(work, "rauc.conf")
    keys = os.path.join(RAUC, "openssl-enc", "keys")
    for file in sorted(os.listdir(RAUC)):
        if not file.endswith(".raucb"):
            continue
        for ring in RINGS:
            for options in ("", "check-crl=true", "check-purpose=codesign",
                            "allow-partial-chain=true",
                            "check-crl=true\nallow-partial-chain=true"):
                for key in KEYS if "encrypted" in file else ("",):
                    with open(conf, "w") as f:
                        f.write("[system]\ncompatible=Test Config\n"
                                "bootloader=noop\n[keyring]\npath=%s\n%s\n" % (
                                    os.path.join(RAUC, "openssl-ca", ring),
                                    options))
                        if key:
                            f.write("[encryption]\nkey=%s\n" %
                                    os.path.join(keys, key))
                    bundle = os.path.join(RAUC, file)
                    theirs = run("rauc", "-c", conf, "info", bundle)
                    ours = run(LIFEBOAT, "info", "--conf=" + conf, bundle)
                    count.kinds["rauc %s" % (
                        "refuses" if theirs[0] else "accepts")] += 1
                    count.check((theirs[0] == 0) == (ours[0] == 0),
                                "%s %s %s %s:\n%s%s" % (
                                    file, ring, options, key, theirs[1],
                                    ours[1]))
    return count.end()


def rauc_signatures():
    """The detached signatures, and openssl on the same keyring."""
    count = Count("signatures of RAUC's tests")
    folder = os.path.join(RAUC, "openssl-ca")
    manifest = os.path.join(folder, "manifest")
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".sig"):
            continue
        cms = os.path.join(folder, file)
        for ring in RINGS:
            ring = os.path.join(folder, ring)
            for purpose in ("smimesign", "any"):
                for crl in 0, 1:
                    rc, theirs = run(
                        "openssl", "cms", "-verify", "-binary", "-inform",
                        "DER", "-in", cms, "-content", manifest, "-CAfile",
                        ring, "-no-CApath", "-no-CAstore", "-purpose", purpose,
                        "-out", "/dev/null",
                        *(["-crl_check_all"] if crl else []))
                    ours, text = run(CASE, ring, cms, "content=" + manifest,
                                     "crl=%d" % crl, "purpose=" + purpose,
                                     "time=clock")
                    count.kinds["openssl %s" % (
                        "refuses" if rc else "accepts")] += 1
                    count.check((rc == 0) == (ours == 0), "%s %s %s %d:\n%s%s" % (
                        file, ring, purpose, crl, theirs, text))
    return count.end()


def main():
    work = os.getcwd()
    tool = Tool()
    good = signatures(tool)
    good &= certificates(tool, work)
    good &= pkits(work)
    good &= rauc_signatures()
    good &= rauc_bundles(work)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
