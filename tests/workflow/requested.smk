# Jobs that fail, each in its own way; what each was given is a line of its file.
import sys

from brainstruct.workflow.failing import said_of
from brainstruct.workflow.requests import Requests


onstart:
    Requests(workflow, "results").stand()


onerror:
    print("\n".join(said_of(workflow, "results")), file=sys.stderr, flush=True)


rule all:
    default_target: True
    input:
        expand("results/{way}.txt", way=config["ways"].split(",")),


rule fails:
    output:
        "results/{way}.txt",
    log:
        "logs/{way}.log",
    resources:
        mem_mb=100,
        runtime=10,
    script:
        "fails.py"
