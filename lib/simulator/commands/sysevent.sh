#!/bin/sh
# sysevent(8): `-rj -c com.sun:zones:status` and `-rj EC_zfs ESC_ZFS_history_event`. Prints `ready`, then every line
# that is appended to the channel's file after that, until killed. The place to go on from is taken before `ready` is
# printed, so nothing that is posted after it can be lost. Where tail can, it ends with the process that started us, however
# that ends: a broken pipe would show only at the next event.
command=sysevent
. "${0%usr/sbin/*}var/simulator/commands/begin.sh"

usage() {
	echo "usage: sysevent -rj -c com.sun:zones:status | sysevent -rj EC_zfs ESC_ZFS_history_event    (all that is simulated)" >&2
	exit 2
}
name=
while getopts ':rjc:' option; do
	case $option in
	r | j) ;;
	c) name=$OPTARG ;;
	*) usage ;;
	esac
done
class=$(shift $((OPTIND - 1)) && echo "$1")
case ${name:-$class} in
com.sun:zones:status) channel=zones ;;
EC_zfs) channel=zfs ;;
*) usage ;;
esac

full=yes
if [ -d "$simulator/faults/sysevent" ] && [ "$SIMULATOR_FAULTS" != off ]; then
	. "$simulator/commands/faults.sh"
else
	no_ready=
	apply_fault() { :; }
fi

with=
tail --pid=$$ -n 0 /dev/null >/dev/null 2>&1 && with=--pid=$PPID

echo "$channel" >"$simulator/sysevent/$$"
size=$(wc -c <"$simulator/channels/$channel")
if [ -n "$no_ready" ]; then
	[ -z "$status" ] || exit "$status"
	exec tail $with -n 0 -f "$simulator/sysevent/$$"
fi
printf '{"date":"%s","type":"ready"}\n' "$(date -u +%Y-%m-%dT%H:%M:%S.000Z)"
apply_fault "$@"
exec tail $with -c "+$((size + 1))" -f "$simulator/channels/$channel"
