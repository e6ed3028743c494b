# SPDX-License-Identifier: ISC

check_LTLIBRARIES += tests/support/libsupport.la

tests_support_libsupport_la_SOURCES = \
	tests/support/await.c \
	tests/support/fixture.c \
	tests/support/process.c \
	tests/support/pty.c \
	tests/support/run.c \
	tests/support/suite.c \
	tests/support/support.h \
	tests/support/support_internal.h

unit_tests += \
	tests/support/check_support

# In the library, so that the command has it too.
if ENABLE_COVERAGE
libgrouper_core_la_SOURCES += \
	tests/support/coverage.c
endif
