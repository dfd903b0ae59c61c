"""One module per widget, over base, wire and worker."""
