#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# Fetches Debian packages, of any architecture, without touching the system's
# apt configuration: apt is given a state of its own under the cache folder.
# Works as any user. Versions and SHA-256 come from src/deps.mk; a package
# that is not named there is taken in its newest version and kept.
#
#   deps.sh fetch NAME[:ARCH]        prints the path of the .deb
#   deps.sh unpack NAME[:ARCH] DIR   unpacks it below DIR
#   deps.sh source NAME DIR          unpacks a source package as DIR
#   deps.sh version NAME[:ARCH]      prints the version that fetch took
#   deps.sh source-version NAME      prints the version that source took
#   deps.sh depends NAME[:ARCH]      prints the first package it depends on:
#                                    linux-image-arm64 -> linux-image-6.1.0-50-arm64
#
# CACHE=DIR (default build/cache) may be shared by several trees.
set -eu

here=$(dirname "$0")
pins=$here/deps.mk
CACHE=${CACHE:-$here/../build/cache}
mkdir -p "$CACHE/deb" "$CACHE/src" "$CACHE/apt"
CACHE=$(cd "$CACHE" && pwd)
state=$CACHE/apt

# One at a time: several builds may share the cache.
if [ "${DEPS_LOCKED:-}" != "$CACHE" ]; then
	DEPS_LOCKED=$CACHE exec flock "$CACHE/lock" "$0" "$@"
fi

die()
{
	echo "deps.sh: $*" >&2
	exit 1
}

run_apt()
{
	tool=$1
	shift
	"$tool" -o "Dir::State=$state/state" \
		-o "Dir::State::lists=$state/lists" \
		-o "Dir::State::status=$state/status" \
		-o "Dir::Cache=$state/cache" \
		-o "Dir::Etc::SourceList=$state/sources.list" \
		-o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::PreferencesParts=/dev/null \
		-o "Dir::Log=$state" \
		-o APT::Architectures::=amd64 -o APT::Architectures::=arm64 \
		-o APT::Architectures::=armhf \
		-o Acquire::Languages=none -o Acquire::Retries=3 \
		-o APT::Sandbox::User= -o DPkg::Pre-Install-Pkgs= \
		-o APT::Update::Post-Invoke-Success= \
		-o APT::Update::Post-Invoke= "$@"
}

# The Debian entries of the system's own sources, whichever file and style
# they are written in, with all architectures and the source packages.
update()
{
	mkdir -p "$state/lists/partial" "$state/cache/archives/partial" \
		"$state/state"
	: >"$state/status"
	# shellcheck disable=SC1091
	release=$(. /etc/os-release && echo "$VERSION_CODENAME")
	ring=/usr/share/keyrings/debian-archive-keyring.gpg
	by=
	[ ! -r "$ring" ] || by=" signed-by=$ring"
	# shellcheck disable=SC2016 # apt fills these in
	apt-get indextargets \
		--format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' | sort -u | awk -v r="$release" \
		-v by="$by" '
		$2 == r || $2 == r "-updates" || $2 == r "-security" {
			print "deb [arch=amd64,arm64,armhf" by "]", $0
			print "deb-src [" substr(by, 2) "]", $0
		}' | sed 's/ \[\]//' >"$state/sources.list"
	[ -s "$state/sources.list" ] ||
		die "no Debian '$release' entries in this system's apt sources"
	# One index that the mirror is just renewing must not stop the rest.
	run_apt apt-get -qq update >&2 ||
		echo "deps.sh: some package lists could not be renewed" >&2
	: >"$state/stamp"
}

have_lists()
{
	[ -e "$state/stamp" ] || update
}

# The pin of "NAME:ARCH" or "src:NAME": "VERSION SHA256", or nothing.
pin()
{
	awk -v want="# $1" '$0 == want { getline; print $3, $4 }' "$pins"
}

sha_is()
{
	echo "$2  $1" | sha256sum -c --status
}

loud()
{
	printf '%s\n' "**********************************************" \
		"deps.sh: $1 $2 is no longer in the archive." \
		"deps.sh: taking $3, the newest of this release." \
		"deps.sh: pin it in src/deps.mk once it is tested." \
		"**********************************************" >&2
}

newest()
{
	case $1 in
	src:*)
		run_apt apt-cache showsrc --only-source "${1#src:}" | awk '
			/^Version:/ { print $2 }' ;;
	*)
		run_apt apt-cache show "$1" | awk '/^Version:/ { print $2 }' ;;
	esac | while read -r v; do
		if [ -z "${best:-}" ] || dpkg --compare-versions "$v" gt "$best"
		then
			best=$v
			echo "$best"
		fi
	done | tail -n 1
}

# download KEY VERSION DIR: leaves the .deb, or the .dsc and its files, in DIR
download()
{
	(
		cd "$3"
		case $1 in
		src:*)
			run_apt apt-get -qq source --download-only --only-source \
				"${1#src:}=$2" ;;
		*)
			run_apt apt-get -qq download "$1=$2" ;;
		esac
	) >&2
}

# get KEY: sets dir (of the files) and version
get()
{
	key=$1
	# shellcheck disable=SC2046 # two words, or none
	set -- $(pin "$key")
	want=${1:-}
	sum=${2:-}
	base=$CACHE/deb/$(echo "$key" | tr : _)
	dir=
	for old in "$base"/*/version; do
		[ -e "$old" ] || continue
		version=$(cat "$old")
		if [ -z "$want" ] || [ "$version" = "$want" ]; then
			dir=${old%/version}
		elif [ -e "${old%/version}/instead-of-$want" ]; then
			dir=${old%/version}
			loud "$key" "$want" "$version"
			break
		fi
	done
	if [ -z "$dir" ]; then
		have_lists
		rm -rf "$base.new"
		mkdir -p "$base.new"
		version=$want
		if [ -z "$want" ] || ! download "$key" "$want" "$base.new"; then
			# The lists may be older than the archive.
			rm -rf "$base.new"
			mkdir -p "$base.new"
			version=$want
			[ -n "$want" ] || version=$(newest "$key")
			if [ -z "$version" ] ||
				! download "$key" "$version" "$base.new"; then
				update
				version=$(newest "$key")
				[ -n "$version" ] || die "$key: no such package"
				[ -z "$want" ] || loud "$key" "$want" "$version"
				download "$key" "$version" "$base.new" ||
					die "$key: cannot be downloaded"
			fi
		fi
		echo "$version" >"$base.new/version"
		[ "$version" = "${want:-$version}" ] ||
			: >"$base.new/instead-of-$want"
		dir=$base/$(echo "$version" | tr : _)
		mkdir -p "$base"
		rm -rf "$dir"
		mv "$base.new" "$dir"
	fi
	file=$(find "$dir" -name '*.deb' -o -name '*.dsc')
	[ -s "$file" ] || die "$key: nothing usable in $dir"
	if [ -n "$sum" ] && [ "$version" = "$want" ] && ! sha_is "$file" "$sum"
	then
		rm -rf "$dir"
		die "$key $version: SHA-256 of ${file##*/} is not the pinned one"
	fi
}

with_arch()
{
	case $1 in
	*:*) echo "$1" ;;
	*) echo "$1:$(dpkg --print-architecture)" ;;
	esac
}

[ $# -ge 2 ] || die "usage: see the head of $0"
case $1 in
fetch)
	get "$(with_arch "$2")"
	echo "$file"
	;;
unpack)
	get "$(with_arch "$2")"
	mkdir -p "$3"
	dpkg-deb -x "$file" "$3"
	;;
source)
	get "src:$2"
	rm -rf "$3"
	mkdir -p "$(dirname "$3")"
	# Refuses when a file differs from the hashes in the .dsc.
	dpkg-source --require-strong-checksums -x "$file" "$3" >&2
	;;
version)
	get "$(with_arch "$2")"
	echo "$version"
	;;
source-version)
	get "src:$2"
	echo "$version"
	;;
depends)
	have_lists
	key=$(with_arch "$2")
	run_apt apt-cache show --no-all-versions "$key" | sed -n \
		's/^Depends: \([^ ,]*\).*/\1/p' | head -n 1
	;;
*)
	die "unknown command $1"
	;;
esac
