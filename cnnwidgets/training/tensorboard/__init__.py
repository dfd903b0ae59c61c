"""Event files of TensorBoard, read and written without it."""
