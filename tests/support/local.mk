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

tests_support_check_support_SOURCES = \
	tests/support/bad.c \
	tests/support/bad.h \
	tests/support/check_support.c

EXTRA_DIST += tests/support/coverage.sh
