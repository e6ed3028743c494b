# SPDX-License-Identifier: ISC

EXTRA_DIST += \
	debian/changelog \
	debian/control \
	debian/copyright \
	debian/grouper.docs \
	debian/grouper.examples \
	debian/grouper.install \
	debian/grouper.lintian-overrides \
	debian/grouper.postrm \
	debian/libgrouper-dev.examples \
	debian/libgrouper-dev.install \
	debian/libgrouper0.install \
	debian/libgrouper0.lintian-overrides \
	debian/libgrouper0.symbols \
	debian/not-installed \
	debian/rules \
	debian/source/format \
	debian/source/options \
	debian/tests/control \
	debian/tests/messages

# Packages from what make dist would publish: nothing else of the checkout has
# a part in them, nor do they leave anything in it.
deb: dist
	@$(need) dpkg-buildpackage; $(need) lintian
	@rm -rf deb && $(MKDIR_P) deb
	@unset MAKEFLAGS MAKELEVEL MFLAGS; \
	cd deb && tar xf ../$(distdir).tar.gz && cd $(distdir) && \
	    DEB_BUILD_OPTIONS="noautodbgsym $$DEB_BUILD_OPTIONS" \
	    dpkg-buildpackage -us -uc -b
	@cd deb && lintian -EvIL +pedantic --fail-on error,warning *.changes
	@ls -l deb/*.deb

.PHONY: deb
