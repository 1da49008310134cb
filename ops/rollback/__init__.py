"""The way back: to the files of an earlier deployment, by the same program and the same preview, up and verify."""
