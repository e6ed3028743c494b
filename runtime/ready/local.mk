# SPDX-License-Identifier: ISC

# How members say that they are ready, and the host itself.
libgrouper_core_la_SOURCES += \
	runtime/ready/notify.c \
	runtime/ready/notify.h \
	runtime/ready/notify_message.c \
	runtime/ready/notify_message.h \
	runtime/ready/ready_fd.c \
	runtime/ready/ready_fd.h \
	runtime/ready/ready_log.c \
	runtime/ready/ready_log.h \
	runtime/ready/tell.c \
	runtime/ready/tell.h
