# From the data set on disk to image lists, responses and noise ceilings; and, before
# anything is computed, what the study will take: `snakemake plan`.


# No declared output: it is asked anew every time.
rule plan:
    log:
        data.log("plan"),
    localrule: True
    conda:
        "../envs/plan.yaml"
    params:
        snakefile=f"{home}/Snakefile",
        path=data.plan(),
    script:
        "../workflow_scripts/plan.py"


# Only where files of a subject are missing do its jobs wait for check_data, which then
# names all that are missing, in one message, after others have had their chance to
# begin. (An ancient() input would do, but Snakemake does not
# look for changed parameters in jobs below an ancient input that is renewed.)


rule check_data:
    output:
        listing=data.data_check(),
    log:
        data.log("check_data"),
    benchmark:
        data.benchmark("check_data")
    priority: -1
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        required=inputs.required(),
        holes=lambda wildcards: inputs.holes,
        dataset=data.about("places"),
    script:
        "../workflow_scripts/check_data.py"


rule index_stimuli:
    input:
        inputs.lists(),
        data.check,
    output:
        image_list=data.stimuli(),
    log:
        data.log("index_stimuli/{subject}"),
    benchmark:
        data.benchmark("index_stimuli/{subject}")
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        dataset=data.about_trials,
        contents=lambda wildcards: inputs.contents_of(inputs.lists()),
        code=lambda wildcards: data.code("index_stimuli", "trials"),
    script:
        "../workflow_scripts/index_stimuli.py"


rule list_block:
    input:
        inputs.lists(),
        data.check_of_images,
    output:
        block=data.block("{image_set}-{index}"),
    log:
        data.log("list_block/{image_set}-{index}"),
    benchmark:
        data.benchmark("list_block/{image_set}-{index}")
    wildcard_constraints:
        image_set=data.wildcard(data.image_sets),
        index="[0-9]+",
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        dataset=data.about_images,
        images=study.data.images_per_block,
        contents=lambda wildcards: inputs.contents_of(inputs.lists()),
        code=lambda wildcards: data.code("list_block", "stimuli"),
    script:
        "../workflow_scripts/list_block.py"


rule prepare_responses:
    input:
        lambda wildcards: inputs.subject(wildcards.subject),
        data.check,
        image_list=data.stimuli(),
    output:
        responses=data.responses(),
    log:
        data.log("prepare_responses/{subject}"),
    benchmark:
        data.benchmark("prepare_responses/{subject}")
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        dataset=data.about_betas,
        contents=lambda wildcards: inputs.contents_of(inputs.subject(wildcards.subject)),
        mask=study.data.mask,
        code=lambda wildcards: data.code("prepare_responses", "betas"),
    script:
        "../workflow_scripts/prepare_responses.py"


rule estimate_cross_subject:
    input:
        target=data.responses(),
        sources=data.other_responses,
    output:
        ceiling=data.cross_subject(),
    log:
        data.log("estimate_cross_subject/{subject}"),
    benchmark:
        data.benchmark("estimate_cross_subject/{subject}")
    conda:
        "../envs/encode.yaml"
    threads: study.encoding.threads
    resources:
        mem_mb=2000,
        runtime=120,
    params:
        others=data.other_subjects,
        options=data.cross_subject_options,
        code=stage_format("estimate_cross_subject"),
    script:
        "../workflow_scripts/estimate_cross_subject.py"


rule estimate_ceiling:
    input:
        lambda wildcards: inputs.regions(wildcards.subject),
        responses=data.responses(),
        cross_subject=data.cross_subject_ceiling,
    output:
        ceiling=data.ceiling(),
    log:
        data.log("estimate_ceiling/{subject}"),
    benchmark:
        data.benchmark("estimate_ceiling/{subject}")
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        dataset=data.about("regions"),
        contents=lambda wildcards: inputs.contents_of_regions(wildcards.subject),
        rois=study.data.rois,
        preferred=study.alignment.ceiling,
        code=lambda wildcards: data.code("estimate_ceiling", "regions"),
    script:
        "../workflow_scripts/estimate_ceiling.py"
