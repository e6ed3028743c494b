# SPDX-License-Identifier: ISC

# Each feeds a parser.  libFuzzer drives them with --enable-fuzzers; else they
# are tests, which replay what is in corpus/NAME.
fuzz_programs += \
	tests/fuzz/fuzz_lines \
	tests/fuzz/fuzz_parse \
	tests/fuzz/fuzz_steps \
	tests/fuzz/fuzz_tree

check_LTLIBRARIES += tests/fuzz/libfuzz.la
tests_fuzz_libfuzz_la_SOURCES = \
	tests/fuzz/fuzz.c \
	tests/fuzz/fuzz.h
if !ENABLE_FUZZERS
tests_fuzz_libfuzz_la_SOURCES += tests/fuzz/replay.c
fuzz_tests += $(fuzz_programs)
valgrind_tests += $(fuzz_programs)
endif

tests_fuzz_fuzz_lines_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_parse_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_steps_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_tree_LDADD = $(fuzz_libs)

EXTRA_DIST += tests/fuzz/corpus tests/fuzz/run
