"""Which pixels of a picture matter to what a network says of it."""
