"""What every other package stands on: errors, names and limits, ARNs, clock and id sources."""
