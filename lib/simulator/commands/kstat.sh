#!/bin/sh
# kstat(8): `-j -m zones -c zone_misc [-i instance]`. Every kernel instance is a file named by its number, as kstat
# prints it, with the ", " that goes before it (the global zone is always first and has none).
command=kstat
. "${0%usr/bin/*}var/simulator/commands/begin.sh"
full=yes
if [ -d "$simulator/faults/kstat" ] && [ "$SIMULATOR_FAULTS" != off ]; then
	. "$simulator/commands/faults.sh"
	apply_fault "$@"
fi

json= module=zones class=zone_misc instance=
while getopts ':jm:c:i:' option; do
	case $option in
	j) json=yes ;;
	m) module=$OPTARG ;;
	c) class=$OPTARG ;;
	i) instance=$OPTARG ;;
	*)
		echo "usage: kstat -j -m zones -c zone_misc [-i instance]    (all that is simulated)" >&2
		exit 2
		;;
	esac
done
if [ -z "$json" ]; then
	echo "kstat: only -j is simulated" >&2
	exit 2
fi
nothing() {
	echo '[]'
	exit 1
}
[ "$module:$class" = zones:zone_misc ] || nothing
cd "$simulator/kstat" || exit 1
if [ -n "$instance" ]; then
	file=0000000000$instance
	file=${file#"${file%??????????}"}
	[ -r "$file" ] || nothing
	printf '['
	# Without another process: one that runs beside zoneadm would slow both down.
	[ "$instance" -ne 0 ] || exec cat "$file" - <<-END
		]
	END
	exec tail -q -c +3 "$file" - <<-END
		, ]
	END
fi
printf '['
# In blocks, as kstat prints: cat would write each file by itself.
tail -q -n +1 ./* 2>/dev/null
echo ']'
exit 0
