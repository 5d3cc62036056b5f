# Comparisons, variance partitioning, concept groups, and means over subjects.


rule assess_scores:
    input:
        responses=data.responses(),
        ceiling=data.ceiling(),
        predictions=statistics.predictions,
        fits=encoding.fits,
    output:
        uncertainty=statistics.uncertainty(),
    log:
        statistics.log("assess_scores/{subject}/{model}"),
    benchmark:
        statistics.benchmark("assess_scores/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        instructions=encoding.instructions,
        alignment=encoding.alignment,
        permutations=study.encoding.permutations,
        statistics=statistics.options,
        mask=study.data.mask,
        code=lambda wildcards: stage_identity("assess_scores"),
    script:
        "../workflow_scripts/assess_scores.py"


rule compare_models:
    input:
        responses=data.responses(),
        ceiling=data.ceiling(),
        predictions=statistics.compared_predictions,
    output:
        comparison=statistics.model_comparison(),
    log:
        statistics.log("compare_models/{subject}"),
    benchmark:
        statistics.benchmark("compare_models/{subject}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        groups=statistics.groups,
        pairs=study.compared_models,
        divisor=encoding.divisor,
        statistics=statistics.options,
        mask=study.data.mask,
        code=stage_format("compare"),
    script:
        "../workflow_scripts/compare.py"


rule compare_instructions:
    input:
        responses=data.responses(),
        ceiling=data.ceiling(),
        predictions=statistics.predictions,
    output:
        comparison=statistics.instruction_comparison(),
    log:
        statistics.log("compare_instructions/{subject}/{model}"),
    benchmark:
        statistics.benchmark("compare_instructions/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        groups=statistics.single_groups,
        pairs=statistics.all_pairs,
        divisor=encoding.divisor,
        statistics=statistics.options,
        mask=study.data.mask,
        code=stage_format("compare"),
    script:
        "../workflow_scripts/compare.py"


rule find_best_models:
    input:
        winners=encoding.of_models(encoding.winners, statistics.compared_models),
        comparison=statistics.model_comparison(),
    output:
        best_models=statistics.best_models(),
    log:
        statistics.log("find_best_models/{subject}"),
    benchmark:
        statistics.benchmark("find_best_models/{subject}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        models=statistics.compared_models,
        code=lambda wildcards: stage_identity("find_best_models"),
    script:
        "../workflow_scripts/find_best_models.py"


rule tabulate_comparisons_models:
    input:
        comparisons=statistics.of_subjects(statistics.model_comparison),
    output:
        table=statistics.table("model_comparisons"),
        notes=statistics.notes("model_comparisons"),
    log:
        statistics.log("tabulate_comparisons/models"),
    benchmark:
        statistics.benchmark("tabulate_comparisons/models")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        subjects=study.subjects,
        compared=["all"],
        code=lambda wildcards: stage_identity("tabulate_comparisons"),
    script:
        "../workflow_scripts/tabulate_comparisons.py"


rule tabulate_comparisons_instructions:
    input:
        comparisons=statistics.all_instruction_comparisons,
    output:
        table=statistics.table("instruction_comparisons"),
        notes=statistics.notes("instruction_comparisons"),
    log:
        statistics.log("tabulate_comparisons/instructions"),
    benchmark:
        statistics.benchmark("tabulate_comparisons/instructions")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        subjects=study.subjects,
        compared=statistics.instructed_models,
        code=lambda wildcards: stage_identity("tabulate_comparisons"),
    script:
        "../workflow_scripts/tabulate_comparisons.py"


rule partition_variance:
    input:
        statistics.embedding_files,
        scores=encoding.scores(),
        ceiling=data.ceiling(),
        responses=data.responses(),
    output:
        partition=statistics.partition(),
    log:
        statistics.log("partition_variance/{subject}/{model}"),
    benchmark:
        statistics.benchmark("partition_variance/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    threads: study.partition.threads
    resources:
        gpu=study.encoding.gpus,
        mem_mb=6000,
        runtime=240,
    params:
        pairs=lambda wildcards: statistics.pairs_of(wildcards.model),
        embeddings=statistics.embeddings,
        partition_settings=statistics.partition_settings,
        penalties=study.encoding.alphas.model_dump(),
        folds=study.encoding.folds,
        weights=study.encoding.weights,
        divisor=encoding.divisor,
        statistics=statistics.options,
        mask=study.data.mask,
        seed=study.seed,
        code=stage_format("partition_variance"),
    script:
        "../workflow_scripts/partition_variance.py"


rule tabulate_partition:
    input:
        partition=statistics.partition(),
        ceiling=data.ceiling(),
    output:
        table=statistics.partition_table(),
        matrix=statistics.partition_table(kind="matrix"),
    log:
        statistics.log("tabulate_partition/{subject}/{model}"),
    benchmark:
        statistics.benchmark("tabulate_partition/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        divisor=encoding.divisor,
        mask=study.data.mask,
        code=lambda wildcards: stage_identity("tabulate_partition"),
    script:
        "../workflow_scripts/tabulate_partition.py"


rule find_concepts:
    input:
        scores=encoding.scores(),
        ceiling=data.ceiling(),
        comparison=statistics.instruction_comparison(),
        uncertainty=statistics.uncertainty(),
    output:
        concept_map=statistics.concepts(),
        table=statistics.concept_table(),
    log:
        statistics.log("find_concepts/{subject}/{model}"),
    benchmark:
        statistics.benchmark("find_concepts/{subject}/{model}")
    conda:
        "../envs/encode.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        concepts=study.concepts,
        alignment=encoding.alignment,
        mask=study.data.mask,
        code=lambda wildcards: stage_identity("find_concepts"),
    script:
        "../workflow_scripts/find_concepts.py"


rule compare_with_paper:
    input:
        alignment_table=statistics.table("alignment"),
        layer_table=statistics.table("layers"),
        tables=statistics.all_partitions(),
    output:
        table=report(
            statistics.table("paper"),
            caption="../report/paper_table.rst",
            category="8 Tables",
            labels={"table": "the paper beside this study"},
        ),
    log:
        statistics.log("compare_with_paper"),
    benchmark:
        statistics.benchmark("compare_with_paper")
    localrule: True
    conda:
        "../envs/methods.yaml"
    params:
        raced=statistics.families,
        depths=statistics.depths,
        synthetic=study.synthetic is not None,
        code=lambda wildcards: stage_identity("compare_with_paper"),
    script:
        "../workflow_scripts/compare_with_paper.py"


rule average_subjects:
    input:
        alignment_table=statistics.table("alignment"),
        uncertainties=encoding.of_pairs(statistics.uncertainty),
    output:
        table=statistics.table("alignment_subjects"),
    log:
        statistics.log("average_subjects"),
    benchmark:
        statistics.benchmark("average_subjects")
    localrule: True
    conda:
        "../envs/encode.yaml"
    params:
        subject_models=list(encoding.pairs()),
        code=lambda wildcards: stage_identity("average_subjects"),
    script:
        "../workflow_scripts/average_subjects.py"
