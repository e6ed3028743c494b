#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The benchmarks' own code: what it computes, and that its programs start.

: "${srcdir:=.}"
dir=$srcdir/tests/bench
PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE

python3 -c 'import sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null || {
	echo "bench.sh: no python3 of 3.10 or later"
	exit 77
}
python3 "$dir/run" --help >/dev/null || exit 1
python3 "$dir/draw" --help >/dev/null || exit 1
exec python3 "$dir/test_bench.py"
