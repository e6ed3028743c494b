# SPDX-License-Identifier: ISC

include_HEADERS += \
	include/grouper.h

grouperinclude_HEADERS += \
	include/grouper/client.h \
	include/grouper/config.h \
	include/grouper/error.h \
	include/grouper/export.h \
	include/grouper/group.h \
	include/grouper/ident.h \
	include/grouper/member.h \
	include/grouper/message.h \
	include/grouper/process.h \
	include/grouper/registry.h \
	include/grouper/self.h \
	include/grouper/supervisor.h \
	include/grouper/topics.h

dist_man_MANS +=
