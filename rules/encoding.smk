# Voxelwise encoding models, their scores, and what follows from them.

# One rule per set of layers that a job fits: every layer stays a target of its
# own, and the setting encoding.layers_per_job decides how many share a job. A job
# that fits all layers also keeps each voxel's prediction at its best one.
for fitted in encoding.fit_jobs():

    rule:
        name:
            fitted.name
        input:
            responses=data.responses(),
            embeddings=encoding.embeddings_for(fitted),
        output:
            fits=[encoding.fit(layer=layer) for layer in fitted.layers],
            prediction=encoding.prediction() if fitted.predicts else [],
        log:
            encoding.log(fitted.log),
        benchmark:
            encoding.benchmark(fitted.log)
        wildcard_constraints:
            model="|".join(fitted.models),
        conda:
            "../envs/encode.yaml"
        threads: study.encoding.threads
        resources:
            gpu=study.encoding.gpus,
            mem_mb=8000,
            runtime=480,
        params:
            encoding=encoding.settings,
            seed=study.seed,
            code=stage_format("fit_ridge"),
        script:
            "../workflow_scripts/fit_ridge.py"


# Where one job fits all layers, it writes the predictions itself.
if encoding.split_models:

    rule predict_selected:
        input:
            scores=encoding.scores(),
            responses=data.responses(),
            embeddings=encoding.selected_embeddings,
        output:
            prediction=encoding.prediction(),
        log:
            encoding.log("predict_selected/{subject}/{model}/{instruction}"),
        benchmark:
            encoding.benchmark("predict_selected/{subject}/{model}/{instruction}")
        wildcard_constraints:
            model="|".join(encoding.split_models),
        conda:
            "../envs/encode.yaml"
        threads: study.encoding.threads
        resources:
            mem_mb=8000,
            runtime=120,
        params:
            preset=study.encoding.preset,
            weights=study.encoding.weights,
            code=stage_format("predict_selected"),
        script:
            "../workflow_scripts/predict_selected.py"


rule collect_scores:
    input:
        fits=encoding.fits,
    output:
        scores=encoding.scores(),
    log:
        encoding.log("collect_scores/{subject}/{model}"),
    benchmark:
        encoding.benchmark("collect_scores/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        instructions=encoding.instructions,
        layers=models.layers,
        code=stage_format("collect_scores"),
    script:
        "../workflow_scripts/collect_scores.py"


rule find_winners:
    input:
        scores=encoding.scores(),
        comparison=statistics.comparison_of_instructions,
        uncertainty=statistics.uncertainty(),
        ceiling=data.ceiling(),
    output:
        winners=encoding.winners(),
    log:
        encoding.log("find_winners/{subject}/{model}"),
    benchmark:
        encoding.benchmark("find_winners/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        alignment=encoding.alignment,
        code=lambda wildcards: stage_identity("find_winners"),
    script:
        "../workflow_scripts/find_winners.py"


rule tabulate_rois:
    input:
        scores=encoding.scores(),
        ceiling=data.ceiling(),
        uncertainty=statistics.uncertainty(),
    output:
        by_region=encoding.roi_table(),
        by_layer=encoding.layer_table(),
    log:
        encoding.log("tabulate_rois/{subject}/{model}"),
    benchmark:
        encoding.benchmark("tabulate_rois/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        alignment=encoding.alignment,
        control=study.statistics.control,
        mask=study.data.mask,
        code=lambda wildcards: stage_identity("tabulate_rois"),
    script:
        "../workflow_scripts/tabulate_rois.py"


rule join_tables:
    input:
        by_region=encoding.of_pairs(encoding.roi_table),
        by_layer=encoding.of_pairs(encoding.layer_table),
    output:
        alignment_table=report(
            encoding.table("alignment"),
            caption="../report/alignment_table.rst",
            category="8 Tables",
            labels={"table": "alignment per region"},
        ),
        layer_table=encoding.table("layers"),
    log:
        encoding.log("join_tables"),
    benchmark:
        encoding.benchmark("join_tables")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        code=lambda wildcards: stage_identity("join_tables"),
    script:
        "../workflow_scripts/join_tables.py"
