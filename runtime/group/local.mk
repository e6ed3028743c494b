# SPDX-License-Identifier: ISC

libgrouper_core_la_SOURCES += \
	runtime/group/adopt.c \
	runtime/group/adopt.h \
	runtime/group/backlog.c \
	runtime/group/cgroup.c \
	runtime/group/cgroup.h \
	runtime/group/contain.c \
	runtime/group/contain.h \
	runtime/group/error.c \
	runtime/group/exec_result.c \
	runtime/group/exec_result.h \
	runtime/group/front.c \
	runtime/group/front.h \
	runtime/group/group.c \
	runtime/group/group.h \
	runtime/group/host.c \
	runtime/group/host_access.c \
	runtime/group/host.h \
	runtime/group/leader.c \
	runtime/group/leader.h \
	runtime/group/leader_setup.c \
	runtime/group/leader_setup.h \
	runtime/group/leader_table.c \
	runtime/group/leavers.c \
	runtime/group/light.c \
	runtime/group/light.h \
	runtime/group/link.c \
	runtime/group/link.h \
	runtime/group/member.c \
	runtime/group/member.h \
	runtime/group/names.c \
	runtime/group/names.h \
	runtime/group/orphans.c \
	runtime/group/own_cgroup.c \
	runtime/group/own_cgroup.h \
	runtime/group/process.c \
	runtime/group/self.c \
	runtime/group/signals.c \
	runtime/group/signals.h \
	runtime/group/steps.c \
	runtime/group/steps.h \
	runtime/group/successor.c \
	runtime/group/sweep.c \
	runtime/group/sweep.h \
	runtime/group/walk.c \
	runtime/group/walk.h
