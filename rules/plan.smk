# What the study will take, before anything is computed: `snakemake plan`.


# No declared output: it is asked anew every time.
rule plan:
    log:
        data.log("plan"),
    localrule: True
    conda:
        "../envs/plan.yaml"
    params:
        snakefile=f"{home}/Snakefile",
        path=data.plan(),
    script:
        "../workflow_scripts/plan.py"
