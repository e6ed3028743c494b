# SPDX-License-Identifier: ISC

# Each feeds a parser; libFuzzer is there only with --enable-fuzzers.
fuzz_programs += \
	tests/fuzz/fuzz_parse \
	tests/fuzz/fuzz_steps

tests_fuzz_fuzz_parse_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_parse_LDFLAGS = $(fuzz_ldflags)

tests_fuzz_fuzz_steps_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_steps_LDFLAGS = $(fuzz_ldflags)

EXTRA_DIST += \
	tests/fuzz/corpus/fuzz_parse/key \
	tests/fuzz/corpus/fuzz_parse/number \
	tests/fuzz/corpus/fuzz_parse/signal \
	tests/fuzz/corpus/fuzz_parse/size \
	tests/fuzz/corpus/fuzz_parse/time \
	tests/fuzz/corpus/fuzz_steps/brutal_kill \
	tests/fuzz/corpus/fuzz_steps/infinity \
	tests/fuzz/corpus/fuzz_steps/list \
	tests/fuzz/corpus/fuzz_steps/realtime \
	tests/fuzz/corpus/fuzz_steps/time
