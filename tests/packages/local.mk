# SPDX-License-Identifier: ISC

# What is run on what was installed or packaged, beside the suite.
EXTRA_DIST += \
	tests/packages/chroot.sh \
	tests/packages/installed.sh \
	tests/packages/reproducible.sh

script_tests += \
	tests/packages/container.sh \
	tests/packages/systemd.sh

# The packages in a fresh Debian, as root.
check-deb: deb
	@$(need) debootstrap; srcdir='$(abs_top_srcdir)' \
	    $(SHELL) $(srcdir)/tests/packages/chroot.sh deb

# Tarball and packages, made twice.
check-reproducible:
	@$(need) dpkg-buildpackage; srcdir='$(abs_top_srcdir)' \
	    $(SHELL) $(srcdir)/tests/packages/reproducible.sh

.PHONY: check-deb check-reproducible
