#!/bin/sh
# zoneadm(8): `list -p -c` (all zones), `-z <zone> list -p`, `-z <zone> -u <uuid> list -p`.
# Every zone is a file that holds its line, and a link to it by UUID.
command=zoneadm
. "${0%usr/sbin/*}var/simulator/commands/begin.sh"

usage() {
	echo "usage: zoneadm [-z zone] [-u uuid] list -p [-c]    (all that is simulated)" >&2
	exit 2
}

zone= uuid=
global_options() {
	while getopts ':z:u:' option; do
		case $option in
		z) zone=$OPTARG ;;
		u) uuid=$OPTARG ;;
		*) usage ;;
		esac
	done
}
parseable= configured=
list_options() {
	[ "$1" = list ] || usage
	shift
	OPTIND=1
	while getopts ':pci' option; do
		case $option in
		p) parseable=yes ;;
		c | i) configured=yes ;;
		*) usage ;;
		esac
	done
}
subcommand() {
	shift $((OPTIND - 1))
	list_options "$@"
}
global_options "$@"
subcommand "$@"
[ -n "$parseable" ] || usage
full=
[ -n "$zone$uuid" ] || full=yes

if [ -d "$simulator/faults/zoneadm" ] && [ "$SIMULATOR_FAULTS" != off ]; then
	. "$simulator/commands/faults.sh"
	apply_fault "$@"
fi

cd "$simulator/zones" || exit 1
if [ -n "$full" ]; then
	if [ -n "$configured" ]; then
		# A zone that goes away during the walk is skipped in silence. In blocks, as zoneadm prints: cat would write
		# each file by itself.
		tail -q -n +1 ./.global ./* 2>/dev/null
	else
		tail -q -n +1 ./.global ./* 2>/dev/null | grep -v '^-'
	fi
	exit 0
fi
for file in ${uuid:+"../uuids/$uuid" "./$uuid"} ${zone:+"./$zone"}; do
	if { IFS= read -r line <"$file"; } 2>/dev/null; then
		printf '%s\n' "$line"
		exit 0
	fi
done
echo "zoneadm: ${zone:-$uuid}: No such zone configured" >&2
exit 1
