# SPDX-License-Identifier: ISC

# The tree file, .env files and Procfiles.
libgrouper_tree_la_SOURCES += \
	runtime/tree/dotenv.c \
	runtime/tree/dotenv.h \
	runtime/tree/expand.c \
	runtime/tree/expand.h \
	runtime/tree/load.c \
	runtime/tree/load.h \
	runtime/tree/load_child.c \
	runtime/tree/load_command.c \
	runtime/tree/plan.c \
	runtime/tree/plan.h \
	runtime/tree/problem.c \
	runtime/tree/problem.h \
	runtime/tree/procfile.c \
	runtime/tree/procfile.h \
	runtime/tree/source.c \
	runtime/tree/source.h \
	runtime/tree/suggest.c \
	runtime/tree/suggest.h \
	runtime/tree/tree.c \
	runtime/tree/tree.h \
	runtime/tree/yaml.c \
	runtime/tree/yaml.h \
	runtime/tree/yaml_merge.c \
	runtime/tree/yaml_merge.h

# For editors.
dist_pkgdata_DATA = runtime/tree/grouper.schema.json
