"""The bridge into jobs: arguments, logs, errors, GPUs and memory of the function behind a rule."""
