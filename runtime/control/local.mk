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
	runtime/control/hosts.c \
	runtime/control/hosts.h \
	runtime/control/ident.c \
	runtime/control/json_build.c \
	runtime/control/json_build.h \
	runtime/control/json_text.c \
	runtime/control/json_text.h \
	runtime/control/params.c \
	runtime/control/params.h \
	runtime/control/payload.c \
	runtime/control/payload.h \
	runtime/control/public_client.c \
	runtime/control/membership.c \
	runtime/control/membership.h \
	runtime/control/rpc.c \
	runtime/control/rpc.h \
	runtime/control/server.c \
	runtime/control/server.h
