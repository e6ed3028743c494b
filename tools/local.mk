# SPDX-License-Identifier: ISC

grouper_SOURCES += \
	tools/accounts.c \
	tools/accounts.h \
	tools/act.c \
	tools/check.c \
	tools/doctor.c \
	tools/grouper.c \
	tools/host.c \
	tools/hosts.c \
	tools/ident.c \
	tools/json.c \
	tools/json.h \
	tools/origin.c \
	tools/options.c \
	tools/options.h \
	tools/plan.c \
	tools/plan.h \
	tools/plan_host.c \
	tools/remote.c \
	tools/remote.h \
	tools/run.c \
	tools/run.h \
	tools/run_environment.c \
	tools/run_environment.h \
	tools/run_events.c \
	tools/run_options.c \
	tools/run_options.h \
	tools/run_pty.c \
	tools/run_pty.h \
	tools/run_report.c \
	tools/run_report.h \
	tools/run_result.c \
	tools/run_signals.c \
	tools/run_tmpdir.c \
	tools/run_tmpdir.h \
	tools/run_values.c \
	tools/run_values.h \
	tools/spawn.c \
	tools/status.c \
	tools/supervise.c \
	tools/supervise.h \
	tools/supervise_tree.c \
	tools/supervise_tree.h \
	tools/table.c \
	tools/table.h \
	tools/tool.c \
	tools/tool.h \
	tools/user.c \
	tools/user.h \
	tools/wait.c \
	tools/watch.c

dist_man_MANS += \
	tools/grouper-check.1 \
	tools/grouper-client.3 \
	tools/grouper-control.1 \
	tools/grouper-doctor.1 \
	tools/grouper-events.1 \
	tools/grouper-host.1 \
	tools/grouper-ident.1 \
	tools/grouper-member.3 \
	tools/grouper-protocol.7 \
	tools/grouper-run.1 \
	tools/grouper-status.1 \
	tools/grouper-supervise.1 \
	tools/grouper.1 \
	tools/grouper.yaml.5
