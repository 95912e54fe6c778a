# Sourced by a simulated command when faults are set for it (faults.ts writes them): finds the first whose conditions
# hold for "$@" and for $full, waits or hangs as it says, and defines apply_fault for the rest.
# Re-running "$0" after a delay (rather than sleeping in a child) leaves no orphan, however the command is killed. What
# waits ends with the reader of its output, that is with the daemon, however that ends.
fault_found=
for fault in "$simulator/faults/$command"/*; do
	match='' only_full='' delay_s='' hang='' status='' to_stdout='' to_stderr='' edit='' truncate_bytes='' no_ready=''
	[ -r "$fault" ] && . "$fault" || continue
	[ -z "$only_full" ] || [ -n "$full" ] || continue
	case "$*" in *"$match"*) fault_found=yes; break ;; esac
done

apply_fault() {
	[ -z "$to_stderr" ] || printf '%s\n' "$to_stderr" >&2
	[ -z "$to_stdout" ] || printf '%s\n' "$to_stdout"
	[ -z "$status" ] || exit "$status"
	if [ -n "$edit" ]; then
		output=$(SIMULATOR_FAULTS=off "$0" "$@")
		status=$?
		output=$(printf '%s\n' "$output" | sed "$edit")
		[ -z "$output" ] || printf '%s\n' "$output"
		exit "$status"
	fi
	if [ -n "$truncate_bytes" ]; then
		SIMULATOR_FAULTS=off "$0" "$@" | head -c "$truncate_bytes"
		exit 0
	fi
}

# Waits for so many seconds, or for ever (-1), and then becomes the command that follows.
wait_then() {
	exec perl -MIO::Poll -e '
		my $s = shift;
		my $output = IO::Poll->new;
		$output->mask(STDOUT => POLLERR | POLLHUP);
		exit 1 if $output->poll($s < 0 ? () : $s) > 0;
		exec @ARGV' -- "$@"
}

if [ -z "$fault_found" ]; then
	apply_fault() { :; }
	no_ready=
else
	if [ -n "$delay_s" ] && [ "$SIMULATOR_FAULTS" != delayed ]; then
		SIMULATOR_FAULTS=delayed
		export SIMULATOR_FAULTS
		wait_then "$delay_s" "$0" "$@"
	fi
	[ -z "$hang" ] || wait_then -1
fi
