# Comparisons, variance partitioning, concept groups and cross-subject ceilings.


rule estimate_cross_subject:
    input:
        target=targets.responses(),
        sources=choose.other_responses,
    output:
        targets.cross_subject(),
    log:
        targets.log("estimate_cross_subject/{subject}"),
    benchmark:
        targets.benchmark("estimate_cross_subject/{subject}")
    conda:
        "../envs/encode.yaml"
    threads: study.encoding.threads
    resources:
        mem_mb=grow(8000),
        runtime=grow(120),
    params:
        sources=choose.other_subjects,
        options=choose.cross_subject,
        code=stage_identity("estimate_cross_subject"),
    script:
        "../workflow_scripts/estimate_cross_subject.py"


# Where one job fits all layers, it writes the predictions itself.
if targets.split_models:

    rule predict_selected:
        input:
            scores=targets.scores(),
            responses=targets.responses(),
            embeddings=choose.embeddings,
        output:
            targets.prediction(),
        log:
            targets.log("predict_selected/{subject}/{model}/{instruction}"),
        benchmark:
            targets.benchmark("predict_selected/{subject}/{model}/{instruction}")
        wildcard_constraints:
            model="|".join(targets.split_models),
        conda:
            "../envs/encode.yaml"
        threads: study.encoding.threads
        resources:
            mem_mb=grow(8000),
            runtime=grow(120),
        params:
            preset=study.encoding.preset,
            code=stage_identity("predict_selected"),
        script:
            "../workflow_scripts/predict_selected.py"


rule compare_models:
    input:
        responses=targets.responses(),
        ceiling=targets.ceiling(),
        predictions=choose.compared_predictions,
    output:
        targets.model_comparison(),
    log:
        targets.log("compare_models/{subject}"),
    benchmark:
        targets.benchmark("compare_models/{subject}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=grow(8000),
        runtime=grow(60),
    params:
        groups=choose.compared_groups,
        pairs=study.compared_models,
        alignment=study.alignment.model_dump(),
        statistics=choose.statistics,
        mask=study.data.mask,
        code=stage_identity("compare_models"),
    script:
        "../workflow_scripts/compare_models.py"


rule compare_instructions:
    input:
        responses=targets.responses(),
        ceiling=targets.ceiling(),
        predictions=choose.predictions,
    output:
        targets.instruction_comparison(),
    log:
        targets.log("compare_instructions/{subject}/{model}"),
    benchmark:
        targets.benchmark("compare_instructions/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=grow(8000),
        runtime=grow(60),
    params:
        instructions=choose.instructions,
        alignment=study.alignment.model_dump(),
        statistics=choose.statistics,
        mask=study.data.mask,
        code=stage_identity("compare_instructions"),
    script:
        "../workflow_scripts/compare_instructions.py"


rule tabulate_model_comparisons:
    input:
        [targets.model_comparison(subject) for subject in study.subjects],
    output:
        table=targets.table("model_comparisons"),
        notes=f"{targets.root}/tables/model_comparisons.txt",
    log:
        targets.log("tabulate_model_comparisons"),
    benchmark:
        targets.benchmark("tabulate_model_comparisons")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        subjects=study.subjects,
        models=["all"],
        code=stage_identity("tabulate_comparisons"),
    script:
        "../workflow_scripts/tabulate_comparisons.py"


rule tabulate_instruction_comparisons:
    input:
        [
            targets.instruction_comparison(subject, model)
            for model in targets.instructed_models
            for subject in study.subjects
        ],
    output:
        table=targets.table("instruction_comparisons"),
        notes=f"{targets.root}/tables/instruction_comparisons.txt",
    log:
        targets.log("tabulate_instruction_comparisons"),
    benchmark:
        targets.benchmark("tabulate_instruction_comparisons")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        subjects=study.subjects,
        models=targets.instructed_models,
        code=stage_identity("tabulate_comparisons"),
    script:
        "../workflow_scripts/tabulate_comparisons.py"


rule partition_variance:
    input:
        scores=targets.scores(),
        ceiling=targets.ceiling(),
        responses=targets.responses(),
        embeddings=choose.partition_files,
    output:
        targets.partition(),
    log:
        targets.log("partition_variance/{subject}/{model}"),
    benchmark:
        targets.benchmark("partition_variance/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    threads: study.partition.threads
    resources:
        gpu=choose.gpus_to_fit,
        mem_mb=grow(12000),
        runtime=grow(240),
    params:
        pairs=choose.partition_pairs,
        embeddings=choose.partition_embeddings,
        partition=study.partition.model_dump(exclude={"threads"}),
        encoding=choose.partition_encoding,
        alignment=study.alignment.model_dump(),
        seed=study.seed,
        code=stage_identity("partition_variance"),
    script:
        "../workflow_scripts/partition_variance.py"


rule tabulate_partition:
    input:
        partition=targets.partition(),
        ceiling=targets.ceiling(),
    output:
        table=targets.partition_table(),
        matrix=targets.partition_table(kind="matrix"),
    log:
        targets.log("tabulate_partition/{subject}/{model}"),
    benchmark:
        targets.benchmark("tabulate_partition/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(20),
    params:
        alignment=study.alignment.model_dump(),
        mask=study.data.mask,
        code=stage_identity("tabulate_partition"),
    script:
        "../workflow_scripts/tabulate_partition.py"


rule find_concepts:
    input:
        scores=targets.scores(),
        ceiling=targets.ceiling(),
    output:
        map=targets.concepts(),
        table=targets.concept_table(),
    log:
        targets.log("find_concepts/{subject}/{model}"),
    benchmark:
        targets.benchmark("find_concepts/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(20),
    params:
        concepts=study.concepts,
        alignment=study.alignment.model_dump(),
        mask=study.data.mask,
        code=stage_identity("find_concepts"),
    script:
        "../workflow_scripts/find_concepts.py"


rule average_subjects:
    input:
        targets.table("alignment"),
    output:
        targets.table("alignment_subjects"),
    log:
        targets.log("average_subjects"),
    benchmark:
        targets.benchmark("average_subjects")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        code=stage_identity("average_subjects"),
    script:
        "../workflow_scripts/average_subjects.py"
