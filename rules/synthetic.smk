# A small data set in the NSD's own formats, whose truth is known: included only
# where the configuration has a `synthetic` block. The rest of the workflow
# reads it as it reads the real one.

for name, tiny in study.synthetic.checkpoints.items():

    rule:
        name:
            f"build_tiny_checkpoint_{name.replace('-', '_')}"
        output:
            directory(study.checkpoints[name].path),
        log:
            targets.log(f"build_tiny_checkpoint/{name}"),
        benchmark:
            targets.benchmark(f"build_tiny_checkpoint/{name}")
        conda:
            "../envs/embed.yaml"
        params:
            tiny=tiny.model_dump(),
            code=stage_identity("build_tiny_checkpoint", choose.builder(tiny.kind)),
        script:
            "../workflow_scripts/build_tiny_checkpoint.py"


rule write_synthetic_stimuli:
    output:
        inputs.written_stimuli(),
    log:
        targets.log("write_synthetic_stimuli"),
    benchmark:
        targets.benchmark("write_synthetic_stimuli")
    conda:
        "../envs/data.yaml"
    params:
        synthetic=study.synthetic.model_dump(
            include={"seed", "sessions", "shared_images", "unique_images"}
        ),
        layout=choose.layout,
        code=stage_identity("write_synthetic_stimuli"),
    script:
        "../workflow_scripts/write_synthetic_stimuli.py"


rule sample_anatomy:
    output:
        targets.anatomy(),
    log:
        targets.log("sample_anatomy"),
    benchmark:
        targets.benchmark("sample_anatomy")
    conda:
        "../envs/figures.yaml"
    params:
        subject=study.synthetic.anatomy_subject,
        transform=study.synthetic.anatomy_transform,
        regions=study.synthetic.regions,
        code=stage_identity("sample_anatomy"),
    script:
        "../workflow_scripts/sample_anatomy.py"


for model, planted in choose.synthetic_models.items():

    rule:
        name:
            f"plant_features_{model.replace('-', '_')}"
        input:
            stimuli=inputs.written_stimuli(),
            checkpoint=targets.checkpoint(study.model(model).checkpoint),
        output:
            [targets.planted_features(model, instruction) for instruction in planted],
        log:
            targets.log(f"plant_features/{model}"),
        benchmark:
            targets.benchmark(f"plant_features/{model}")
        conda:
            "../envs/embed.yaml"
        params:
            model_key=model,
            model=choose.settings(model),
            stamps=targets.checkpoint_stamps(study.model(model).checkpoint),
            instructions=choose.texts_of(planted),
            layers=planted,
            sessions=study.synthetic.sessions,
            layout=choose.layout,
            code=choose.model_code("plant_features", model),
        script:
            "../workflow_scripts/plant_features.py"


for subject in study.synthetic.sessions:

    rule:
        name:
            f"write_synthetic_{subject}"
        input:
            stimuli=inputs.written_stimuli(),
            anatomy=targets.anatomy(),
            features=choose.planted_features,
        output:
            inputs.written(subject),
            truth=targets.truth(subject),
        log:
            targets.log(f"write_synthetic_subject/{subject}"),
        benchmark:
            targets.benchmark(f"write_synthetic_subject/{subject}")
        conda:
            "../envs/data.yaml"
        params:
            subject=subject,
            synthetic=study.synthetic.model_dump(exclude={"checkpoints"}),
            layout=choose.layout,
            code=stage_identity("write_synthetic_subject"),
        script:
            "../workflow_scripts/write_synthetic_subject.py"


rule draw_planted_recovered:
    input:
        winners=targets.winners(),
        space=targets.ceiling(),
        truth=targets.truth(),
        store=targets.pycortex_store(),
    output:
        svg=targets.figure("planted_recovered/{subject}_{model}"),
        png=report(
            targets.figure("planted_recovered/{subject}_{model}", "png"),
            caption="../report/planted_recovered.rst",
            category="5 Planted and recovered",
            labels={
                "figure": "instruction",
                "subject": "{subject}",
                "model": "{model}",
            },
        ),
        table=targets.figure("planted_recovered/{subject}_{model}", "tsv"),
    log:
        targets.log("draw_planted_recovered/{subject}_{model}"),
    benchmark:
        targets.benchmark("draw_planted_recovered/{subject}_{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(30),
    params:
        flatmap=choose.flatmap,
        instructions=choose.instruction_legend,
        title=choose.title,
        code=stage_identity("draw_planted_recovered"),
    script:
        "../workflow_scripts/draw_planted_recovered.py"


rule tabulate_recovery:
    input:
        winners=[
            targets.winners(subject, model) for subject, model in targets.planted()
        ],
        spaces=[targets.ceiling(subject) for subject, _ in targets.planted()],
        truths=[targets.truth(subject) for subject, _ in targets.planted()],
    output:
        report(
            targets.table("recovery"),
            caption="../report/recovery_table.rst",
            category="5 Planted and recovered",
            labels={"figure": "share of voxels found back"},
        ),
    log:
        targets.log("tabulate_recovery"),
    benchmark:
        targets.benchmark("tabulate_recovery")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        pairs=targets.planted(),
        code=stage_identity("tabulate_recovery"),
    script:
        "../workflow_scripts/tabulate_recovery.py"
