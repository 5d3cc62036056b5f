# What was done, as text to quote: from the provenance of the results.


rule write_methods:
    input:
        responses=targets.all_responses,
        scores=targets.all_scores,
        winners=[targets.winners(*pair) for pair in targets.pairs()],
    output:
        html=report(
            targets.methods(),
            caption="../report/methods.rst",
            category="7 Methods",
            labels={"page": "methods and references"},
        ),
        markdown=targets.methods("md"),
        bibtex=targets.methods("bib"),
    log:
        targets.log("write_methods"),
    benchmark:
        targets.benchmark("write_methods")
    localrule: True
    conda:
        "../envs/methods.yaml"
    params:
        study=choose.methods,
        pairs=list(targets.pairs()),
        page=folder_identity("methods/template"),
        code=stage_identity("write_methods"),
    script:
        "../workflow_scripts/write_methods.py"
