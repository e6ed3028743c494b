# SPDX-License-Identifier: ISC

libgrouper_core_la_SOURCES += \
	runtime/control/client.c \
	runtime/control/client.h \
	runtime/control/connection.c \
	runtime/control/connection.h \
	runtime/control/descent.c \
	runtime/control/descent.h \
	runtime/control/events.c \
	runtime/control/events.h \
	runtime/control/ident.c \
	runtime/control/json_text.c \
	runtime/control/json_text.h \
	runtime/control/rpc.c \
	runtime/control/rpc.h \
	runtime/control/server.c \
	runtime/control/server.h
