#!/bin/sh
# SPDX-License-Identifier: ISC
#
# systemd understands all of the example's unit, and grouper each command line
# in it.
#
# Run by make check, which sets srcdir and GROUPER.

set -eu
LC_ALL=C
export LC_ALL

: "${srcdir:=.}" "${GROUPER:=./grouper}"

if ! command -v systemd-analyze >/dev/null; then
	echo "skipped: no systemd-analyze"
	exit 77
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# The command that is tested, and a directory for its tree files.
sed "s,/usr/bin/grouper,$GROUPER,; s,/etc/grouper,$work," \
    "$srcdir/examples/systemd/grouper@.service" >"$work/grouper@.service"

# It warns with status 0.
status=0
systemd-analyze verify --man=no "$work/grouper@.service" \
    >"$work/said" 2>&1 || status=$?
if [ "$status" -ne 0 ] || grep -F "$work" "$work/said"; then
	echo "FAIL: systemd-analyze verify: status $status"
	cat "$work/said"
	failed=1
fi

# The child asks for the reload that the manager would; its end is the tree's.
mkdir "$work/run"
reload=$(sed -n 's/%i/shop/g; s/^ExecReload=//p' "$work/grouper@.service")
cat >"$work/shop.yaml" <<END
auto_shutdown: any_significant
children:
  - id: asks
    shell: $reload && echo reloaded
    restart: temporary
    significant: true
    log: inherit
END
start=$(sed -n 's/%i/shop/g; s/^ExecStart=//p' "$work/grouper@.service")
# shellcheck disable=SC2086 # a command line
if ! GROUPER_RUNTIME_DIR="$work/run" timeout 60 $start >"$work/said" 2>&1 ||
    ! grep -qx reloaded "$work/said"; then
	echo "FAIL: $start"
	cat "$work/said"
	failed=1
fi

exit "$failed"
