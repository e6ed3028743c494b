# SPDX-License-Identifier: ISC

# Each feeds a parser; libFuzzer is there only with --enable-fuzzers.
fuzz_programs += \
	tests/fuzz/fuzz_lines \
	tests/fuzz/fuzz_parse \
	tests/fuzz/fuzz_steps \
	tests/fuzz/fuzz_tree

tests_fuzz_fuzz_lines_LDADD = libgrouper_tree.la $(fuzz_libs) $(FYAML_LIBS)
tests_fuzz_fuzz_lines_LDFLAGS = $(fuzz_ldflags)

tests_fuzz_fuzz_parse_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_parse_LDFLAGS = $(fuzz_ldflags)

tests_fuzz_fuzz_steps_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_steps_LDFLAGS = $(fuzz_ldflags)

tests_fuzz_fuzz_tree_LDADD = libgrouper_tree.la $(fuzz_libs) $(FYAML_LIBS)
tests_fuzz_fuzz_tree_LDFLAGS = $(fuzz_ldflags)

EXTRA_DIST += \
	tests/fuzz/corpus/fuzz_lines/dotenv \
	tests/fuzz/corpus/fuzz_lines/formation \
	tests/fuzz/corpus/fuzz_lines/procfile \
	tests/fuzz/corpus/fuzz_parse/key \
	tests/fuzz/corpus/fuzz_parse/number \
	tests/fuzz/corpus/fuzz_parse/signal \
	tests/fuzz/corpus/fuzz_parse/size \
	tests/fuzz/corpus/fuzz_parse/time \
	tests/fuzz/corpus/fuzz_steps/brutal_kill \
	tests/fuzz/corpus/fuzz_steps/infinity \
	tests/fuzz/corpus/fuzz_steps/list \
	tests/fuzz/corpus/fuzz_steps/realtime \
	tests/fuzz/corpus/fuzz_steps/time \
	tests/fuzz/corpus/fuzz_tree/full \
	tests/fuzz/corpus/fuzz_tree/merge \
	tests/fuzz/corpus/fuzz_tree/wrong
