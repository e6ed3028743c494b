# SPDX-License-Identifier: ISC

# Suites that drive the built command.
e2e_tests += \
	tests/e2e/check_control \
	tests/e2e/check_control_hostile \
	tests/e2e/check_daemons \
	tests/e2e/check_deaf \
	tests/e2e/check_examples \
	tests/e2e/check_failures \
	tests/e2e/check_front \
	tests/e2e/check_jobs \
	tests/e2e/check_json \
	tests/e2e/check_listen \
	tests/e2e/check_managed \
	tests/e2e/check_messages \
	tests/e2e/check_named \
	tests/e2e/check_options \
	tests/e2e/check_plan \
	tests/e2e/check_programs \
	tests/e2e/check_pty \
	tests/e2e/check_readiness \
	tests/e2e/check_report \
	tests/e2e/check_restarts \
	tests/e2e/check_run_messages \
	tests/e2e/check_shown \
	tests/e2e/check_spawn \
	tests/e2e/check_spawn_service \
	tests/e2e/check_spawned \
	tests/e2e/check_status \
	tests/e2e/check_stopping \
	tests/e2e/check_stops \
	tests/e2e/check_supervise \
	tests/e2e/check_supervise_faults \
	tests/e2e/check_talks \
	tests/e2e/check_terminal \
	tests/e2e/check_tmpdir \
	tests/e2e/check_told \
	tests/e2e/check_trees \
	tests/e2e/check_waits \
	tests/e2e/check_workloads

tests_e2e_check_daemons_SOURCES = \
	tests/e2e/check_daemons.c \
	tests/e2e/postgres.c \
	tests/e2e/servers.c \
	tests/e2e/servers.h

tests_e2e_check_programs_SOURCES = \
	tests/e2e/check_programs.c \
	tests/e2e/postgres.c \
	tests/e2e/servers.c \
	tests/e2e/servers.h

tests_e2e_check_trees_SOURCES = \
	tests/e2e/check_trees.c \
	tests/e2e/postgres.c \
	tests/e2e/servers.c \
	tests/e2e/servers.h

tests_support_libsupport_la_SOURCES += \
	tests/e2e/tree.c \
	tests/e2e/tree.h

script_tests += \
	tests/e2e/completion.sh \
	tests/e2e/manuals.sh \
	tests/e2e/meet.sh \
	tests/e2e/schema.sh
EXTRA_DIST += tests/e2e/schema.py

# Workers and scripts that meet, at length: make check-meetings
MEETINGS = 10000

check-meetings: all
	@$(AM_TESTS_ENVIRONMENT) MEETINGS='$(MEETINGS)' \
	    $(SHELL) $(srcdir)/tests/e2e/meet.sh

.PHONY: check-meetings
