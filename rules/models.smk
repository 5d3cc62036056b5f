# Checkpoints, and what the models make of the stimuli.


rule fetch_checkpoint:
    input:
        choose.checkpoint_folder,
    output:
        targets.checkpoint(),
    log:
        targets.log("fetch_checkpoint/{checkpoint}"),
    benchmark:
        targets.benchmark("fetch_checkpoint/{checkpoint}")
    localrule: True
    conda:
        "../envs/embed.yaml"
    params:
        source=choose.checkpoint_source,
        folder="resources/checkpoints/{checkpoint}",
    script:
        "../workflow_scripts/fetch_checkpoint.py"


rule embed:
    input:
        block=targets.block(),
        stimuli=choose.stimuli,
        checkpoint=choose.checkpoint,
    output:
        targets.embedding(),
    log:
        targets.log("embed/{model}/{instruction}/{block}"),
    benchmark:
        targets.benchmark("embed/{model}/{instruction}/{block}")
    conda:
        "../envs/embed.yaml"
    resources:
        gpu=1,
        mem_mb=grow(48000),
        runtime=grow(240),
    params:
        model=choose.model,
        instruction=choose.instruction,
        layout=choose.layout,
        work=f"{targets.root}/work/embed/{{model}}/{{instruction}}/{{block}}",
        code=choose.embed_code,
    script:
        "../workflow_scripts/embed.py"
