# SPDX-License-Identifier: ISC

# What is run on what was installed or packaged, beside the suite.
EXTRA_DIST += \
	tests/packages/installed.sh

script_tests += \
	tests/packages/container.sh \
	tests/packages/systemd.sh
