# SPDX-License-Identifier: ISC

# The suites that run hostile programs under grouper, and what they share.
adversary_tests += \
	tests/adversary/check_adversary \
	tests/adversary/check_deaths \
	tests/adversary/check_guests \
	tests/adversary/check_shortage \
	tests/adversary/check_surroundings

tests_support_libsupport_la_SOURCES += \
	tests/adversary/arena.c \
	tests/adversary/arena.h

# The hostile programs.
adversary_programs += \
	tests/adversary/hostile \
	tests/adversary/surround \
	tests/adversary/survivors

tests_adversary_hostile_SOURCES = \
	tests/adversary/hostile.c \
	tests/adversary/hostile.h \
	tests/adversary/hostile_escape.c \
	tests/adversary/hostile_refuse.c \
	tests/adversary/hostile_storm.c
