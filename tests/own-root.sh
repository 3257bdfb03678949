#!/bin/sh
# SPDX-License-Identifier: 0BSD
#
# own-root.sh COMMAND...: runs it, as root, in a mount namespace in which / is
# a mount point that is nobody else's. In a chroot it is none, and then the
# tree is bound onto a folder and that becomes the root.
set -eu
if unshare --mount --propagation private true 2>/dev/null; then
	exec unshare --mount --propagation private "$@"
fi
new=$(mktemp -d)
rc=0
# shellcheck disable=SC2016 # the inner shells fill these in
unshare --mount --propagation unchanged sh -c '
	new=$1 dir=$2
	shift 2
	mount --rbind / "$new" && mount --make-rprivate "$new" || exit 1
	chroot "$new" sh -c "cd \"\$0\" && exec \"\$@\"" "$dir" "$@"
	rc=$?
	umount -l "$new"
	exit "$rc"' sh "$new" "$PWD" "$@" || rc=$?
rmdir "$new"
exit "$rc"
