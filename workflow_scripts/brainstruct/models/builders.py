"""The builders of tiny checkpoints; a builder's module is imported only when it is asked for."""

BUILDERS: dict[str, str] = {
    "instructblip": "brainstruct.models.tiny.instructblip",
    "idefics": "brainstruct.models.tiny.idefics",
    "mplug-owl": "brainstruct.models.mplug_owl.tiny",
    "llava": "brainstruct.models.tiny.llava",
    "qwen2-vl": "brainstruct.models.tiny.qwen2_vl",
    "vit": "brainstruct.models.tiny.vit",
    "clip": "brainstruct.models.tiny.clip",
}
"""Kind -> module with a function ``build(folder, seed, **sizes)``."""
