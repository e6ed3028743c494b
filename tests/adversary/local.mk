# SPDX-License-Identifier: ISC

# The suites that run hostile programs under grouper, and what they share.
adversary_tests += \
	tests/adversary/check_adversary \
	tests/adversary/check_deaths \
	tests/adversary/check_guests \
	tests/adversary/check_kills \
	tests/adversary/check_loss \
	tests/adversary/check_shortage \
	tests/adversary/check_surroundings

tests_support_libsupport_la_SOURCES += \
	tests/adversary/arena.c \
	tests/adversary/arena.h \
	tests/adversary/chance.c \
	tests/adversary/chance.h

tests_adversary_check_kills_SOURCES = \
	tests/adversary/check_kills.c \
	tests/adversary/kills_tree.c \
	tests/adversary/kills_tree.h

tests_adversary_check_loss_SOURCES = \
	tests/adversary/account.c \
	tests/adversary/account.h \
	tests/adversary/check_loss.c \
	tests/adversary/kills_tree.c \
	tests/adversary/kills_tree.h \
	tests/adversary/talk.h \
	tests/adversary/talk_tree.c \
	tests/adversary/talk_tree.h

tests_adversary_check_soak_SOURCES = \
	tests/adversary/account.c \
	tests/adversary/account.h \
	tests/adversary/check_soak.c \
	tests/adversary/kills_tree.c \
	tests/adversary/kills_tree.h \
	tests/adversary/soak_figures.c \
	tests/adversary/soak_figures.h \
	tests/adversary/soak_guests.c \
	tests/adversary/soak_guests.h \
	tests/adversary/soak_tree.c \
	tests/adversary/soak_tree.h \
	tests/adversary/talk.h \
	tests/adversary/talk_tree.c \
	tests/adversary/talk_tree.h

# The hostile programs, and a suite that takes too long for make check.
adversary_programs += \
	tests/adversary/check_soak \
	tests/adversary/hostile \
	tests/adversary/sole \
	tests/adversary/surround \
	tests/adversary/survivors \
	tests/adversary/talker

tests_adversary_hostile_SOURCES = \
	tests/adversary/hostile.c \
	tests/adversary/hostile.h \
	tests/adversary/hostile_escape.c \
	tests/adversary/hostile_refuse.c \
	tests/adversary/hostile_storm.c

tests_adversary_sole_SOURCES = \
	tests/adversary/sole.c \
	tests/adversary/sole_lock.c \
	tests/adversary/sole_lock.h

tests_adversary_talker_SOURCES = \
	tests/adversary/sole_lock.c \
	tests/adversary/sole_lock.h \
	tests/adversary/talk.h \
	tests/adversary/talker.c

# Without libraries and instrumentation: they run short of memory and
# descriptors, by the hundred, and exec themselves in a loop.
lone_cppflags = -include $(top_builddir)/config.h -I$(top_srcdir) \
	$(HARDEN_CPPFLAGS)
tests_adversary_hostile_CPPFLAGS = $(lone_cppflags)
tests_adversary_hostile_CFLAGS = $(STD_CFLAGS) $(WARN_CFLAGS)
tests_adversary_hostile_LDFLAGS = -no-install -pthread
tests_adversary_hostile_LDADD =
tests_adversary_sole_CPPFLAGS = $(lone_cppflags)
tests_adversary_sole_CFLAGS = $(STD_CFLAGS) $(WARN_CFLAGS)
tests_adversary_sole_LDFLAGS = -no-install
tests_adversary_sole_LDADD =
tests_adversary_surround_CPPFLAGS = $(lone_cppflags)
tests_adversary_surround_CFLAGS = $(STD_CFLAGS) $(WARN_CFLAGS)
tests_adversary_surround_LDFLAGS = -no-install
tests_adversary_surround_LDADD =

# The death matrix at length: make check-deaths DEATH_ROUNDS=5000
DEATH_ROUNDS = 1000

check-deaths: all tests/adversary/check_deaths$(EXEEXT) \
    tests/adversary/hostile$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) DEATH_ROUNDS='$(DEATH_ROUNDS)' \
	    tests/adversary/check_deaths$(EXEEXT)

# Random kills in a tree at length: make check-kills KILLS_ROUNDS=10
KILLS_ROUNDS = 1
KILLS_SECONDS = 60

check-kills: all tests/adversary/check_kills$(EXEEXT) \
    tests/adversary/sole$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) KILLS_ROUNDS='$(KILLS_ROUNDS)' \
	    KILLS_SECONDS='$(KILLS_SECONDS)' \
	    tests/adversary/check_kills$(EXEEXT)

# Order and loss at length: make check-loss LOSS_BROADCASTS=1000000
LOSS_BROADCASTS = 1000000

check-loss: all tests/adversary/check_loss$(EXEEXT) \
    tests/adversary/talker$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) LOSS_BROADCASTS='$(LOSS_BROADCASTS)' \
	    tests/adversary/check_loss$(EXEEXT)

# A tree for a long time: make check-soak SOAK_SECONDS=3600
SOAK_SECONDS = 60
SOAK_SAMPLES = soak-samples.txt

check-soak: all tests/adversary/check_soak$(EXEEXT) \
    tests/adversary/sole$(EXEEXT) tests/adversary/talker$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) SOAK_SECONDS='$(SOAK_SECONDS)' \
	    SOAK_SAMPLES='$(SOAK_SAMPLES)' tests/adversary/check_soak$(EXEEXT)

.PHONY: check-deaths check-kills check-loss check-soak
