"""What a worker's model may do: run a command, edit a file, report, ask."""
