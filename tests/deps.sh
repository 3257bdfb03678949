#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# deps.sh: what src/deps.sh does with pins, against an archive of our own:
# apt-get and apt-cache are replaced by a few lines that serve one package.
# Last line: "deps: N passed, N failed".
set -eu
cd "$(dirname "$0")/.."

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
passed=0
failed=0
mkdir -p "$tmp/src" "$tmp/bin" "$tmp/archive"
cp src/deps.sh "$tmp/src/"
: >"$tmp/calls"

cat >"$tmp/bin/apt-get" <<'EOT'
#!/bin/sh
echo "$*" >>"$ARCHIVE/../calls"
for last; do :; done
case "$*" in
*indextargets*) echo "http://x/ $(. /etc/os-release; echo "$VERSION_CODENAME") main" ;;
*download*) cp "$ARCHIVE/tool_${last#*=}_arm64.deb" . ;;
esac
EOT
cat >"$tmp/bin/apt-cache" <<'EOT'
#!/bin/sh
for f in "$ARCHIVE"/*.deb; do
	v=${f#*/tool_}
	echo "Version: ${v%_arm64.deb}"
done
EOT
chmod +x "$tmp/bin/apt-get" "$tmp/bin/apt-cache"

# fetch: runs deps.sh on the fake archive
fetch()
{
	ARCHIVE=$tmp/archive CACHE=$tmp/cache PATH=$tmp/bin:$PATH \
		"$tmp/src/deps.sh" "$@" >"$tmp/out" 2>"$tmp/err"
}

pin()
{
	printf '# tool:arm64\nPIN_tool = %s %s\n' "$1" "$2" >"$tmp/src/deps.mk"
}

check()
{
	if eval "$2"; then
		passed=$((passed + 1))
	else
		echo "failed: $1"
		cat "$tmp/out" "$tmp/err"
		failed=$((failed + 1))
	fi
}

echo one >"$tmp/archive/tool_1.0-1_arm64.deb"
sum=$(sha256sum <"$tmp/archive/tool_1.0-1_arm64.deb" | cut -d' ' -f1)
wrong=$(echo other | sha256sum | cut -d' ' -f1)

pin 1.0-1 "$sum"
check "the pinned version is fetched" 'fetch fetch tool:arm64'
check "and is the right file" 'grep -q one "$(cat "$tmp/out")"'
check "in silence" '[ ! -s "$tmp/err" ]'
: >"$tmp/calls"
check "a second time from the cache" 'fetch fetch tool:arm64 && [ ! -s "$tmp/calls" ]'

pin 1.0-1 "$wrong"
check "a cached file with another hash is refused" '! fetch fetch tool:arm64'
check "a fetched file with another hash is refused" '! fetch fetch tool:arm64'
check "with a word about it" 'grep -q "not the pinned one" "$tmp/err"'
pin 1.0-1 "$sum"
check "and is not kept" 'fetch fetch tool:arm64'

rm -rf "$tmp/cache"
mv "$tmp/archive/tool_1.0-1_arm64.deb" "$tmp/archive/tool_1.0-9_arm64.deb"
echo ten >"$tmp/archive/tool_1.0-10_arm64.deb"
check "a pinned version that is gone is replaced" 'fetch fetch tool:arm64'
check "by the newest one" 'grep -q ten "$(cat "$tmp/out")"'
check "loudly" 'grep -q "1.0-1 is no longer" "$tmp/err"'
check "and the version says so" 'fetch version tool:arm64 && [ "$(cat "$tmp/out")" = 1.0-10 ]'
: >"$tmp/calls"
check "from the cache, loudly again" 'fetch fetch tool:arm64 && [ -s "$tmp/err" ] && [ ! -s "$tmp/calls" ]'

: >"$tmp/src/deps.mk"
rm -rf "$tmp/cache"
check "an unpinned package is taken in its newest version" \
	'fetch version tool:arm64 && [ "$(cat "$tmp/out")" = 1.0-10 ]'
check "in silence, too" '[ ! -s "$tmp/err" ]'
rm "$tmp"/archive/*
rm -rf "$tmp/cache"
check "a package that does not exist is an error" '! fetch fetch tool:arm64'

echo "deps: $passed passed, $failed failed"
[ "$failed" = 0 ]
