# SPDX-License-Identifier: ISC

# Output of members: lines, sinks, rotation.
libgrouper_core_la_SOURCES += \
	runtime/logs/line.h \
	runtime/logs/lines.c \
	runtime/logs/lines.h \
	runtime/logs/logs.c \
	runtime/logs/logs.h \
	runtime/logs/member_log.c \
	runtime/logs/member_log.h \
	runtime/logs/outlet.c \
	runtime/logs/outlet.h \
	runtime/logs/ring.c \
	runtime/logs/ring.h \
	runtime/logs/rotate.c \
	runtime/logs/rotate.h \
	runtime/logs/sink.c \
	runtime/logs/sink.h \
	runtime/logs/sink_file.c \
	runtime/logs/sink_prefix.c \
	runtime/logs/sink_syslog.c \
	runtime/logs/visible.c \
	runtime/logs/visible.h
