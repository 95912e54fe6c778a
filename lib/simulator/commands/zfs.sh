#!/bin/sh
# zfs(8). All but `list` is done by vminfod-sim, which wrote down where it is. `list` takes -H, -p, -t, -o, -d, -r and dataset
# names. One file holds what is printed of a top-level dataset
# and all below it, so a lone dataset costs one small file, and a full listing one pass over all of them.
command=zfs
. "${0%usr/sbin/*}var/simulator/commands/begin.sh"

known=,compression,creation,filesystem_limit,mountpoint,name,quota,recsize,referenced,refquota,refreservation,snapshot_limit,type,usedbysnapshots,used,userrefs,volblocksize,volsize,written,zoned,
aliases=,compress,recordsize,refer,refreserv,usedsnap,volblock,
unscaled=,compression,compress,filesystem_limit,mountpoint,name,snapshot_limit,type,userrefs,zoned,

usage() {
	{
		printf '%s\n' "$1"
		cat "$simulator/commands/zfs-list-usage.txt"
	} >&2
	exit 2
}
not_simulated() {
	echo "simulated zfs: $1" >&2
	exit 2
}

[ "$1" = list ] || {
	[ -r "$simulator/vminfod-sim" ] || not_simulated "vminfod-sim does all but list, and is not here"
	{ read -r node && read -r program; } <"$simulator/vminfod-sim"
	exec "$node" "$program" --root "${0%usr/sbin/*}" zfs "$@"
}

header=yes exact= types= fields= depth= recursive=
options() {
	shift
	while getopts ':Hprd:o:t:' option; do
		case $option in
		H) header= ;;
		p) exact=yes ;;
		r) recursive=yes ;;
		d) depth=$OPTARG ;;
		o) fields=$OPTARG ;;
		t) types=$OPTARG ;;
		:) usage "missing argument for '$OPTARG' option" ;;
		*) usage "invalid option '$OPTARG'" ;;
		esac
	done
}
check() {
	case $depth in *[!0-9]*) usage "$depth is not an integer" ;; esac
	IFS=,
	for type in $types; do
		case $type in
		filesystem | snapshot | volume | bookmark | all) ;;
		*) usage "invalid type '$type'" ;;
		esac
	done
	[ -z "$header" ] && [ -n "$fields" ] || not_simulated "list needs -H and -o"
	for field in $fields; do
		case $known$aliases in
		*",$field,"*) ;;
		*) usage "bad property list: invalid property '$field'" ;;
		esac
		[ -n "$exact" ] && continue
		case $unscaled in *",$field,"*) ;; *) not_simulated "$field is only listed with -p" ;; esac
	done
	unset IFS
}
options "$@"
check
full=
[ $# -gt "$OPTIND" ] || full=yes

if [ -d "$simulator/faults/zfs" ] && [ "$SIMULATOR_FAULTS" != off ]; then
	. "$simulator/commands/faults.sh"
	apply_fault "$@"
fi
shift "$OPTIND"

if [ -z "$depth" ]; then
	depth=0
	[ -z "$full$recursive" ] || depth=1000000
fi
typed=$types
[ -n "$types" ] || types=filesystem,volume
[ "$types" != all ] || types=filesystem,snapshot,volume,bookmark

cd "$simulator/zfs" || exit 1
# The file of a dataset: a zone's datasets in the old layout (<zone>-disk0) sort between the zone and its children, so
# they are in the zone's file, and reading the files in the order of their names gives the order of zfs list.
file_of() {
	case $1 in
	*/*)
		top=${1#*/}
		top=${top%%[/@#]*}
		case $top in
		????????-????-????-????-????????????*) top=${top%"${top#????????????????????????????????????}"} ;;
		*) top=${top%%[-. ]*} ;;
		esac
		file=${1%%/*}/${top:-.none}
		;;
	*) file=${1%%[@#]*}/!pool ;;
	esac
}
list() { exec awk -f ../commands/zfs-list.awk -- "$fields" ",$types," "$typed" "$depth" "$@"; }

if [ -n "$full" ]; then
	list 0 ./*/*
elif [ $# -eq 1 ]; then
	case $1 in
	'') list 1 "$1" ;;
	*/* | *[@#]*)
		file_of "$1"
		list 1 "$1" "./$file"
		;;
	*) list 1 "$1" "./$1"/* ;;
	esac
fi
count=$#
files=
for name; do
	case $name in
	'') continue ;;
	*/* | *[@#]*)
		file_of "$name"
		file=./$file
		;;
	*) file=$(printf '%s\n' "./$name"/*) ;;
	esac
	[ "$file" = "$files" ] || files=${files:+$files
}$file
done
# Nearly always all of them are in one file; to sort is a process more.
case $files in
*'
'*) files=$(printf '%s\n' "$files" | sort -u) ;;
esac
IFS='
'
set -f
list "$count" "$@" $files
