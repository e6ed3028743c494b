# SPDX-License-Identifier: ISC

# Linked with the shared library: an example sees the public interface only.
example_programs +=

EXTRA_DIST += \
	examples/demo.sh
