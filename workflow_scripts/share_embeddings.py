"""Command share_embeddings: blocks of a model in one file for others, or such a file into a store.

python workflow_scripts/share_embeddings.py --help
"""

from brainstruct.planning.sharing import main

if __name__ == "__main__":
    raise SystemExit(main())
