# SPDX-License-Identifier: ISC

unit_tests += \
	tests/unit/check_parse \
	tests/unit/check_steps \
	tests/unit/trial

script_tests += \
	tests/unit/exports.sh

EXTRA_DIST += \
	tests/unit/trial.h

# Suites that start no groups: valgrind does not know the clone(2) of a leader.
valgrind_tests +=
