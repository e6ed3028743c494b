# SPDX-License-Identifier: ISC

# Linked with the shared library: an example sees the public interface only.
example_programs += \
	examples/check_groups \
	examples/containment \
	examples/exec_function \
	examples/leader_died \
	examples/list_members \
	examples/messages/worker \
	examples/signal_events \
	examples/start_stop \
	examples/supervisor \
	examples/sweep_self \
	examples/who_am_i

examples_check_groups_LDADD = $(example_libs) $(CHECK_LIBS)
examples_containment_LDADD = $(example_libs)
examples_exec_function_LDADD = $(example_libs)
examples_leader_died_LDADD = $(example_libs)
examples_list_members_LDADD = $(example_libs)
examples_messages_worker_LDADD = libgrouper.la
examples_signal_events_LDADD = $(example_libs)
examples_start_stop_LDADD = $(example_libs)
examples_supervisor_LDADD = $(example_libs)
examples_sweep_self_LDADD = $(example_libs)
examples_who_am_i_LDADD = $(example_libs)

EXTRA_DIST += \
	examples/container/Containerfile \
	examples/demo.sh \
	examples/messages/four_workers.sh \
	examples/messages/two_runs.sh \
	examples/messages/nginx.yaml \
	examples/messages/worker.py \
	examples/systemd/grouper@.service \
	examples/trees/Procfile.example \
	examples/trees/nested.yaml \
	examples/trees/pool.yaml \
	examples/trees/web.yaml
