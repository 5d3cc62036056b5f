# Maps, bars and profiles; each figure as SVG and PNG, beside its table.


rule prepare_pycortex:
    input:
        inputs.flat_files(),
    output:
        targets.pycortex_store(),
    log:
        targets.log("prepare_pycortex"),
    benchmark:
        targets.benchmark("prepare_pycortex")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(60),
    params:
        flatmaps=study.flatmaps.model_dump(include={"store", "patch", "height"}),
        cortices=choose.flat_sources,
        layout=choose.layout,
        mask=study.data.mask,
        code=stage_identity("prepare_pycortex"),
    script:
        "../workflow_scripts/prepare_pycortex.py"


rule draw_roi_bars:
    input:
        alignment=targets.table("alignment"),
        comparisons=choose.model_comparisons,
    output:
        svg=targets.figure("roi_bars"),
        png=report(
            targets.figure("roi_bars", "png"),
            caption="../report/roi_bars.rst",
            category="1 Which model?",
            labels={"figure": "alignment per region"},
        ),
        table=targets.figure("roi_bars", "tsv"),
    log:
        targets.log("draw_roi_bars"),
    benchmark:
        targets.benchmark("draw_roi_bars")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(20),
    params:
        labels=choose.model_labels,
        families=choose.families,
        baselines=choose.baselines,
        code=stage_identity("draw_roi_bars"),
    script:
        "../workflow_scripts/draw_roi_bars.py"


rule draw_instruction_rois:
    input:
        alignment=targets.table("alignment"),
        comparisons=choose.instruction_comparisons,
    output:
        svg=targets.figure("instruction_rois"),
        png=report(
            targets.figure("instruction_rois", "png"),
            caption="../report/instruction_rois.rst",
            category="2 Which instruction?",
            labels={"figure": "instructions by region"},
        ),
        table=targets.figure("instruction_rois", "tsv"),
    log:
        targets.log("draw_instruction_rois"),
    benchmark:
        targets.benchmark("draw_instruction_rois")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(20),
    params:
        labels=choose.mllm_labels,
        instructions=study.instructions,
        mask=study.data.mask,
        code=stage_identity("draw_instruction_rois"),
    script:
        "../workflow_scripts/draw_instruction_rois.py"


rule draw_layer_profiles:
    input:
        targets.table("layers"),
    output:
        svg=targets.figure("layer_profiles"),
        png=report(
            targets.figure("layer_profiles", "png"),
            caption="../report/layer_profiles.rst",
            category="3 Which layer?",
            labels={"figure": "alignment by layer"},
        ),
        table=targets.figure("layer_profiles", "tsv"),
    log:
        targets.log("draw_layer_profiles"),
    benchmark:
        targets.benchmark("draw_layer_profiles")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(20),
    params:
        labels=choose.model_labels,
        n_layers=choose.hidden_states,
        families=choose.families,
        code=stage_identity("draw_layer_profiles"),
    script:
        "../workflow_scripts/draw_layer_profiles.py"


rule draw_winning_instruction:
    input:
        winners=targets.winners(),
        space=targets.ceiling(),
        store=targets.pycortex_store(),
    output:
        svg=targets.figure("winning_instruction/{subject}_{model}"),
        png=report(
            targets.figure("winning_instruction/{subject}_{model}", "png"),
            caption="../report/winning_instruction.rst",
            category="2 Which instruction?",
            labels={
                "figure": "winning instruction",
                "subject": "{subject}",
                "model": "{model}",
            },
        ),
        table=targets.figure("winning_instruction/{subject}_{model}", "tsv"),
    log:
        targets.log("draw_winning_instruction/{subject}_{model}"),
    benchmark:
        targets.benchmark("draw_winning_instruction/{subject}_{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(30),
    params:
        flatmap=choose.flatmap,
        instructions=choose.instruction_legend,
        title=choose.title,
        code=stage_identity("draw_winning_instruction"),
    script:
        "../workflow_scripts/draw_winning_instruction.py"


rule draw_winning_layer:
    input:
        winners=targets.winners(),
        space=targets.ceiling(),
        store=targets.pycortex_store(),
    output:
        svg=targets.figure("winning_layer/{subject}_{model}"),
        png=report(
            targets.figure("winning_layer/{subject}_{model}", "png"),
            caption="../report/winning_layer.rst",
            category="3 Which layer?",
            labels={
                "figure": "winning layer",
                "subject": "{subject}",
                "model": "{model}",
            },
        ),
        table=targets.figure("winning_layer/{subject}_{model}", "tsv"),
    log:
        targets.log("draw_winning_layer/{subject}_{model}"),
    benchmark:
        targets.benchmark("draw_winning_layer/{subject}_{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(30),
    params:
        flatmap=choose.flatmap,
        n_layers=choose.n_layers,
        title=choose.title,
        code=stage_identity("draw_winning_layer"),
    script:
        "../workflow_scripts/draw_winning_layer.py"


rule draw_model_scatter:
    input:
        winners=choose.mllm_winners,
        space=targets.ceiling(),
    output:
        svg=targets.figure("model_scatter/{subject}"),
        png=report(
            targets.figure("model_scatter/{subject}", "png"),
            caption="../report/model_scatter.rst",
            category="1 Which model?",
            labels={
                "figure": "voxels, model by model",
                "subject": "{subject}",
            },
        ),
        table=targets.figure("model_scatter/{subject}", "tsv"),
    log:
        targets.log("draw_model_scatter/{subject}"),
    benchmark:
        targets.benchmark("draw_model_scatter/{subject}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        labels=choose.mllm_labels,
        mask=study.data.mask,
        code=stage_identity("draw_model_scatter"),
    script:
        "../workflow_scripts/draw_model_scatter.py"


rule draw_alignment_maps:
    input:
        winners=choose.mllm_winners,
        space=targets.ceiling(),
        store=targets.pycortex_store(),
    output:
        svg=targets.figure("alignment_maps/{subject}"),
        png=report(
            targets.figure("alignment_maps/{subject}", "png"),
            caption="../report/alignment_maps.rst",
            category="1 Which model?",
            labels={
                "figure": "alignment and margin",
                "subject": "{subject}",
            },
        ),
        table=targets.figure("alignment_maps/{subject}", "tsv"),
    log:
        targets.log("draw_alignment_maps/{subject}"),
    benchmark:
        targets.benchmark("draw_alignment_maps/{subject}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(30),
    params:
        labels=choose.mllm_labels,
        flatmap=choose.flatmap,
        code=stage_identity("draw_alignment_maps"),
    script:
        "../workflow_scripts/draw_alignment_maps.py"


rule draw_noise_ceiling:
    input:
        spaces=[targets.ceiling(subject) for subject in study.subjects],
        store=targets.pycortex_store(),
    output:
        svg=targets.figure("noise_ceiling"),
        png=report(
            targets.figure("noise_ceiling", "png"),
            caption="../report/noise_ceiling.rst",
            category="1 Which model?",
            labels={
                "figure": "noise ceiling",
            },
        ),
        table=targets.figure("noise_ceiling", "tsv"),
    log:
        targets.log("draw_noise_ceiling"),
    benchmark:
        targets.benchmark("draw_noise_ceiling")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(30),
    params:
        flatmaps=choose.flatmaps,
        threshold=study.alignment.ceiling_threshold,
        code=stage_identity("draw_noise_ceiling"),
    script:
        "../workflow_scripts/draw_noise_ceiling.py"


rule draw_concepts:
    input:
        concepts=targets.concepts(),
        space=targets.ceiling(),
        store=targets.pycortex_store(),
    output:
        svg=targets.figure("concepts/{subject}_{model}"),
        png=report(
            targets.figure("concepts/{subject}_{model}", "png"),
            caption="../report/concepts.rst",
            category="2 Which instruction?",
            labels={
                "figure": "concepts",
                "subject": "{subject}",
                "model": "{model}",
            },
        ),
        table=targets.figure("concepts/{subject}_{model}", "tsv"),
    log:
        targets.log("draw_concepts/{subject}_{model}"),
    benchmark:
        targets.benchmark("draw_concepts/{subject}_{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(30),
    params:
        flatmap=choose.flatmap,
        concepts=list(study.concepts),
        instructions=choose.instruction_legend,
        title=choose.title,
        code=stage_identity("draw_concepts"),
    script:
        "../workflow_scripts/draw_concepts.py"


rule draw_shared_variance:
    input:
        choose.partition_tables,
    output:
        svg=targets.figure("shared_variance/{model}"),
        png=report(
            targets.figure("shared_variance/{model}", "png"),
            caption="../report/shared_variance.rst",
            category="4 What is shared?",
            labels={
                "figure": "shared variance",
                "model": "{model}",
            },
        ),
        table=targets.figure("shared_variance/{model}", "tsv"),
    log:
        targets.log("draw_shared_variance/{model}"),
    benchmark:
        targets.benchmark("draw_shared_variance/{model}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(30),
    params:
        reference=choose.partition_reference,
        instructions=choose.instructions,
        families=choose.families,
        title=choose.model_label,
        code=stage_identity("draw_shared_variance"),
    script:
        "../workflow_scripts/draw_shared_variance.py"
