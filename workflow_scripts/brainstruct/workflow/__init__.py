"""What parsing the Snakefile needs: names of files, choices of jobs; no data, no heavy package."""
