"""Who each robot is: a file of its own, read while the hub runs."""
