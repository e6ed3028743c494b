# SPDX-License-Identifier: ISC

# Messages between members: topics, frames, logs; names and settings.
libgrouper_core_la_SOURCES += \
	runtime/relay/audience.c \
	runtime/relay/audience.h \
	runtime/relay/audience_private.h \
	runtime/relay/audience_route.c \
	runtime/relay/chunk.c \
	runtime/relay/frame.c \
	runtime/relay/frame.h \
	runtime/relay/groups.c \
	runtime/relay/groups.h \
	runtime/relay/interest.c \
	runtime/relay/interest.h \
	runtime/relay/kept.c \
	runtime/relay/kept.h \
	runtime/relay/log.c \
	runtime/relay/log.h \
	runtime/relay/log_private.h \
	runtime/relay/pipe.c \
	runtime/relay/pipe.h \
	runtime/relay/registry.c \
	runtime/relay/registry.h \
	runtime/relay/relay.c \
	runtime/relay/relay.h \
	runtime/relay/relay_down.c \
	runtime/relay/relay_listener.c \
	runtime/relay/relay_member.c \
	runtime/relay/relay_private.h \
	runtime/relay/relay_uplink.c \
	runtime/relay/settings.c \
	runtime/relay/settings.h \
	runtime/relay/span.c \
	runtime/relay/store.c \
	runtime/relay/store.h \
	runtime/relay/topic.c \
	runtime/relay/topic.h
