# SPDX-License-Identifier: ISC
# shellcheck shell=bash
#
# Completion of grouper(1) for bash.  Verbs and options are those that
# grouper's own help lists; keys and hosts are those that run.
#
# The functions share the variables of _grouper, which is the last:
#	grouper	the command as it was typed
#	cur	what is to be completed
#	host	options that say which host is meant
#	first	the first argument

# Adds lines of standard input, as far as they go on with cur.  Not by
# compgen -W, which would expand what a name may hold.
_grouper_add() {
	local line

	while IFS= read -r line; do
		[[ $line == "$cur"* ]] || continue
		if [[ $line == *[!A-Za-z0-9_./:@%+,=-]* ]]; then
			printf -v line %q "$line"
		fi
		COMPREPLY+=("$line")
	done
}

_grouper_words() {
	_grouper_add < <(printf '%s\n' "$@")
}

# What compgen finds, such as files (-f).
_grouper_find() {
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

_grouper_verbs() {
	"$grouper" help 2>/dev/null | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p'
}

_grouper_keys() {
	_grouper_add < <("$grouper" status --keys ${host[@]+"${host[@]}"} \
		2>/dev/null)
}

_grouper_groups() {
	_grouper_add < <("$grouper" topics list ${host[@]+"${host[@]}"} \
		2>/dev/null)
}

_grouper_settings() {
	_grouper_add < <("$grouper" config list ${host[@]+"${host[@]}"} \
		2>/dev/null | sed 's/=.*//')
}

# The options of a verb: "--name"; "--name=" if a value may follow; "--name +"
# if the next word is its value, and its letter likewise.
_grouper_options() {
	local line form='^ +(-(.), )?(--[a-z-]+)(\[=| [A-Z])?'

	while IFS= read -r line; do
		[[ $line =~ $form ]] || continue
		case ${BASH_REMATCH[4]} in
		'[=') echo "${BASH_REMATCH[3]}=" ;;
		'') echo "${BASH_REMATCH[3]}" ;;
		*)
			echo "${BASH_REMATCH[3]} +"
			echo "-${BASH_REMATCH[2]} +"
			;;
		esac
	done < <("$grouper" "$1" --help 2>/dev/null)
}

# The value of an option.
_grouper_value() {
	case $1 in
	--contain) _grouper_words auto reaper cgroup pidns ;;
	--cwd) _grouper_find -d ;;
	--env-file | --report-file | --socket | -s) _grouper_find -f ;;
	--gid) _grouper_find -g ;;
	--host)
		_grouper_add < <("$grouper" hosts 2>/dev/null |
			sed -n '2,$s/ .*//p')
		;;
	--leaks) _grouper_words kill wait warn fail ;;
	--log) _grouper_words prefix inherit discard syslog file: ;;
	--report) _grouper_words text json ;;
	--restart) _grouper_words permanent transient temporary ;;
	--session) _grouper_words auto keep new ;;
	--stdin)
		_grouper_find -f
		_grouper_words null inherit
		;;
	--exec) _grouper_find -c ;;
	--stop-target) _grouper_words group command tree ;;
	--supervisor) _grouper_keys ;;
	--uid) _grouper_find -u ;;
	esac
}

# An argument of a verb, by its number from 0; the first is $first.
_grouper_argument() {
	case $1:$2 in
	topics:0) _grouper_words create delete add remove show list ;;
	topics:1) [[ $first == list || $first == create ]] || _grouper_groups ;;
	broadcast:0) _grouper_groups ;;
	config:0) _grouper_words get put delete list ;;
	config:1) [[ $first == list ]] || _grouper_settings ;;
	supervise:0 | up:0 | check:0 | plan:0 | run:[1-9]* | spawn:[1-9]*)
		_grouper_find -f
		;;
	run:0 | spawn:0) _grouper_find -c ;;
	help:0) _grouper_add < <(_grouper_verbs) ;;
	signal:0)
		_grouper_add < <(compgen -A signal SIG |
		    sed '/JUNK/d; s/^SIG//')
		;;
	scale:0) ;;
	status:* | ps:* | start:* | stop:* | restart:* | signal:* | scale:* | \
		reset:* | delete:* | wait:* | logs:*)
		_grouper_keys
		;;
	esac
}

_grouper() {
	local grouper=$1 line=${COMP_LINE:0:COMP_POINT}
	local cur='' word verb='' options='' taker='' over='' first='' count=0
	local -a words host=()

	# Not COMP_WORDS: it is split at ':' and '=', too.
	read -ra words <<<"$line"
	if [[ $line != *[[:blank:]] ]]; then
		cur=${words[${#words[@]} - 1]}
		unset "words[${#words[@]} - 1]"
	fi
	COMPREPLY=()
	for word in "${words[@]:1}"; do
		if [[ -z $verb ]]; then
			verb=$word
			options=$(_grouper_options "$verb")
		elif [[ -n $taker ]]; then
			case $taker in
			--host | --socket | -s) host=("$taker" "$word") ;;
			esac
			taker=
		elif [[ -n $over || $word != -* ]]; then
			((count += 1))
			[[ -n $first ]] || first=$word
			# What follows is the command's own.
			case $verb in
			run | spawn) over=yes ;;
			esac
		elif [[ $word == -- ]]; then
			over=yes
		elif [[ $word == --host=* || $word == --socket=* ]]; then
			host=("$word")
		elif [[ $'\n'$options$'\n' == *$'\n'"$word +"$'\n'* ]]; then
			taker=$word
		fi
	done

	word=$cur
	if [[ -z $verb && $cur == -* ]]; then
		_grouper_add < <(printf '%s\n' --help --version)
	elif [[ -z $verb ]]; then
		_grouper_add < <(_grouper_verbs)
	elif [[ -n $taker ]]; then
		_grouper_value "$taker"
	elif [[ -z $over && $cur == --*=* ]]; then
		cur=${cur#*=}
		_grouper_value "${word%%=*}"
		COMPREPLY=("${COMPREPLY[@]/#/${word%%=*}=}")
	elif [[ -z $over && $cur == -* ]]; then
		_grouper_add < <(sed -n 's/^\(--[a-z=-]*\).*/\1/p' \
			<<<"$options")
		[[ ${COMPREPLY[*]} != *= ]] || compopt -o nospace 2>/dev/null
	else
		_grouper_argument "$verb" "$count"
	fi

	# Readline knows but what stands behind the last ':' or '='.
	cur=$word
	[[ $COMP_WORDBREAKS != *:* ]] || cur=${cur##*:}
	[[ $COMP_WORDBREAKS != *=* ]] || cur=${cur##*=}
	word=${word%"$cur"}
	COMPREPLY=("${COMPREPLY[@]#"$word"}")
}

complete -F _grouper grouper
