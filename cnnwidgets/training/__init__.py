"""What happened to a network while it learned: recording, reading, diagnosis.

recorder
    Records an unmodified training loop, `cnnwidgets.Recorder`.
run
    What every run can be asked, recorded here or read from files.
stored, tensorboard
    Runs read from a directory, and from event files.
diagnosis
    What goes wrong in a run: the rules, and where they are from.
callbacks
    What trainers of Lightning and transformers know and no hook sees.
"""
