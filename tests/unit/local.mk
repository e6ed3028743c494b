# SPDX-License-Identifier: ISC

# Suites of one module each, and what they share.
unit_tests += \
	tests/unit/check_adopt \
	tests/unit/check_bus \
	tests/unit/check_bus_callers \
	tests/unit/check_cgroup \
	tests/unit/check_clients \
	tests/unit/check_connection \
	tests/unit/check_contain \
	tests/unit/check_contract \
	tests/unit/check_control_socket \
	tests/unit/check_directory \
	tests/unit/check_dotenv \
	tests/unit/check_ended \
	tests/unit/check_ending \
	tests/unit/check_events \
	tests/unit/check_exec \
	tests/unit/check_frame \
	tests/unit/check_halt \
	tests/unit/check_host \
	tests/unit/check_ident \
	tests/unit/check_incarnation \
	tests/unit/check_incarnation_reload \
	tests/unit/check_interest \
	tests/unit/check_leader \
	tests/unit/check_life \
	tests/unit/check_limit \
	tests/unit/check_link \
	tests/unit/check_list \
	tests/unit/check_logs \
	tests/unit/check_logs_files \
	tests/unit/check_logs_sinks \
	tests/unit/check_logs_syslog \
	tests/unit/check_logs_text \
	tests/unit/check_machine_admin \
	tests/unit/check_machine_cases \
	tests/unit/check_machine_cost \
	tests/unit/check_machine_limits \
	tests/unit/check_machine_order \
	tests/unit/check_machine_random \
	tests/unit/check_machine_reload \
	tests/unit/check_machine_restart \
	tests/unit/check_machine_significant \
	tests/unit/check_member \
	tests/unit/check_member_control \
	tests/unit/check_member_host \
	tests/unit/check_member_pipes \
	tests/unit/check_names \
	tests/unit/check_notify \
	tests/unit/check_options \
	tests/unit/check_own_cgroup \
	tests/unit/check_parse \
	tests/unit/check_passing \
	tests/unit/check_payload \
	tests/unit/check_place \
	tests/unit/check_procfile \
	tests/unit/check_public_client \
	tests/unit/check_public_refused \
	tests/unit/check_public_supervisor \
	tests/unit/check_public_topics \
	tests/unit/check_quick \
	tests/unit/check_ready \
	tests/unit/check_registry \
	tests/unit/check_relay \
	tests/unit/check_relay_hostile \
	tests/unit/check_relay_lent \
	tests/unit/check_relay_loss \
	tests/unit/check_relay_presence \
	tests/unit/check_relay_shared \
	tests/unit/check_relay_turn \
	tests/unit/check_self \
	tests/unit/check_server \
	tests/unit/check_service \
	tests/unit/check_settings \
	tests/unit/check_signals \
	tests/unit/check_spec \
	tests/unit/check_start \
	tests/unit/check_steps \
	tests/unit/check_stop \
	tests/unit/check_supervisor \
	tests/unit/check_text \
	tests/unit/check_topic \
	tests/unit/check_topic_groups \
	tests/unit/check_tree \
	tests/unit/check_tree_hostile \
	tests/unit/check_tree_plan \
	tests/unit/check_tree_problems \
	tests/unit/check_tree_schema \
	tests/unit/check_util \
	tests/unit/check_walk \
	tests/unit/check_worker

script_tests += \
	tests/unit/exports.sh

tests_support_libsupport_la_SOURCES += \
	tests/unit/bus_side.c \
	tests/unit/bus_side.h \
	tests/unit/client.c \
	tests/unit/client.h \
	tests/unit/grove.c \
	tests/unit/grove.h \
	tests/unit/puppet.c \
	tests/unit/record.c \
	tests/unit/record.h \
	tests/unit/relay_kit.c \
	tests/unit/relay_kit.h \
	tests/unit/served.c \
	tests/unit/served.h \
	tests/unit/trial.c \
	tests/unit/trial.h \
	tests/unit/wire.c \
	tests/unit/wire.h

# What fuzz targets use, too: without libcheck.
check_LTLIBRARIES += tests/unit/libworld.la
tests_unit_libworld_la_SOURCES = \
	tests/unit/puppet.h \
	tests/unit/puppet_tree.c \
	tests/unit/world.c \
	tests/unit/world.h \
	tests/unit/world_rules.c \
	tests/unit/world_rules.h
tests_support_libsupport_la_LIBADD = tests/unit/libworld.la

# The machine, with its steps counted.
check_LTLIBRARIES += tests/unit/libcounted.la
tests_unit_libcounted_la_SOURCES = \
	runtime/supervise/machine.c \
	runtime/supervise/machine_admin.c \
	runtime/supervise/machine_cycle.c \
	runtime/supervise/machine_decide.c \
	runtime/supervise/machine_node.c \
	runtime/supervise/machine_order.c \
	runtime/supervise/machine_queue.c \
	runtime/supervise/machine_reload.c \
	runtime/supervise/machine_scale.c \
	runtime/supervise/machine_verify.c \
	runtime/supervise/window.c
tests_unit_libcounted_la_CFLAGS = $(AM_CFLAGS) $(COUNT_CFLAGS)
tests_unit_check_machine_cost_LDADD = tests/unit/libcounted.la $(LDADD)

# The machine against chance at length: make check-machine MACHINE_STEPS=1000000
MACHINE_STEPS = 100000000
MACHINE_SEED = 1

check-machine: tests/unit/check_machine_random$(EXEEXT)
	@MACHINE_STEPS='$(MACHINE_STEPS)' MACHINE_SEED='$(MACHINE_SEED)' \
	    tests/unit/check_machine_random$(EXEEXT)

.PHONY: check-machine

# Suites that start no groups: valgrind does not know the clone(2) of a leader.
valgrind_tests += \
	tests/unit/check_bus \
	tests/unit/check_connection \
	tests/unit/check_dotenv \
	tests/unit/check_ended \
	tests/unit/check_events \
	tests/unit/check_frame \
	tests/unit/check_interest \
	tests/unit/check_limit \
	tests/unit/check_link \
	tests/unit/check_logs \
	tests/unit/check_logs_files \
	tests/unit/check_logs_sinks \
	tests/unit/check_logs_syslog \
	tests/unit/check_logs_text \
	tests/unit/check_machine_admin \
	tests/unit/check_machine_cases \
	tests/unit/check_machine_limits \
	tests/unit/check_machine_order \
	tests/unit/check_machine_random \
	tests/unit/check_machine_reload \
	tests/unit/check_machine_restart \
	tests/unit/check_machine_significant \
	tests/unit/check_notify \
	tests/unit/check_parse \
	tests/unit/check_passing \
	tests/unit/check_payload \
	tests/unit/check_procfile \
	tests/unit/check_ready \
	tests/unit/check_settings \
	tests/unit/check_relay \
	tests/unit/check_relay_presence \
	tests/unit/check_relay_turn \
	tests/unit/check_spec \
	tests/unit/check_steps \
	tests/unit/check_text \
	tests/unit/check_topic \
	tests/unit/check_tree \
	tests/unit/check_tree_plan \
	tests/unit/check_tree_problems \
	tests/unit/check_tree_schema
