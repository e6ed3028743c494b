# SPDX-License-Identifier: ISC

# Each feeds a parser, or a module whose state its input decides.  libFuzzer
# drives them with --enable-fuzzers; else they are tests, which replay what is
# in corpus/NAME.
fuzz_programs += \
	tests/fuzz/fuzz_cgroup \
	tests/fuzz/fuzz_client \
	tests/fuzz/fuzz_frame \
	tests/fuzz/fuzz_json \
	tests/fuzz/fuzz_lines \
	tests/fuzz/fuzz_link \
	tests/fuzz/fuzz_logs \
	tests/fuzz/fuzz_machine \
	tests/fuzz/fuzz_notify \
	tests/fuzz/fuzz_options \
	tests/fuzz/fuzz_parse \
	tests/fuzz/fuzz_proc \
	tests/fuzz/fuzz_relay \
	tests/fuzz/fuzz_server \
	tests/fuzz/fuzz_steps \
	tests/fuzz/fuzz_topics \
	tests/fuzz/fuzz_tree

check_LTLIBRARIES += tests/fuzz/libfuzz.la
tests_fuzz_libfuzz_la_SOURCES = \
	tests/fuzz/fuzz.c \
	tests/fuzz/fuzz.h
if !ENABLE_FUZZERS
tests_fuzz_libfuzz_la_SOURCES += tests/fuzz/replay.c
fuzz_tests += $(fuzz_programs)
# valgrind does not know pidfd_open(2).
valgrind_tests += $(filter-out tests/fuzz/fuzz_topics,$(fuzz_programs))
endif

tests_fuzz_fuzz_cgroup_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_client_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_frame_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_json_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_lines_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_link_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_logs_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_machine_LDADD = tests/unit/libworld.la $(fuzz_libs)
tests_fuzz_fuzz_notify_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_options_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_parse_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_proc_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_relay_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_server_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_steps_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_topics_LDADD = $(fuzz_libs)
tests_fuzz_fuzz_tree_LDADD = $(fuzz_libs)

tests_fuzz_fuzz_options_SOURCES = \
	tests/fuzz/fuzz_options.c \
	tools/given.c \
	tools/run_options.c \
	tools/run_values.c \
	tools/tool.c

EXTRA_DIST += tests/fuzz/corpus tests/fuzz/run
