# SPDX-License-Identifier: ISC
#
# Completion of grouper(1) for fish.  Verbs and options are those that
# grouper's own help lists; keys and hosts are those that run.

# "verb<tab>text"
function __grouper_verbs
    grouper help 2>/dev/null |
        string replace -rf '^  ([a-z]+) +(.*)' '$1\t$2'
end

function __grouper_verb
    set -l words (commandline -opc)
    test (count $words) -gt 1; and echo $words[2]
end

function __grouper_verb_is
    contains -- (__grouper_verb) $argv
end

# The options of the verb, "--name<tab>text", and "--name=" where one has a
# value.
function __grouper_options
    grouper (__grouper_verb) --help 2>/dev/null |
        string replace -rf '^ +(?:-., )?(--[a-z-]+)(?:\[?(=)\S*| [A-Z]\S*)? *(.*)' '$1$2\t$3'
end

# How many arguments stand behind the verb.
function __grouper_arguments
    set -l words (commandline -opc)
    count (string match -v -- '-*' $words[3..-1])
end

function __grouper_keys
    set -l words (commandline -opc)
    set -l host
    for i in (seq 3 (count $words))
        switch $words[$i]
            case '--host=*' '--socket=*'
                set host $words[$i]
            case --host --socket -s
                set host $words[$i] $words[(math $i + 1)]
        end
    end
    grouper status --keys $host 2>/dev/null
end

# For topics and config: what stands behind the verb.
function __grouper_action
    set -l words (commandline -opc)
    string match -v -- '-*' $words[3..-1] | head -n 1
end

function __grouper_groups
    grouper topics list 2>/dev/null
end

function __grouper_settings
    grouper config list 2>/dev/null | string replace -r '=.*' ''
end

function __grouper_hosts
    grouper hosts 2>/dev/null | string replace -rf '^(\S+) +[0-9]+ .*' '$1'
end

complete -c grouper -f
complete -c grouper -n 'not __grouper_verb' -a '(__grouper_verbs)'
complete -c grouper -n 'not __grouper_verb' -s h -l help -d 'the list of verbs'
complete -c grouper -n 'not __grouper_verb' -s V -l version -d 'the version'
complete -c grouper -n '__grouper_verb; and string match -q -- "-*" (commandline -ct)' -a '(__grouper_options)'
complete -c grouper -n '__grouper_verb_is help' -a '(__grouper_verbs)'
complete -c grouper -n '__grouper_verb_is supervise up check plan' -F
complete -c grouper -n '__grouper_verb_is run spawn' -a '(__fish_complete_subcommand --fcs-skip=2)'
complete -c grouper -n '__grouper_verb_is status ps start stop restart reset delete wait logs' -a '(__grouper_keys)'
complete -c grouper -n '__grouper_verb_is signal scale; and test (__grouper_arguments) -gt 0' -a '(__grouper_keys)'
complete -c grouper -n '__grouper_verb_is signal; and test (__grouper_arguments) -eq 0' -a '(__fish_make_completion_signals; string replace -rf "^[0-9]+ " "" -- $__kill_signals)'
complete -c grouper -n '__grouper_verb_is topics; and test (__grouper_arguments) -eq 0' -a 'create delete add remove show list'
complete -c grouper -n '__grouper_verb_is topics; and test (__grouper_arguments) -eq 1; and contains -- (__grouper_action) delete add remove show' -a '(__grouper_groups)'
complete -c grouper -n '__grouper_verb_is broadcast; and test (__grouper_arguments) -eq 0' -a '(__grouper_groups)'
complete -c grouper -n '__grouper_verb_is config; and test (__grouper_arguments) -eq 0' -a 'get put delete list'
complete -c grouper -n '__grouper_verb_is config; and test (__grouper_arguments) -eq 1; and contains -- (__grouper_action) get put delete' -a '(__grouper_settings)'
complete -c grouper -n '__grouper_verb_is listen' -l exec -x -a '(__fish_complete_command)'
complete -c grouper -n '__grouper_verb' -l host -x -a '(__grouper_hosts)'
complete -c grouper -n '__grouper_verb' -s s -l socket -r -F
complete -c grouper -n '__grouper_verb_is run spawn' -l cwd -x -a '(__fish_complete_directories)'
complete -c grouper -n '__grouper_verb_is run spawn' -l env-file -r -F
complete -c grouper -n '__grouper_verb_is run' -l report-file -r -F
complete -c grouper -n '__grouper_verb_is run spawn' -l stdin -r -F
complete -c grouper -n '__grouper_verb_is run spawn' -l uid -x -a '(__fish_complete_users)'
complete -c grouper -n '__grouper_verb_is run spawn' -l gid -x -a '(__fish_complete_groups)'
complete -c grouper -n '__grouper_verb_is run spawn' -l contain -x -a 'auto reaper cgroup pidns'
complete -c grouper -n '__grouper_verb_is run' -l session -x -a 'auto keep new'
complete -c grouper -n '__grouper_verb_is run' -l leaks -x -a 'kill wait warn fail'
complete -c grouper -n '__grouper_verb_is run spawn' -l stop-target -x -a 'group command tree'
complete -c grouper -n '__grouper_verb_is run' -l report -a 'text json'
complete -c grouper -n '__grouper_verb_is spawn' -l log -x -a 'prefix inherit discard syslog file:'
complete -c grouper -n '__grouper_verb_is spawn' -l restart -x -a 'permanent transient temporary'
complete -c grouper -n '__grouper_verb_is spawn' -l supervisor -x -a '(__grouper_keys)'
