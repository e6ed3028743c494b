# SPDX-License-Identifier: ISC

libgrouper_core_la_SOURCES += \
	runtime/control/connection.c \
	runtime/control/connection.h \
	runtime/control/descent.c \
	runtime/control/descent.h \
	runtime/control/ident.c \
	runtime/control/rpc.c \
	runtime/control/rpc.h \
	runtime/control/server.c \
	runtime/control/server.h
