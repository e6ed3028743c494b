#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The JSON Schema takes and refuses what the loader does: see schema.py.
#
# Run by make check, which sets srcdir and GROUPER.

set -eu
: "${srcdir:=.}" "${GROUPER:=./grouper}"

python3 -c 'import jsonschema; jsonschema.Draft202012Validator' \
    2>/dev/null || {
	echo "SKIP: no python3-jsonschema"
	exit 77
}
exec python3 "$srcdir/tests/e2e/schema.py" "$GROUPER" \
    "$srcdir/runtime/tree/grouper.schema.json"
