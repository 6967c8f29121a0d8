# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_dagdactl_global_optspecs
    string join \n socket= json timeout= h/help V/version
end

function __fish_dagdactl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_dagdactl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_dagdactl_using_subcommand
    set -l cmd (__fish_dagdactl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c dagdactl -n "__fish_dagdactl_needs_command" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_needs_command" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_needs_command" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -s V -l version -d 'Print version'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "status" -d 'Show host, pods, economy mode, runs, alerts and store at a glance'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "apply" -d 'Put manifests into the catalogue: all of them or none'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "export" -d 'Print the catalogue as manifests that `apply` takes'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "pods" -d 'List, start, stop and inspect pods'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "pod" -d 'List, start, stop and inspect pods'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "ps" -d 'List pods: the same as `pods list`'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "workflow" -d 'Run, plan, stop and inspect workflows: named sets of pods with an order'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "workflows" -d 'Run, plan, stop and inspect workflows: named sets of pods with an order'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "wf" -d 'Run, plan, stop and inspect workflows: named sets of pods with an order'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "economy" -d 'Show, set, plan and replay economy mode, which makes room before memory runs out'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "alerts" -d 'Show what is amiss, take note of it, end it'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "alert" -d 'Show what is amiss, take note of it, end it'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "resources" -d 'Show the host\'s CPU, memory, disks and pressure, now or over time'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "events" -d 'Show what happened and why'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "audit" -d 'Show who asked for what, and what became of it'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "doctor" -d 'Check that everything dagdad needs is there, and say how to mend what is not'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c dagdactl -n "__fish_dagdactl_needs_command" -f -a "man" -d 'Print the manual page, or write all of them'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand status" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand status" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand status" -s w -l watch -d 'Show it again at each change, until interrupted'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand status" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand apply" -s f -l file -d 'A manifest, a folder with *.yml and *.yaml files, or - for standard input; may be repeated' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand apply" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand apply" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand apply" -l dry-run -d 'Check and say what would change; change nothing'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand apply" -s R -l recursive -d 'Also look into the folders inside a folder'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand apply" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand export" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand export" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand export" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "list" -d 'List pods with their state and use'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "show" -d 'Show all that is known of a pod'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "start" -d 'Start pods and wait until they are ready'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "stop" -d 'Stop pods, gracefully'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "restart" -d 'Stop pods and start them again with their present manifests'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "remove" -d 'Take pods out of the catalogue and out of Podman'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "logs" -d 'Print what a pod\'s containers wrote'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "stats" -d 'Show the CPU and memory that running pods use'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from list" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from list" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from list" -s a -l all -d 'Also pods that Podman runs but that are not in the catalogue'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from show" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from show" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from start" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from start" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from start" -l evict -d 'Where it does not fit, stop the pods that dagdad proposes first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from start" -l force -d 'Start whether it fits or not; dagdad records that it was forced'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from start" -l no-wait -d 'Return as soon as dagdad has accepted it'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from start" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stop" -l grace -d 'Kill what has not ended after this long, instead of the manifest\'s grace period: 0s, 30s' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stop" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stop" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stop" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from restart" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from restart" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from restart" -l no-wait -d 'Return as soon as dagdad has accepted it'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from restart" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from remove" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from remove" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from remove" -l force -d 'Stop those that run first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -l tail -d 'Begin with the last so many lines' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -l since -d 'Only lines younger than this: 10m, 1h' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -s c -l container -d 'Only of this container' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on and print new lines as they are written, until interrupted'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -l timestamps -d 'Put the time before each line'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stats" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stats" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stats" -s w -l watch -d 'Show it again at each measurement, until interrupted'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stats" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pods; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "list" -d 'List pods with their state and use'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "show" -d 'Show all that is known of a pod'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "start" -d 'Start pods and wait until they are ready'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "stop" -d 'Stop pods, gracefully'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "restart" -d 'Stop pods and start them again with their present manifests'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "remove" -d 'Take pods out of the catalogue and out of Podman'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "logs" -d 'Print what a pod\'s containers wrote'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and not __fish_seen_subcommand_from list show start stop restart remove logs stats" -f -a "stats" -d 'Show the CPU and memory that running pods use'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from list" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from list" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from list" -s a -l all -d 'Also pods that Podman runs but that are not in the catalogue'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from show" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from show" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from start" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from start" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from start" -l evict -d 'Where it does not fit, stop the pods that dagdad proposes first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from start" -l force -d 'Start whether it fits or not; dagdad records that it was forced'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from start" -l no-wait -d 'Return as soon as dagdad has accepted it'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from start" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stop" -l grace -d 'Kill what has not ended after this long, instead of the manifest\'s grace period: 0s, 30s' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stop" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stop" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stop" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from restart" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from restart" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from restart" -l no-wait -d 'Return as soon as dagdad has accepted it'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from restart" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from remove" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from remove" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from remove" -l force -d 'Stop those that run first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -l tail -d 'Begin with the last so many lines' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -l since -d 'Only lines younger than this: 10m, 1h' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -s c -l container -d 'Only of this container' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -s f -l follow -d 'Go on and print new lines as they are written, until interrupted'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -l timestamps -d 'Put the time before each line'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from logs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stats" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stats" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stats" -s w -l watch -d 'Show it again at each measurement, until interrupted'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stats" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand pod; and __fish_seen_subcommand_from stats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand ps" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand ps" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand ps" -s a -l all -d 'Also pods that Podman runs but that are not in the catalogue'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand ps" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "list" -d 'List workflows: what they need, what they do, whether they fit now'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "show" -d 'Show all that is known of a workflow, its pods drawn as a tree'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "plan" -d 'Explain what a run would do and whether it fits; change nothing'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "run" -d 'Run a workflow: start its pods in order and wait until all are ready'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "stop" -d 'Stop a workflow\'s pods in reverse order, or take its run out of the queue'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "runs" -d 'List runs, the newest first, or show one'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "remove" -d 'Take a workflow out of the catalogue; its pods stay'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from list" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from list" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from show" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from show" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from plan" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from plan" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from plan" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from run" -l timeout -d 'How long the pods may take to become ready, instead of the manifest\'s timeout: 90s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from run" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from run" -l evict -d 'Where it does not fit, stop the pods that dagdad proposes first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from run" -l force -d 'Start whether it fits or not; dagdad records that it was forced'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from run" -l queue -d 'Where it does not fit, wait until it does'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from run" -l no-wait -d 'Return as soon as dagdad has accepted it, and print the run\'s id'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from run" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from stop" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from stop" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from stop" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from runs" -l limit -d 'At most so many, the newest' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from runs" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from runs" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from runs" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from runs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from runs" -a "show" -d 'Show a run: its pods step by step, and what happened when'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from remove" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from remove" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflow; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "list" -d 'List workflows: what they need, what they do, whether they fit now'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "show" -d 'Show all that is known of a workflow, its pods drawn as a tree'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "plan" -d 'Explain what a run would do and whether it fits; change nothing'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "run" -d 'Run a workflow: start its pods in order and wait until all are ready'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "stop" -d 'Stop a workflow\'s pods in reverse order, or take its run out of the queue'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "runs" -d 'List runs, the newest first, or show one'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "remove" -d 'Take a workflow out of the catalogue; its pods stay'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from list" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from list" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from show" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from show" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from plan" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from plan" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from plan" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from run" -l timeout -d 'How long the pods may take to become ready, instead of the manifest\'s timeout: 90s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from run" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from run" -l evict -d 'Where it does not fit, stop the pods that dagdad proposes first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from run" -l force -d 'Start whether it fits or not; dagdad records that it was forced'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from run" -l queue -d 'Where it does not fit, wait until it does'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from run" -l no-wait -d 'Return as soon as dagdad has accepted it, and print the run\'s id'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from run" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from stop" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from stop" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from stop" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from runs" -l limit -d 'At most so many, the newest' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from runs" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from runs" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from runs" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from runs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from runs" -a "show" -d 'Show a run: its pods step by step, and what happened when'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from remove" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from remove" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand workflows; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "list" -d 'List workflows: what they need, what they do, whether they fit now'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "show" -d 'Show all that is known of a workflow, its pods drawn as a tree'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "plan" -d 'Explain what a run would do and whether it fits; change nothing'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "run" -d 'Run a workflow: start its pods in order and wait until all are ready'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "stop" -d 'Stop a workflow\'s pods in reverse order, or take its run out of the queue'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "runs" -d 'List runs, the newest first, or show one'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and not __fish_seen_subcommand_from list show plan run stop runs remove" -f -a "remove" -d 'Take a workflow out of the catalogue; its pods stay'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from list" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from list" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from show" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from show" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from plan" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from plan" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from plan" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from run" -l timeout -d 'How long the pods may take to become ready, instead of the manifest\'s timeout: 90s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from run" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from run" -l evict -d 'Where it does not fit, stop the pods that dagdad proposes first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from run" -l force -d 'Start whether it fits or not; dagdad records that it was forced'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from run" -l queue -d 'Where it does not fit, wait until it does'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from run" -l no-wait -d 'Return as soon as dagdad has accepted it, and print the run\'s id'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from run" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from stop" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from stop" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from stop" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from runs" -l limit -d 'At most so many, the newest' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from runs" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from runs" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from runs" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from runs" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from runs" -a "show" -d 'Show a run: its pods step by step, and what happened when'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from remove" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from remove" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand wf; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and not __fish_seen_subcommand_from status set plan backtest" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and not __fish_seen_subcommand_from status set plan backtest" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and not __fish_seen_subcommand_from status set plan backtest" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and not __fish_seen_subcommand_from status set plan backtest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and not __fish_seen_subcommand_from status set plan backtest" -f -a "status" -d 'Show whether it is active and why, what it took from which pods, and what happens next'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and not __fish_seen_subcommand_from status set plan backtest" -f -a "set" -d 'Set what it may do; kept over restarts of dagdad'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and not __fish_seen_subcommand_from status set plan backtest" -f -a "plan" -d 'Show what it would do now, perhaps with other thresholds; change nothing'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and not __fish_seen_subcommand_from status set plan backtest" -f -a "backtest" -d 'Replay the recorded past, to see what it would have done'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from status" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from status" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from status" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from set" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from set" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from set" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from plan" -l ram-threshold -d 'As if memory were short from this on, in percent' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from plan" -l cpu-threshold -d 'As if CPU were short from this on, in percent' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from plan" -l pressure-threshold -d 'As if memory pressure were too high from this on, in percent' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from plan" -l hysteresis -d 'As if memory and CPU had to be so many percent points below their thresholds to end it' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from plan" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from plan" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from plan" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from plan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l since -d 'Only the last so long: 12h, 7d; without it, all that is recorded' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l ram-threshold -d 'Also with this threshold of memory, in percent; may be repeated' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l cpu-threshold -d 'Also with this threshold of CPU, in percent; may be repeated' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l pressure-threshold -d 'Also with this threshold of memory pressure, in percent; may be repeated' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l hysteresis -d 'The other rows with so many percent points between begin and end, of memory and CPU' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l hold -d 'The other rows with this hold time: how long something has to be short' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l recovery -d 'The other rows with this recovery time: how long there has to be room' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l acts -d 'Also list every act, the oldest first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand economy; and __fish_seen_subcommand_from backtest" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "list" -d 'List what is amiss, the newest first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "ack" -d 'Take note of an alert, or of all of one condition'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "resolve" -d 'End an alert by hand'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "silence" -d 'Notify nobody of something for a while'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "unsilence" -d 'Notify people again, before the silence ends'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "silences" -d 'List what nobody is notified of, and until when'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -l since -d 'Only those raised or changed within this: 10m, 1h' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -l severity -d 'Only those that are at least as bad' -r -f -a "info\t'Good to know'
warning\t'Look at it some time'
critical\t'Look at it now'"
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -l limit -d 'At most so many, the newest' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -s a -l all -d 'Also those that are resolved'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -s w -l watch -d 'Show them again at each change, until interrupted'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from ack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silence" -l for -d 'For how long: 30m, 2h, 1d; at most 365d' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silence" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silence" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silence" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silence" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from unsilence" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from unsilence" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from unsilence" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from unsilence" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silences" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silences" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silences" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alerts; and __fish_seen_subcommand_from silences" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "list" -d 'List what is amiss, the newest first'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "ack" -d 'Take note of an alert, or of all of one condition'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "resolve" -d 'End an alert by hand'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "silence" -d 'Notify nobody of something for a while'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "unsilence" -d 'Notify people again, before the silence ends'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and not __fish_seen_subcommand_from list ack resolve silence unsilence silences" -f -a "silences" -d 'List what nobody is notified of, and until when'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -l since -d 'Only those raised or changed within this: 10m, 1h' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -l severity -d 'Only those that are at least as bad' -r -f -a "info\t'Good to know'
warning\t'Look at it some time'
critical\t'Look at it now'"
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -l limit -d 'At most so many, the newest' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -s a -l all -d 'Also those that are resolved'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -s w -l watch -d 'Show them again at each change, until interrupted'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from ack" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from ack" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from ack" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from ack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from resolve" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from resolve" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from resolve" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silence" -l for -d 'For how long: 30m, 2h, 1d; at most 365d' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silence" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silence" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silence" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silence" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from unsilence" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from unsilence" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from unsilence" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from unsilence" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silences" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silences" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silences" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand alert; and __fish_seen_subcommand_from silences" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand resources" -l since -d 'Show the history of this long until now instead: 1h, 2days' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand resources" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand resources" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand resources" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand resources" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand events" -l since -d 'Only younger than this: 10m, 1h' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand events" -l limit -d 'At most so many, the newest' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand events" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand events" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand events" -s f -l follow -d 'Go on and show new events as they happen, until interrupted'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand events" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand events" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -l since -d 'Only younger than this: 10m, 1d' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -l user -d 'Only what this user asked for: a name or a user id' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -l object -d 'Only what was asked of this pod, workflow or alert, as the caller wrote it' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -l limit -d 'At most so many, the newest' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -l denied -d 'Only what was denied'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand audit" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand doctor" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand doctor" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand doctor" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand doctor" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand completions" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand completions" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand completions" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand man" -l out -d 'Write dagdactl.1 and a page for each verb into this folder instead' -r -f -a "(__fish_complete_directories)"
complete -c dagdactl -n "__fish_dagdactl_using_subcommand man" -l socket -d 'The Unix socket of dagdad' -r -F
complete -c dagdactl -n "__fish_dagdactl_using_subcommand man" -l timeout -d 'Wait at most this long, then exit with 7: 500ms, 30s, 5m' -r
complete -c dagdactl -n "__fish_dagdactl_using_subcommand man" -l json -d 'Print JSON: one document, or one object a line where the output goes on'
complete -c dagdactl -n "__fish_dagdactl_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
