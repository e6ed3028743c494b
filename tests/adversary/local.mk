# SPDX-License-Identifier: ISC

# The hostile programs, and the suite that runs them under grouper.
adversary_programs += \
	tests/adversary/hostile \
	tests/adversary/surround

tests_adversary_hostile_SOURCES = \
	tests/adversary/hostile.c \
	tests/adversary/hostile.h \
	tests/adversary/hostile_escape.c \
	tests/adversary/hostile_refuse.c \
	tests/adversary/hostile_storm.c

adversary_tests += \
	tests/adversary/check_adversary \
	tests/adversary/check_deaths \
	tests/adversary/check_guests \
	tests/adversary/check_surroundings

tests_adversary_check_adversary_SOURCES = \
	tests/adversary/arena.c \
	tests/adversary/arena.h \
	tests/adversary/check_adversary.c \
	tests/adversary/survivors.c

tests_adversary_check_deaths_SOURCES = \
	tests/adversary/arena.c \
	tests/adversary/arena.h \
	tests/adversary/check_deaths.c \
	tests/adversary/survivors.c

tests_adversary_check_guests_SOURCES = \
	tests/adversary/arena.c \
	tests/adversary/arena.h \
	tests/adversary/check_guests.c \
	tests/adversary/survivors.c

tests_adversary_check_surroundings_SOURCES = \
	tests/adversary/arena.c \
	tests/adversary/arena.h \
	tests/adversary/check_surroundings.c \
	tests/adversary/survivors.c
