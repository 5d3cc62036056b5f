"""The Natural Scenes Dataset on disk: identifiers, design, stimuli, betas, regions."""
