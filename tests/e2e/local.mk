# SPDX-License-Identifier: ISC

# Suites that drive the built command.
e2e_tests += \
	tests/e2e/check_front \
	tests/e2e/check_options \
	tests/e2e/check_pty \
	tests/e2e/check_report \
	tests/e2e/check_status \
	tests/e2e/check_terminal \
	tests/e2e/check_tmpdir

script_tests +=
