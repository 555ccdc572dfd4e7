"""Speed as ratios, measured in one run on one machine against named baselines; see ``docs/speed.md``."""
