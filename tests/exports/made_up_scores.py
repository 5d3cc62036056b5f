"""What the made-up scores are of."""

from __future__ import annotations

SHAPE = (82, 106, 84)

INSTRUCTIONS = {
    "IC": {"task": "Captioning", "text": "Describe it"},
    "VQ1": {"task": "Questions", "text": "What is it?"},
    "IU1": {"task": "Understanding", "text": "Which colour?"},
}

LAYERS = [0, 2, 5]

THRESHOLD = 0.3
