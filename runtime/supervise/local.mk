# SPDX-License-Identifier: ISC

# Supervision: what a tree is to be, and the machine that decides.
libgrouper_core_la_SOURCES += \
	runtime/supervise/machine.c \
	runtime/supervise/machine.h \
	runtime/supervise/machine_admin.c \
	runtime/supervise/machine_cycle.c \
	runtime/supervise/machine_decide.c \
	runtime/supervise/machine_node.c \
	runtime/supervise/machine_node.h \
	runtime/supervise/machine_order.c \
	runtime/supervise/machine_queue.c \
	runtime/supervise/machine_reload.c \
	runtime/supervise/machine_scale.c \
	runtime/supervise/machine_verify.c \
	runtime/supervise/spec.c \
	runtime/supervise/spec.h \
	runtime/supervise/spec_check.c \
	runtime/supervise/spec_copy.c \
	runtime/supervise/window.c \
	runtime/supervise/window.h

# What the machine decides, carried out on groups, and asked for by verbs.
libgrouper_core_la_SOURCES += \
	runtime/supervise/control.c \
	runtime/supervise/control.h \
	runtime/supervise/control_spawn.c \
	runtime/supervise/control_spawn.h \
	runtime/supervise/keys.c \
	runtime/supervise/messages.c \
	runtime/supervise/messages.h \
	runtime/supervise/keys.h \
	runtime/supervise/launch.c \
	runtime/supervise/launch.h \
	runtime/supervise/public.c \
	runtime/supervise/public_spec.c \
	runtime/supervise/public_spec.h \
	runtime/supervise/report.c \
	runtime/supervise/report.h \
	runtime/supervise/ended.c \
	runtime/supervise/ended.h \
	runtime/supervise/incarnation.c \
	runtime/supervise/incarnation.h \
	runtime/supervise/incarnation_launch.c \
	runtime/supervise/incarnation_private.h \
	runtime/supervise/incarnation_ready.c \
	runtime/supervise/incarnation_reload.c \
	runtime/supervise/slot.c \
	runtime/supervise/slot.h \
	runtime/supervise/spawn_params.c \
	runtime/supervise/spawn_params.h \
	runtime/supervise/spawn_text.c \
	runtime/supervise/spawn_text.h \
	runtime/supervise/supervisor.c \
	runtime/supervise/supervisor.h \
	runtime/supervise/supervisor_log.c \
	runtime/supervise/supervisor_private.h \
	runtime/supervise/supervisor_spawn.c \
	runtime/supervise/tail.c \
	runtime/supervise/tail.h \
	runtime/supervise/usage.c \
	runtime/supervise/usage.h \
	runtime/supervise/waits.c \
	runtime/supervise/waits.h \
	runtime/supervise/words.c \
	runtime/supervise/words.h
