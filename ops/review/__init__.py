"""What a change of this repository would do, for the people who review it: in words, from our files and the engine."""
