# Prints the rows of a zfs listing.
#   zfs-list.awk FIELDS ,TYPES, TYPED DEPTH COUNT [NAME...] FILE...
# A row in a file: the columns of `stored` and two more, separated by tabs, where \001 stands for a newline and \002 for a tab in a
# mountpoint. With names: those, and what is below each down to DEPTH, in the order of the files. Without: everything
# down to DEPTH. TYPED is empty when no -t was given: a named snapshot is then listed all the same.
BEGIN {
	stored = "compression,creation,filesystem_limit,name,quota,recsize,refquota,refreservation,snapshot_limit,type,usedbysnapshots,userrefs,volblocksize,volsize,written,zoned,mountpoint"
	columns = split(stored ",referenced,used", names, ",")
	for (i = 1; i <= columns; i++)
		column[names[i]] = i
	column["compress"] = column["compression"]
	column["recordsize"] = column["recsize"]
	column["refer"] = column["referenced"]
	column["refreserv"] = column["refreservation"]
	column["usedsnap"] = column["usedbysnapshots"]
	column["volblock"] = column["volblocksize"]

	types = ARGV[2]
	typed = ARGV[3]
	depth = ARGV[4] + 0
	count = ARGV[5] + 0
	fields = split(ARGV[1], wanted, ",")
	for (i = 1; i <= fields; i++)
		order[i] = column[wanted[i]]
	as_stored = ARGV[1] == stored

	for (i = 6; i < 6 + count; i++)
		asked[ARGV[i]] = 1
	for (; i < ARGC; i++)
		while ((getline line < ARGV[i]) > 0)
			row(line)
	status = 0
	for (i = 6; i < 6 + count; i++)
		if ((problem = trouble(ARGV[i])) != "") {
			print "cannot open '" ARGV[i] "': " problem > "/dev/stderr"
			status = 1
		}
	exit status
}

function row(line,    name, level) {
	split(line, value, "\t")
	name = value[4]
	level = count ? level_below_asked(name) : level_of(name)
	if (level == 0)
		seen[name] = value[10]
	if (level < 0 || level > depth)
		return
	if (!index(types, "," value[10] ",") && !(level == 0 && count && typed == "" && value[10] == "snapshot"))
		return
	if (as_stored)
		out = substr(line, 1, length(line) - length(value[18]) - length(value[19]) - 2)
	else {
		out = value[order[1]]
		for (j = 2; j <= fields; j++)
			out = out "\t" value[order[j]]
	}
	if (index(out, "\001"))
		gsub(/\001/, "\n", out)
	if (index(out, "\002"))
		gsub(/\002/, "\t", out)
	print out
}

# How far a name is below the nearest dataset that was asked for, or -1.
function level_below_asked(name,    level) {
	for (level = 0; ; level++) {
		if (name in asked)
			return level
		if (level >= depth || !match(name, /[\/@#][^\/@#]*$/))
			return -1
		name = substr(name, 1, RSTART - 1)
	}
}

function level_of(name) {
	return gsub(/[\/@#]/, "&", name)
}

# Why zfs cannot list a dataset that was asked for, or "".
function trouble(name) {
	if (name == "")
		return "empty component or misplaced '@' or '#' delimiter in name"
	if (name ~ /\/$/)
		return "trailing slash in name"
	if (typed != "" && name ~ /@/ && !index(types, ",snapshot,"))
		return "snapshot delimiter '@' is not expected here"
	if (!(name in seen))
		return "dataset does not exist"
	if (typed == "" || index(types, "," seen[name] ","))
		return ""
	if (depth > 0 && (seen[name] == "filesystem" || types ~ /,(snapshot|bookmark),/))
		return ""
	return "operation not applicable to datasets of this type"
}
