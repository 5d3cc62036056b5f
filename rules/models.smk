# Checkpoints, and what the models make of the stimuli.


rule fetch_checkpoint:
    input:
        models.built_folder,
    output:
        manifest=models.checkpoint(),
        stamps=models.checkpoint_stamps(),
    log:
        models.log("fetch_checkpoint/{checkpoint}"),
    benchmark:
        models.benchmark("fetch_checkpoint/{checkpoint}")
    localrule: True
    conda:
        "../envs/embed.yaml"
    params:
        source=lambda wildcards: study.checkpoints[wildcards.checkpoint].origin,
        folder=lambda wildcards: models.checkpoint_folder(wildcards.checkpoint),
        contents=models.checkpoint_contents,
    script:
        "../workflow_scripts/fetch_checkpoint.py"


# Rule embed; or, where a job gives a model several instructions, one rule per set
# of instructions that share a job. Every instruction's file is a target either way.
for name, kind in models.embed_jobs().items():

    rule:
        name:
            name
        input:
            block=data.block(),
            stimuli=models.stimuli,
            manifest=models.of_checkpoint(models.checkpoint),
        output:
            embeddings=[models.embedding(instruction=key) for key in kind.instructions],
        log:
            models.log(f"embed/{{model}}/{kind.name}/{{block}}"),
        benchmark:
            models.benchmark(f"embed/{{model}}/{kind.name}/{{block}}")
        wildcard_constraints:
            model="|".join(kind.models),
        conda:
            "../envs/embed.yaml"
        threads: models.threads
        resources:
            gpu=models.gpus,
            mem_mb=48000,
            runtime=kind.minutes,
        params:
            model_settings=models.settings,
            layers=models.layers,
            stamps=models.of_checkpoint(models.checkpoint_stamps),
            folder=models.of_checkpoint(models.checkpoint_folder),
            texts=models.texts(kind.instructions),
            dataset=models.about_stimuli,
            contents=lambda wildcards: inputs.contents_of(models.stimuli(wildcards)),
            precision=models.precision,
            work=models.work(),
            code=models.embed_code,
        script:
            "../workflow_scripts/embed.py"


# No declared output: whenever it is asked for, it looks what may go.
rule discard_embeddings:
    input:
        lambda wildcards: made_of_embeddings(rooms),
    log:
        models.log("discard_embeddings"),
    localrule: True
    conda:
        "../envs/plan.yaml"
    script:
        "../workflow_scripts/discard_embeddings.py"
