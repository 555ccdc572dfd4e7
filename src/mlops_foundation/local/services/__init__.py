"""The services of ours, in the order they start. Adding one is a folder and a line."""
