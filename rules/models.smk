# Checkpoints, and what the models make of the stimuli.


rule fetch_checkpoint:
    input:
        choose.checkpoint_folder,
    output:
        targets.checkpoint(),
        stamps=targets.checkpoint_stamps(),
    log:
        targets.log("fetch_checkpoint/{checkpoint}"),
    benchmark:
        targets.benchmark("fetch_checkpoint/{checkpoint}")
    localrule: True
    conda:
        "../envs/embed.yaml"
    params:
        source=choose.checkpoint_source,
        folder=choose.checkpoint_place,
    script:
        "../workflow_scripts/fetch_checkpoint.py"


# Rule embed; or, where a job gives a model several instructions, one rule per set
# of instructions that share a job. Every instruction's file is a target either way.
for name, kind in targets.embed_jobs().items():

    rule:
        name:
            name
        input:
            block=targets.block(),
            stimuli=choose.stimuli,
            checkpoint=choose.checkpoint,
        output:
            [targets.embedding(instruction=key) for key in kind.instructions],
        log:
            targets.log(f"embed/{{model}}/{kind.name}/{{block}}"),
        benchmark:
            targets.benchmark(f"embed/{{model}}/{kind.name}/{{block}}")
        wildcard_constraints:
            model="|".join(kind.models),
        conda:
            "../envs/embed.yaml"
        resources:
            gpu=choose.gpus_to_embed,
            mem_mb=grow(48000),
            runtime=grow(180 + 60 * len(kind.instructions)),
        params:
            model=choose.model,
            stamps=choose.checkpoint_stamps,
            instructions=choose.texts(kind.instructions),
            layout=choose.image_layout,
            work=f"{targets.root}/work/embed/{{model}}/{{block}}",
            code=choose.embed_code,
        script:
            "../workflow_scripts/embed.py"


rule tabulate_responses:
    input:
        choose.model_embeddings,
    output:
        targets.said(),
    log:
        targets.log("tabulate_responses/{model}/{instruction}"),
    benchmark:
        targets.benchmark("tabulate_responses/{model}/{instruction}")
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        code=stage_identity("tabulate_responses"),
    script:
        "../workflow_scripts/tabulate_responses.py"


rule show_responses:
    input:
        tables=choose.said,
        block=targets.block(targets.blocks_of("shared")[0]),
        stimuli=inputs.stimuli(),
    output:
        report(
            targets.figure("responses", "html"),
            caption="../report/responses.rst",
            category="0 What the models say",
            labels={"figure": "sample images and answers"},
        ),
    log:
        targets.log("show_responses"),
    benchmark:
        targets.benchmark("show_responses")
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(20),
    params:
        asked=choose.asked,
        instructions=choose.asked_texts,
        labels=choose.asked_labels,
        layout=choose.image_layout,
        n_samples=12,
        seed=study.seed,
        code=stage_identity("show_responses"),
    script:
        "../workflow_scripts/show_responses.py"
