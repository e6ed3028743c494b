# SPDX-License-Identifier: ISC

libgrouper_core_la_SOURCES += \
	runtime/os/os.h

# One file a system with the same header, chosen by configure.
if OS_LINUX
libgrouper_core_la_SOURCES += \
	runtime/os/os_linux.c \
	runtime/os/proc_linux.c
endif
