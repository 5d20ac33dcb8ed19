"""The robot of a Raspberry Pi: the simulator's robot on real devices, and its way to a hub."""
