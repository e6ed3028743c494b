# SPDX-License-Identifier: ISC

libgrouper_core_la_SOURCES += \
	runtime/bus/bus.c \
	runtime/bus/bus.h \
	runtime/bus/bus_private.h \
	runtime/bus/events.c \
	runtime/bus/methods.c \
	runtime/bus/names.c \
	runtime/bus/public_host.c \
	runtime/bus/public_names.c \
	runtime/bus/public_subscribe.c \
	runtime/bus/public_topics.c \
	runtime/bus/settings.c \
	runtime/bus/stream.c \
	runtime/bus/topics.c \
	runtime/bus/words.c \
	runtime/bus/words.h
