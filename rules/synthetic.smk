# A small data set in the NSD's own formats, whose truth is known: included only
# where the configuration has a `synthetic` block. The rest of the workflow
# reads it as it reads the real one.
from brainstruct.models.builders import BUILDERS

for name, tiny in study.synthetic.checkpoints.items():

    rule:
        name:
            f"build_tiny_checkpoint_{name.replace('-', '_')}"
        output:
            folder=directory(study.checkpoints[name].path),
        log:
            synthetic.log(f"build_tiny_checkpoint/{name}"),
        benchmark:
            synthetic.benchmark(f"build_tiny_checkpoint/{name}")
        conda:
            "../envs/embed.yaml"
        params:
            tiny=tiny.model_dump(),
            code=lambda wildcards, kind=tiny.kind: stage_identity(
                "build_tiny_checkpoint", BUILDERS[kind]
            ),
        script:
            "../workflow_scripts/build_tiny_checkpoint.py"


rule write_synthetic_stimuli:
    output:
        synthetic.lists(),
    log:
        synthetic.log("write_synthetic_stimuli"),
    benchmark:
        synthetic.benchmark("write_synthetic_stimuli")
    conda:
        "../envs/data.yaml"
    params:
        study_plan=synthetic.study_plan,
        layout=synthetic.layout,
        code=lambda wildcards: stage_identity("write_synthetic_stimuli"),
    script:
        "../workflow_scripts/write_synthetic_stimuli.py"


rule sample_anatomy:
    output:
        anatomy=synthetic.anatomy(),
    log:
        synthetic.log("sample_anatomy"),
    benchmark:
        synthetic.benchmark("sample_anatomy")
    conda:
        "../envs/figures.yaml"
    params:
        cortex_subject=study.synthetic.anatomy_subject,
        transform=study.synthetic.anatomy_transform,
        regions=study.synthetic.regions,
        code=lambda wildcards: stage_identity("sample_anatomy"),
    script:
        "../workflow_scripts/sample_anatomy.py"


for model, planted in synthetic.planted.items():

    rule:
        name:
            f"plant_features_{model.replace('-', '_')}"
        input:
            synthetic.lists(),
            manifest=models.checkpoint(study.model(model).checkpoint),
        output:
            features=[
                synthetic.planted_features(model, instruction)
                for instruction in planted
            ],
        log:
            synthetic.log(f"plant_features/{model}"),
        benchmark:
            synthetic.benchmark(f"plant_features/{model}")
        conda:
            "../envs/embed.yaml"
        params:
            model=model,
            model_settings=models.settings_of(model),
            stamps=models.checkpoint_stamps(study.model(model).checkpoint),
            texts=models.texts_of(planted),
            planted_layers=planted,
            sessions_of=study.synthetic.sessions,
            layout=synthetic.layout,
            code=lambda wildcards, model=model: models.plant_code(model),
        script:
            "../workflow_scripts/plant_features.py"


for subject in study.synthetic.sessions:

    rule:
        name:
            f"write_synthetic_subject_{subject}"
        input:
            synthetic.lists(),
            anatomy=synthetic.anatomy(),
            features=synthetic.all_features,
        output:
            synthetic.files(subject),
            synthetic.truth(subject),
        log:
            synthetic.log(f"write_synthetic_subject/{subject}"),
        benchmark:
            synthetic.benchmark(f"write_synthetic_subject/{subject}")
        conda:
            "../envs/data.yaml"
        params:
            subject=subject,
            subject_plan=synthetic.subject_plan,
            n_sessions=study.synthetic.sessions[subject],
            seed=study.synthetic.seed,
            layout=synthetic.layout,
            code=lambda wildcards: stage_identity("write_synthetic_subject"),
        script:
            "../workflow_scripts/write_synthetic_subject.py"

    rule:
        name:
            f"write_synthetic_surfaces_{subject}"
        output:
            synthetic.surfaces(subject),
        log:
            synthetic.log(f"write_synthetic_surfaces/{subject}"),
        benchmark:
            synthetic.benchmark(f"write_synthetic_surfaces/{subject}")
        conda:
            "../envs/figures.yaml"
        params:
            subject=subject,
            cortex_subject=study.synthetic.anatomy_subject,
            transform=study.synthetic.anatomy_transform,
            patch=study.flatmaps.patch,
            layout=synthetic.layout,
            code=lambda wildcards: stage_identity("write_synthetic_surfaces"),
        script:
            "../workflow_scripts/write_synthetic_surfaces.py"


# To practise on: a data set and checkpoints as a user has them, and no study of them.
rule synthetic:
    input:
        synthetic.practice,


rule draw_planted_recovered:
    input:
        winners=encoding.winners(),
        ceiling=data.ceiling(),
        truth=synthetic.truth(),
        store=figures.pycortex_store(),
    output:
        svg=synthetic.figure("planted_recovered/{subject}_{model}"),
        png=report(
            synthetic.figure("planted_recovered/{subject}_{model}", "png"),
            caption="../report/planted_recovered.rst",
            category="5 Planted and recovered",
            labels={
                "figure": "instruction",
                "subject": "{subject}",
                "model": "{model}",
            },
        ),
        table=synthetic.figure("planted_recovered/{subject}_{model}", "tsv"),
    log:
        synthetic.log("draw_planted_recovered/{subject}_{model}"),
    benchmark:
        synthetic.benchmark("draw_planted_recovered/{subject}_{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        legend=figures.legend,
        instructions=study.instructions,
        title=figures.title,
        code=lambda wildcards: stage_identity("draw_planted_recovered"),
    script:
        "../workflow_scripts/draw_planted_recovered.py"


rule tabulate_recovery:
    input:
        winners=[encoding.winners(*pair) for pair in synthetic.pairs],
        ceilings=[data.ceiling(subject) for subject, _ in synthetic.pairs],
        truths=[synthetic.truth(subject) for subject, _ in synthetic.pairs],
    output:
        table=report(
            synthetic.table("recovery"),
            caption="../report/recovery_table.rst",
            category="5 Planted and recovered",
            labels={"figure": "share of voxels found back"},
        ),
    log:
        synthetic.log("tabulate_recovery"),
    benchmark:
        synthetic.benchmark("tabulate_recovery")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        subject_models=synthetic.pairs,
        code=lambda wildcards: stage_identity("tabulate_recovery"),
    script:
        "../workflow_scripts/tabulate_recovery.py"
