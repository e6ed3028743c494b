# SPDX-License-Identifier: ISC

# Each feeds a parser, and is linked with libFuzzer by --enable-fuzzers.
fuzz_programs =
if ENABLE_FUZZERS
fuzz_programs +=
noinst_PROGRAMS += $(fuzz_programs)
endif

EXTRA_DIST +=
