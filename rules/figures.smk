# Maps, bars and profiles; each figure as SVG and PNG, beside its table.


rule prepare_pycortex:
    input:
        inputs.flat_files(data.present),
    output:
        store=figures.pycortex_store(),
    log:
        figures.log("prepare_pycortex"),
    benchmark:
        figures.benchmark("prepare_pycortex")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=60,
    params:
        filestore=study.flatmaps.store,
        patch=study.flatmaps.patch,
        height=study.flatmaps.height,
        cortices=figures.cortices,
        contents=lambda wildcards: inputs.contents_of_cortices(data.present),
        dataset=data.about("places"),
        mask=study.data.mask,
        code=lambda wildcards: data.code("prepare_pycortex", "places"),
    script:
        "../workflow_scripts/prepare_pycortex.py"


rule draw_roi_bars:
    input:
        alignment_table=figures.table("alignment"),
        means_table=figures.table("alignment_subjects"),
        comparison_table=statistics.model_table,
    output:
        svg=figures.figure("roi_bars"),
        png=report(
            figures.figure("roi_bars", "png"),
            caption="../report/roi_bars.rst",
            category="1 Which model?",
            labels={"figure": "alignment per region"},
        ),
        table=figures.figure("roi_bars", "tsv"),
    log:
        figures.log("draw_roi_bars"),
    benchmark:
        figures.benchmark("draw_roi_bars")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        labels=figures.labels,
        families=data.families,
        baselines=figures.baselines,
        code=lambda wildcards: stage_identity("draw_roi_bars"),
    script:
        "../workflow_scripts/draw_roi_bars.py"


rule draw_instruction_rois:
    input:
        alignment_table=figures.table("alignment"),
        comparison_table=statistics.instruction_table,
    output:
        svg=figures.figure("instruction_rois"),
        png=report(
            figures.figure("instruction_rois", "png"),
            caption="../report/instruction_rois.rst",
            category="2 Which instruction?",
            labels={"figure": "instructions by region"},
        ),
        table=figures.figure("instruction_rois", "tsv"),
    log:
        figures.log("draw_instruction_rois"),
    benchmark:
        figures.benchmark("draw_instruction_rois")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        labels=figures.mllm_labels,
        instructions=study.instructions,
        mask=study.data.mask,
        code=lambda wildcards: stage_identity("draw_instruction_rois"),
    script:
        "../workflow_scripts/draw_instruction_rois.py"


rule draw_layer_profiles:
    input:
        layer_table=figures.table("layers"),
        uncertainties=encoding.of_pairs(statistics.uncertainty),
    output:
        svg=figures.figure("layer_profiles"),
        png=report(
            figures.figure("layer_profiles", "png"),
            caption="../report/layer_profiles.rst",
            category="3 Which layer?",
            labels={"figure": "alignment by layer"},
        ),
        table=figures.figure("layer_profiles", "tsv"),
    log:
        figures.log("draw_layer_profiles"),
    benchmark:
        figures.benchmark("draw_layer_profiles")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        labels=figures.labels,
        hidden_states=figures.hidden_states,
        subject_models=list(encoding.pairs()),
        families=data.families,
        code=lambda wildcards: stage_identity("draw_layer_profiles"),
    script:
        "../workflow_scripts/draw_layer_profiles.py"


rule draw_winning_instruction:
    input:
        winners=encoding.winners(),
        ceiling=data.ceiling(),
        store=figures.pycortex_store(),
    output:
        svg=figures.figure("winning_instruction/{subject}_{model}"),
        png=report(
            figures.figure("winning_instruction/{subject}_{model}", "png"),
            caption="../report/winning_instruction.rst",
            category="2 Which instruction?",
            labels={
                "figure": "winning instruction",
                "subject": "{subject}",
                "model": "{model}",
            },
        ),
        table=figures.figure("winning_instruction/{subject}_{model}", "tsv"),
    log:
        figures.log("draw_winning_instruction/{subject}_{model}"),
    benchmark:
        figures.benchmark("draw_winning_instruction/{subject}_{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        race="instruction",
        legend=figures.legend,
        instructions=study.instructions,
        labels={},  # of models that raced
        title=figures.title,
        code=lambda wildcards: stage_identity("draw_winning"),
    script:
        "../workflow_scripts/draw_winning.py"


rule draw_winning_model:
    input:
        winners=statistics.best_models(),
        ceiling=data.ceiling(),
        store=figures.pycortex_store(),
    output:
        svg=figures.figure("winning_model/{subject}"),
        png=report(
            figures.figure("winning_model/{subject}", "png"),
            caption="../report/winning_model.rst",
            category="1 Which model?",
            labels={
                "figure": "winning model",
                "subject": "{subject}",
            },
        ),
        table=figures.figure("winning_model/{subject}", "tsv"),
    log:
        figures.log("draw_winning_model/{subject}"),
    benchmark:
        figures.benchmark("draw_winning_model/{subject}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        race="model",
        legend={},  # of instructions that raced, as their list
        instructions=[],
        labels=figures.labels,
        title="{subject}",
        code=lambda wildcards: stage_identity("draw_winning"),
    script:
        "../workflow_scripts/draw_winning.py"


rule draw_winning_layer:
    input:
        winners=encoding.winners(),
        ceiling=data.ceiling(),
        store=figures.pycortex_store(),
    output:
        svg=figures.figure("winning_layer/{subject}_{model}"),
        png=report(
            figures.figure("winning_layer/{subject}_{model}", "png"),
            caption="../report/winning_layer.rst",
            category="3 Which layer?",
            labels={
                "figure": "winning layer",
                "subject": "{subject}",
                "model": "{model}",
            },
        ),
        table=figures.figure("winning_layer/{subject}_{model}", "tsv"),
    log:
        figures.log("draw_winning_layer/{subject}_{model}"),
    benchmark:
        figures.benchmark("draw_winning_layer/{subject}_{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        n_layers=lambda wildcards: study.model(wildcards.model).n_layers,
        title=figures.title,
        code=lambda wildcards: stage_identity("draw_winning_layer"),
    script:
        "../workflow_scripts/draw_winning_layer.py"


rule draw_model_scatter:
    input:
        winners=encoding.of_models(encoding.winners, figures.mllms),
        ceiling=data.ceiling(),
    output:
        svg=figures.figure("model_scatter/{subject}"),
        png=report(
            figures.figure("model_scatter/{subject}", "png"),
            caption="../report/model_scatter.rst",
            category="1 Which model?",
            labels={
                "figure": "voxels, model by model",
                "subject": "{subject}",
            },
        ),
        table=figures.figure("model_scatter/{subject}", "tsv"),
    log:
        figures.log("draw_model_scatter/{subject}"),
    benchmark:
        figures.benchmark("draw_model_scatter/{subject}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        labels=figures.mllm_labels,
        mask=study.data.mask,
        code=lambda wildcards: stage_identity("draw_model_scatter"),
    script:
        "../workflow_scripts/draw_model_scatter.py"


rule draw_alignment_maps:
    input:
        winners=encoding.of_models(encoding.winners, figures.mllms),
        ceiling=data.ceiling(),
        store=figures.pycortex_store(),
    output:
        svg=figures.figure("alignment_maps/{subject}"),
        png=report(
            figures.figure("alignment_maps/{subject}", "png"),
            caption="../report/alignment_maps.rst",
            category="1 Which model?",
            labels={
                "figure": "alignment and margin",
                "subject": "{subject}",
            },
        ),
        table=figures.figure("alignment_maps/{subject}", "tsv"),
    log:
        figures.log("draw_alignment_maps/{subject}"),
    benchmark:
        figures.benchmark("draw_alignment_maps/{subject}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        labels=figures.mllm_labels,
        code=lambda wildcards: stage_identity("draw_alignment_maps"),
    script:
        "../workflow_scripts/draw_alignment_maps.py"


rule draw_noise_ceiling:
    input:
        ceilings=data.of_subjects(data.ceiling),
        store=figures.pycortex_store(),
    output:
        svg=figures.figure("noise_ceiling"),
        png=report(
            figures.figure("noise_ceiling", "png"),
            caption="../report/noise_ceiling.rst",
            category="1 Which model?",
            labels={
                "figure": "noise ceiling",
            },
        ),
        table=figures.figure("noise_ceiling", "tsv"),
    log:
        figures.log("draw_noise_ceiling"),
    benchmark:
        figures.benchmark("draw_noise_ceiling")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        subjects=study.subjects,
        threshold=study.alignment.ceiling_threshold,
        code=lambda wildcards: stage_identity("draw_noise_ceiling"),
    script:
        "../workflow_scripts/draw_noise_ceiling.py"


rule draw_concepts:
    input:
        concept_map=statistics.concepts(),
        ceiling=data.ceiling(),
        store=figures.pycortex_store(),
    output:
        svg=figures.figure("concepts/{subject}_{model}"),
        png=report(
            figures.figure("concepts/{subject}_{model}", "png"),
            caption="../report/concepts.rst",
            category="2 Which instruction?",
            labels={
                "figure": "concepts",
                "subject": "{subject}",
                "model": "{model}",
            },
        ),
        table=figures.figure("concepts/{subject}_{model}", "tsv"),
    log:
        figures.log("draw_concepts/{subject}_{model}"),
    benchmark:
        figures.benchmark("draw_concepts/{subject}_{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        order=list(study.concepts),
        legend=figures.legend,
        instructions=study.instructions,
        title=figures.title,
        code=lambda wildcards: stage_identity("draw_concepts"),
    script:
        "../workflow_scripts/draw_concepts.py"


rule draw_shared_variance:
    input:
        tables=figures.partition_tables,
        partitions=figures.partitions,
    output:
        svg=figures.figure("shared_variance/{model}"),
        png=report(
            figures.figure("shared_variance/{model}", "png"),
            caption="../report/shared_variance.rst",
            category="4 What is shared?",
            labels={
                "figure": "shared variance",
                "model": "{model}",
            },
        ),
        table=figures.figure("shared_variance/{model}", "tsv"),
    log:
        figures.log("draw_shared_variance/{model}"),
    benchmark:
        figures.benchmark("draw_shared_variance/{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        reference=figures.reference,
        instructions=study.instructions,
        subjects=study.subjects,
        families=data.families,
        title=figures.label,
        code=lambda wildcards: stage_identity("draw_shared_variance"),
    script:
        "../workflow_scripts/draw_shared_variance.py"
