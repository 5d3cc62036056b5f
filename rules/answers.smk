# What the models answered, as tables and as a page.


rule tabulate_responses:
    input:
        embeddings=answers.embeddings,
    output:
        table=answers.answers(),
        prompt=answers.prompt(),
    log:
        answers.log("tabulate_responses/{model}/{instruction}"),
    benchmark:
        answers.benchmark("tabulate_responses/{model}/{instruction}")
    localrule: True
    conda:
        "../envs/data.yaml"
    params:
        id_name=data.dataset.id_name,
        code=lambda wildcards: stage_identity("tabulate_responses"),
    script:
        "../workflow_scripts/tabulate_responses.py"


rule show_responses:
    input:
        inputs.stimuli(),
        tables=[answers.answers(*pair) for pair in answers.asked],
        prompts=[answers.prompt(*pair) for pair in answers.asked],
        block=data.block(data.blocks[0]),  # all models have seen its images
    output:
        page=report(
            answers.figure("responses", "html"),
            caption="../report/responses.rst",
            category="0 What the models say",
            labels={"figure": "sample images and answers"},
        ),
    log:
        answers.log("show_responses"),
    benchmark:
        answers.benchmark("show_responses")
    conda:
        "../envs/data.yaml"
    resources:
        mem_mb=1000,
        runtime=20,
    params:
        asked=answers.asked,
        texts=answers.texts,
        labels=answers.labels,
        dataset=data.about("pixels"),
        contents=lambda wildcards: data.inputs.contents_of(data.inputs.stimuli()),
        n_samples=12,
        seed=study.seed,
        code=lambda wildcards: data.code("show_responses", "pixels"),
    script:
        "../workflow_scripts/show_responses.py"
