# SPDX-License-Identifier: ISC

EXTRA_DIST += \
	RELIABILITY.md \
	tests/model/group.pml \
	tests/model/host.def \
	tests/model/leader.def

script_tests += \
	tests/model/model.sh \
	tests/model/reliability.sh

# All settings of the model, and the mutants that it has to find.
check-model:
	@$(need) spin; $(AM_TESTS_ENVIRONMENT) \
	    $(SHELL) $(srcdir)/tests/model/model.sh

.PHONY: check-model
