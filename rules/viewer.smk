# Interactive maps: one page per subject, for a browser.


rule pack_surface:
    input:
        targets.pycortex_store(),
    output:
        directory(targets.packed_surface()),
    log:
        targets.log("pack_surface/{surface}"),
    benchmark:
        targets.benchmark("pack_surface/{surface}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(6000),
        runtime=grow(30),
    params:
        code=stage_identity("pack_surface"),
    script:
        "../workflow_scripts/pack_surface.py"


rule build_viewer:
    input:
        winners=choose.viewer_winners,
        space=targets.ceiling(),
        store=targets.pycortex_store(),
        packed=choose.packed_surface,
    output:
        directory(targets.viewer()),
    log:
        targets.log("build_viewer/{subject}"),
    benchmark:
        targets.benchmark("build_viewer/{subject}")
    conda:
        "../envs/figures.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(20),
    params:
        flatmap=choose.flatmap,
        models=choose.viewer_models,
        ceiling=study.alignment.ceiling,
        page=folder_identity("figures/viewer_page"),
        code=stage_identity("build_viewer"),
    script:
        "../workflow_scripts/build_viewer.py"


rule list_viewers:
    input:
        [targets.viewer(subject) for subject in study.subjects],
    output:
        report(
            targets.viewer_index(),
            caption="../report/viewer.rst",
            category="6 Interactive maps",
            labels={"page": "how to open them"},
        ),
    log:
        targets.log("list_viewers"),
    benchmark:
        targets.benchmark("list_viewers")
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        subjects=study.subjects,
        study=study.study,
        code=stage_identity("list_viewers"),
    script:
        "../workflow_scripts/list_viewers.py"
