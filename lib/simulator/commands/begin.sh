# Sourced first by every simulated command: finds the tree that the command stands in, and logs the invocation.
# The record is one write: each argument followed by \037, then a newline and \037 (invocations.ts reads it).
LC_ALL=C
export LC_ALL
simulator=${0%usr/*bin/*}var/simulator
if [ -z "$SIMULATOR_FAULTS" ]; then
	printf '%s\037' "$@" '
' >>"$simulator/invocations/$command"
fi
