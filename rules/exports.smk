# Results for other tools, as a dataset of BIDS derivatives: `snakemake exports`.


rule export_subject:
    input:
        lambda wildcards: inputs.grid(exports.subject(wildcards)),
        exports.check,
        scores=exports.of_models(encoding.scores),
        winners=exports.of_models(encoding.winners),
        uncertainties=exports.of_models(statistics.uncertainty),
        ceiling=lambda wildcards: data.ceiling(exports.subject(wildcards)),
        surface_files=exports.surface_files,
    output:
        folder=directory(exports.export()),
    log:
        exports.log("export_subject/{participant}"),
    benchmark:
        exports.benchmark("export_subject/{participant}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        subject=exports.subject,
        models=viewer.models,
        instructions=study.instructions,
        alignment=encoding.alignment,
        dataset=data.about("places"),
        mask=study.data.mask,
        surfaces=exports.surfaces,
        contents=exports.contents,
        synthetic=study.synthetic is not None,
        code=lambda wildcards: data.code("export_subject", "places"),
    script:
        "../workflow_scripts/export_subject.py"


rule export_study:
    input:
        tables=exports.tables,
        ceilings=data.of_subjects(data.ceiling),
        scores=[encoding.scores(one, study.models[0].key) for one in study.subjects],
    output:
        description=exports.derivatives("dataset_description.json"),
        readme=exports.derivatives("README.md"),
        ignored=exports.derivatives(".bidsignore"),
        participants=exports.derivatives("participants.tsv"),
        dictionary=exports.derivatives("participants.json"),
        tables_folder=directory(exports.derivatives("tables")),
        stimuli_folder=directory(exports.derivatives("stimuli")),
    log:
        exports.log("export_study"),
    benchmark:
        exports.benchmark("export_study")
    localrule: True
    conda:
        "../envs/figures.yaml"
    params:
        study=study.study,
        synthetic=study.synthetic is not None,
        dataset=data.about("words"),
        subjects=study.subjects,
        models=viewer.models,
        legend=answers.instructions,
        surface_notes=exports.surface_words,
        alignment=encoding.alignment,
        snakemake_version=methods.words["snakemake"],
        codes=lambda wildcards: {
            name: stage_identity(name) for name in ("export_subject", "export_study")
        },
        code=lambda wildcards: stage_identity("export_study"),
    script:
        "../workflow_scripts/export_study.py"
