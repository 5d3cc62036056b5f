# Results for other tools, as a dataset of BIDS derivatives: `snakemake exports`.


rule export_subject:
    input:
        scores=choose.export_scores,
        winners=choose.export_winners,
        space=choose.export_ceiling,
        grid=choose.export_grid,
        surfaces=choose.export_surface_files,
        check=inputs.check(targets.nsd_check()),
    output:
        directory(targets.export()),
    log:
        targets.log("export_subject/{participant}"),
    benchmark:
        targets.benchmark("export_subject/{participant}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(60),
    params:
        models=choose.export_models,
        alignment=study.alignment.model_dump(),
        layout=choose.layout,
        mask=study.data.mask,
        surfaces=choose.export_surfaces,
        synthetic=study.synthetic is not None,
        code=stage_identity("export_subject"),
    script:
        "../workflow_scripts/export_subject.py"


rule export_study:
    input:
        tables=targets.exported_tables,
        spaces=[targets.ceiling(subject) for subject in study.subjects],
        scores=[
            targets.scores(subject, study.models[0].key) for subject in study.subjects
        ],
    output:
        description=targets.derivatives("dataset_description.json"),
        readme=targets.derivatives("README.md"),
        ignored=targets.derivatives(".bidsignore"),
        participants=targets.derivatives("participants.tsv"),
        dictionary=targets.derivatives("participants.json"),
        tables=directory(targets.derivatives("tables")),
        stimuli=directory(targets.derivatives("stimuli")),
    log:
        targets.log("export_study"),
    benchmark:
        targets.benchmark("export_study")
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        study=study.study,
        synthetic=study.synthetic is not None,
        space=study.data.space,
        subjects=study.subjects,
        models=choose.export_models,
        instructions=choose.asked_entries,
        surfaces=choose.export_surface_words,
        alignment=study.alignment.model_dump(),
        snakemake=choose.snakemake_version,
        codes={
            name: stage_identity(name) for name in ("export_subject", "export_study")
        },
        code=stage_identity("export_study"),
    script:
        "../workflow_scripts/export_study.py"
