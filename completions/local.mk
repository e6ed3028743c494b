# SPDX-License-Identifier: ISC

bashcompletiondir = $(datadir)/bash-completion/completions
zshcompletiondir = $(datadir)/zsh/site-functions
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_zshcompletion_DATA = completions/_grouper
dist_fishcompletion_DATA = completions/grouper.fish

# Found by the command's name, without a suffix.
bashcompletion_DATA = completions/grouper
EXTRA_DIST += completions/grouper.bash
CLEANFILES += completions/grouper
completions/grouper: completions/grouper.bash
	$(AM_V_GEN)$(MKDIR_P) completions && cp $(srcdir)/completions/grouper.bash $@
