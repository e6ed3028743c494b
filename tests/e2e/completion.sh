#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Completion for bash, fish and zsh, in a directory with a file and beside a
# running tree.
#
# Run by make check, which sets srcdir and GROUPER.

set -eu
LC_ALL=C
export LC_ALL

: "${srcdir:=.}" "${GROUPER:=./grouper}"

if ! command -v bash >/dev/null; then
	echo "skipped: no bash"
	exit 77
fi

source=$(cd "$srcdir" && pwd)/completions
failed=0
host=
work=$(mktemp -d)

clean_up() {
	[ -z "$host" ] || kill -KILL "$host" 2>/dev/null || :
	rm -rf "$work"
}
trap clean_up EXIT

fail() {
	echo "FAIL: $1"
	failed=1
}

mkdir "$work/bin"
ln -s "$(cd "$(dirname "$GROUPER")" && pwd)/$(basename "$GROUPER")" \
    "$work/bin/grouper"
PATH=$work/bin:$PATH
GROUPER_RUNTIME_DIR=$work/run
export PATH GROUPER_RUNTIME_DIR
unset GROUPER_SOCKET GROUPER_HOST
cd "$work"

cat >tree.yaml <<'EOF'
name: shop
topic_groups: {team:eng: [a], team:ops: []}
config: {version: 1}
children:
  - {id: db, command: [sleep, "1000"]}
  - {id: 'do$(>bad)', command: [sleep, "1000"]}
  - id: workers
    supervisor:
      children:
        - {id: resize, command: [sleep, "1000"], instances: 2}
        - {id: solo, command: [sleep, "1000"]}
EOF

# Completes a line as an interactive shell does: one reply a line.
cat >complete.bash <<'EOF'
. "$1/grouper.bash"
COMP_WORDBREAKS=$' \t\n"\'><=;|&(:'
COMP_LINE=$2 COMP_POINT=${#2}
_grouper grouper
printf '%s\n' "${COMPREPLY[@]}"
EOF

# expect LINE REPLY...: exactly these, in the order of their bytes.
expect() {
	line=$1
	shift
	got=$(bash complete.bash "$source" "$line" 2>&1 | sort | tr '\n' ' ')
	wanted=$(printf '%s\n' "$@" | tr '\n' ' ')
	if [ "$got" = "$wanted" ]; then
		echo "ok: $line"
	else
		fail "$line: got '$got', expected '$wanted'"
	fi
}

expect 'grouper sta' start status
expect 'grouper he' help
expect 'grouper help chec' check
expect 'grouper status --j' --json
expect 'grouper ps --k' ''
expect 'grouper run --leaks w' wait warn
expect 'grouper run --leaks=w' wait warn
expect 'grouper spawn --log p' prefix
expect 'grouper run --rep' --report-file --report=
expect 'grouper run --shutdown 5s --contain pid' pidns
expect 'grouper run -- ls tr' tree.yaml
expect 'grouper run ls --j' ''
expect 'grouper check tr' tree.yaml
expect 'grouper supervise -q ./tr' ./tree.yaml
expect 'grouper signal USR' USR1 USR2
expect 'grouper signal SIGUSR' ''
expect 'grouper signal JUN' ''
expect 'grouper status d' ''
expect 'grouper nonsense d' ''
expect 'grouper topics re' remove
expect 'grouper config ge' get
expect 'grouper listen --re' --ready-fd
expect 'grouper publish --stdin --o' --others

grouper supervise -q tree.yaml &
host=$!
until grouper wait --ready '' 2>/dev/null; do
	kill -0 "$host" || exit 1
	sleep 0.05
done

grouper status --keys >keys
cat >wanted <<'EOF'
db
do$(>bad)
workers
workers/resize
workers/resize:1
workers/resize:2
workers/solo
EOF
cmp keys wanted || fail "status --keys"

# shellcheck disable=SC2016
expect 'grouper stop d' db 'do\$\(\>bad\)'
expect 'grouper stop workers/' workers/resize workers/resize:1 \
    workers/resize:2 workers/solo
expect 'grouper stop workers/resize:' 1 2
expect 'grouper stop db workers/s' workers/solo
expect 'grouper restart --timeout 5s workers/s' workers/solo
expect 'grouper signal USR1 db workers/s' workers/solo
expect 'grouper scale 3 workers/s' workers/solo
expect 'grouper scale 3' ''
expect 'grouper logs -f -n 5 workers/s' workers/solo
expect 'grouper wait --host shop workers/s' workers/solo
expect 'grouper spawn --supervisor wor' workers workers/resize \
    workers/resize:1 workers/resize:2 workers/solo
expect 'grouper wait --host=shop workers/s' workers/solo
expect 'grouper wait --host none workers/s' ''
expect "grouper status -s $work/run/shop.sock workers/s" workers/solo
expect 'grouper status --host sh' shop
expect 'grouper topics show te' team:eng team:ops
expect 'grouper topics add team:e' eng
expect 'grouper topics create te' ''
expect 'grouper broadcast --host shop team:o' ops
expect 'grouper broadcast team:ops te' ''
expect 'grouper config get v' version
expect 'grouper config list v' ''

# As fish does when the tab is pressed.
# fish expands it.
# shellcheck disable=SC2016
complete_fish() {
	HOME=$work fish -c '
		source $argv[1]/grouper.fish; complete -C $argv[2]' \
	    "$source" "$1" | cut -f 1
}

# Only an interactive zsh completes: one at a pseudo-terminal, which writes
# what matches to a FIFO.  It may say more than once that this was all: each
# has a FIFO of its own, and opens it so that it never waits for a reader.
cat >interactive.zsh <<'EOF'
PS1=
fpath=($completions $fpath)
autoload -U compinit
compinit -u -D
zstyle ':completion:*' insert-tab false
bindkey '^I' complete-word
compadd() {
	local -a matches

	# With these it fills arrays for others.
	if [[ "${(j: :)@}" != *-[OAD]\ * ]]; then
		builtin compadd -A matches "$@"
		print -rl -- $matches 1<>$replies
	fi
	builtin compadd "$@"
}
ended() { print end of replies 1<>$replies }
comppostfuncs=(ended)
EOF
cat >complete.zsh <<'EOF'
zmodload zsh/zpty
replies=replies.$$
mkfifo $replies
exec 3<>$replies
zpty shell completions=${(q)1} replies=$replies zsh -f -i
zpty -w shell '. ./interactive.zsh'
zpty -w -n shell "$2"$'\t'
while read -r line <&3 && [[ $line != 'end of replies' ]]; do
	print -r -- $line
done
zpty -d shell
EOF

complete_zsh() {
	HOME=$work timeout 60 zsh -f complete.zsh "$source" "$1"
}

# has SHELL LINE REPLY...: each of these.
has() {
	shell=$1 line=$2
	shift 2
	"complete_$shell" "$line" >got 2>&1 || fail "$shell: $line: $?"
	for reply; do
		if grep -Fxq -e "$reply" got; then
			echo "ok: $shell: $line: $reply"
		else
			fail "$shell: $line: no $reply in $(tr '\n' ' ' <got)"
		fi
	done
}

for shell in fish zsh; do
	if ! command -v "$shell" >/dev/null; then
		echo "skipped: no $shell"
		continue
	fi
	has "$shell" 'grouper sta' start status
	has "$shell" 'grouper status --j' --json
	has "$shell" 'grouper stop ' db workers/resize:1 workers/solo
	has "$shell" 'grouper restart --timeout 5s workers/s' workers/solo
	has "$shell" 'grouper scale 3 workers/s' workers/solo
	has "$shell" 'grouper wait --host shop workers/s' workers/solo
	has "$shell" 'grouper topics show te' team:eng team:ops
	has "$shell" 'grouper config get v' version
	has "$shell" 'grouper signal ' USR1 TERM
	"complete_$shell" 'grouper wait --host none ' >got 2>&1 || :
	! grep -Fxq db got || fail "$shell: the keys of another host"
done
[ ! -e bad ] || fail "a key was executed"

kill -TERM "$host"
wait "$host" || fail "the tree ended with $?"
host=

[ "$failed" -eq 0 ]
