# SPDX-License-Identifier: ISC

e2e_tests +=

script_tests +=
