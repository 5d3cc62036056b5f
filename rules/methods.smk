# What was done, as text to quote: from the provenance of the results.


rule write_methods:
    input:
        responses=data.of_subjects(data.responses),
        scores=encoding.of_pairs(encoding.scores),
        winners=encoding.of_pairs(encoding.winners),
    output:
        html=report(
            methods.methods(),
            caption="../report/methods.rst",
            category="7 Methods",
            labels={"page": "methods and references"},
        ),
        markdown=methods.methods("md"),
        bibtex=methods.methods("bib"),
    log:
        methods.log("write_methods"),
    benchmark:
        methods.benchmark("write_methods")
    localrule: True
    conda:
        "../envs/methods.yaml"
    params:
        words=methods.words,
        dataset=data.about("words"),
        subject_models=list(encoding.pairs()),
        code=lambda wildcards: [
            stage_identity("write_methods"),
            folder_identity("methods/template"),
            methods.texts_code,
        ],
    script:
        "../workflow_scripts/write_methods.py"
