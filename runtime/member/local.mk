# SPDX-License-Identifier: ISC

libgrouper_core_la_SOURCES += \
	runtime/member/control.c \
	runtime/member/interest.c \
	runtime/member/member.c \
	runtime/member/pipes.c \
	runtime/member/private.h \
	runtime/member/uplink.c
