"""The whole road by one file: ``hyq-hls build`` reads ``hyq.toml`` and runs its steps in order."""
