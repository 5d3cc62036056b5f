# From the NSD on disk to image lists, responses and noise ceilings.

# Only where files are missing does anything wait for check_nsd, which then names
# all of them in one message. (An ancient() input would do, but Snakemake does not
# look for changed parameters in jobs below an ancient input that is renewed.)


rule check_nsd:
    output:
        targets.nsd_check(),
    log:
        targets.log("check_nsd"),
    benchmark:
        targets.benchmark("check_nsd")
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        required=inputs.required(),
        nsd_root=study.data.nsd_root,
    script:
        "../workflow_scripts/check_nsd.py"


rule index_stimuli:
    input:
        design=inputs.design(),
        check=inputs.check(targets.nsd_check()),
    output:
        targets.stimuli(),
    log:
        targets.log("index_stimuli/{subject}"),
    benchmark:
        targets.benchmark("index_stimuli/{subject}")
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        sessions=choose.sessions,
        layout=choose.image_layout,
        code=stage_identity("index_stimuli"),
    script:
        "../workflow_scripts/index_stimuli.py"


rule list_block:
    input:
        design=inputs.design(),
        check=inputs.check(targets.nsd_check()),
    output:
        targets.block("{owner}-{index}"),
    log:
        targets.log("list_block/{owner}-{index}"),
    benchmark:
        targets.benchmark("list_block/{owner}-{index}")
    wildcard_constraints:
        owner="shared|subj0[1-8]",
        index="[0-9]+",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        sessions=choose.block_sessions,
        images=study.data.images_per_block,
        layout=choose.image_layout,
        code=stage_identity("list_block"),
    script:
        "../workflow_scripts/list_block.py"


rule prepare_responses:
    input:
        index=targets.stimuli(),
        nsd=choose.subject_files,
        check=inputs.check(targets.nsd_check()),
    output:
        targets.responses(),
    log:
        targets.log("prepare_responses/{subject}"),
    benchmark:
        targets.benchmark("prepare_responses/{subject}")
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=grow(4000),
        runtime=grow(120),
    params:
        sessions=choose.sessions,
        format=choose.betas_format,
        layout=choose.layout,
        mask=study.data.mask,
        code=stage_identity("prepare_responses"),
    script:
        "../workflow_scripts/prepare_responses.py"


rule estimate_ceiling:
    input:
        responses=targets.responses(),
        regions=choose.region_files,
        cross_subject=choose.cross_subject_ceiling,
    output:
        targets.ceiling(),
    log:
        targets.log("estimate_ceiling/{subject}"),
    benchmark:
        targets.benchmark("estimate_ceiling/{subject}")
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=grow(2000),
        runtime=grow(20),
    params:
        layout=choose.layout,
        rois=study.data.rois,
        preferred=study.alignment.ceiling,
        code=stage_identity("estimate_ceiling"),
    script:
        "../workflow_scripts/estimate_ceiling.py"
