# Voxelwise encoding models, their scores, and what follows from them.

# One rule per set of layers that a job fits: every layer stays a target of its
# own, and the setting encoding.layers_per_job decides how many share a job. A job
# that fits all layers also keeps each voxel's prediction at its best one.
for fitted in targets.fit_jobs():

    rule:
        name:
            fitted.name
        input:
            responses=targets.responses(),
            embeddings=choose.embeddings,
        output:
            layers=[targets.fit(layer=layer) for layer in fitted.layers],
            prediction=targets.prediction() if fitted.complete else [],
        log:
            targets.log(
                f"fit_ridge/{{subject}}/{{model}}/{{instruction}}/{fitted.layers[0]}-{fitted.layers[-1]}"
            ),
        benchmark:
            targets.benchmark(
                f"fit_ridge/{{subject}}/{{model}}/{{instruction}}/{fitted.layers[0]}-{fitted.layers[-1]}"
            )
        wildcard_constraints:
            model="|".join(fitted.models),
        conda:
            "../envs/encode.yaml"
        threads: study.encoding.threads
        resources:
            gpu=choose.gpus_to_fit,
            mem_mb=grow(16000),
            runtime=grow(480),
        params:
            encoding=choose.encoding,
            seed=study.seed,
            code=stage_identity("fit_ridge"),
        script:
            "../workflow_scripts/fit_ridge.py"


rule collect_scores:
    input:
        choose.fits,
    output:
        targets.scores(),
    log:
        targets.log("collect_scores/{subject}/{model}"),
    benchmark:
        targets.benchmark("collect_scores/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(30),
    params:
        instructions=choose.instructions,
        layers=choose.layers,
        code=stage_identity("collect_scores"),
    script:
        "../workflow_scripts/collect_scores.py"


rule find_winners:
    input:
        scores=targets.scores(),
        ceiling=targets.ceiling(),
    output:
        targets.winners(),
    log:
        targets.log("find_winners/{subject}/{model}"),
    benchmark:
        targets.benchmark("find_winners/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(20),
    params:
        alignment=study.alignment.model_dump(),
        code=stage_identity("find_winners"),
    script:
        "../workflow_scripts/find_winners.py"


rule tabulate_rois:
    input:
        scores=targets.scores(),
        ceiling=targets.ceiling(),
    output:
        alignment=targets.roi_table(),
        layers=targets.layer_table(),
    log:
        targets.log("tabulate_rois/{subject}/{model}"),
    benchmark:
        targets.benchmark("tabulate_rois/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(20),
    params:
        alignment=study.alignment.model_dump(),
        mask=study.data.mask,
        code=stage_identity("tabulate_rois"),
    script:
        "../workflow_scripts/tabulate_rois.py"


rule join_tables:
    input:
        alignment=targets.all_roi_tables,
        layers=targets.all_layer_tables,
    output:
        alignment=report(
            targets.table("alignment"),
            caption="../report/alignment_table.rst",
            category="8 Tables",
            labels={"table": "alignment per region"},
        ),
        layers=targets.table("layers"),
    log:
        targets.log("join_tables"),
    benchmark:
        targets.benchmark("join_tables")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        code=stage_identity("join_tables"),
    script:
        "../workflow_scripts/join_tables.py"
