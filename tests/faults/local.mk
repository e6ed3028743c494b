# SPDX-License-Identifier: ISC

# The command with wrappers around the calls that may fail, and its driver.
adversary_tests += \
	tests/faults/check_faults
adversary_programs += \
	tests/faults/grouper_faults
# Calls that are neither wrapped nor listed.
script_tests += \
	tests/faults/symbols.sh

tests_faults_grouper_faults_SOURCES = \
	$(grouper_SOURCES) \
	tests/faults/faults.c \
	tests/faults/faults.h \
	tests/faults/table.c \
	tests/faults/wraps.c
tests_faults_grouper_faults_LDADD = $(grouper_LDADD)
tests_faults_grouper_faults_LDFLAGS = $(grouper_LDFLAGS) \
	-Wl,@$(srcdir)/tests/faults/faults.ld
EXTRA_tests_faults_grouper_faults_DEPENDENCIES = \
	$(srcdir)/tests/faults/faults.ld
EXTRA_DIST += tests/faults/faults.ld

tests_faults_check_faults_SOURCES = \
	tests/faults/check_faults.c \
	tests/faults/faults.h \
	tests/faults/scenarios.c \
	tests/faults/scenarios.h \
	tests/faults/table.c

# Every use of every call, and some at random: make check-faults FAULTS_RANDOM=0
# CK_RUN_CASE=tree takes one scenario.
FAULTS_SHARE = 0
FAULTS_RANDOM = 200
FAULTS_SEED = 1

check-faults: all tests/faults/check_faults$(EXEEXT) \
    tests/faults/grouper_faults$(EXEEXT) tests/adversary/hostile$(EXEEXT)
	@$(AM_TESTS_ENVIRONMENT) FAULTS_SHARE='$(FAULTS_SHARE)' \
	    FAULTS_RANDOM='$(FAULTS_RANDOM)' FAULTS_SEED='$(FAULTS_SEED)' \
	    tests/faults/check_faults$(EXEEXT)

.PHONY: check-faults
