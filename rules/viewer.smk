# Interactive maps: one page per subject, for a browser.


rule pack_surface:
    input:
        store=figures.pycortex_store(),
    output:
        packed=directory(viewer.packed_surface()),
    log:
        viewer.log("pack_surface/{surface}"),
    benchmark:
        viewer.benchmark("pack_surface/{surface}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=30,
    params:
        code=lambda wildcards: stage_identity("pack_surface"),
    script:
        "../workflow_scripts/pack_surface.py"


rule build_viewer:
    input:
        winners=encoding.of_models(encoding.winners),
        ceiling=data.ceiling(),
        store=figures.pycortex_store(),
        packed=viewer.packed,
    output:
        viewer=directory(viewer.viewer()),
    log:
        viewer.log("build_viewer/{subject}"),
    benchmark:
        viewer.benchmark("build_viewer/{subject}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        models=viewer.models,
        instructions=study.instructions,
        preferred=study.alignment.ceiling,
        code=lambda wildcards: [
            stage_identity("build_viewer"),
            folder_identity("figures/viewer_page"),
        ],
    script:
        "../workflow_scripts/build_viewer.py"


rule list_viewers:
    input:
        viewer.of_subjects(viewer.viewer),
    output:
        viewer_index=report(
            viewer.index(),
            caption="../report/viewer.rst",
            category="6 Interactive maps",
            labels={"page": "how to open them"},
        ),
    log:
        viewer.log("list_viewers"),
    benchmark:
        viewer.benchmark("list_viewers")
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        subjects=study.subjects,
        study=study.study,
        code=lambda wildcards: stage_identity("list_viewers"),
    script:
        "../workflow_scripts/list_viewers.py"
