# SPDX-License-Identifier: ISC

libgrouper_core_la_SOURCES += \
	runtime/util/bug.h \
	runtime/util/clock.h \
	runtime/util/environment.c \
	runtime/util/environment.h \
	runtime/util/fd.c \
	runtime/util/fd.h \
	runtime/util/limit.c \
	runtime/util/limit.h \
	runtime/util/log.c \
	runtime/util/log.h \
	runtime/util/loop.c \
	runtime/util/loop.h \
	runtime/util/parse.c \
	runtime/util/parse.h
