"""What happened to a network while it learned: recording, reading, diagnosis."""
