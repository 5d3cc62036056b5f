# Targets that ask instead of computing: they always run, leave no result, print to
# the terminal, and work on data that would stop every other rule.


rule doctor:
    handover: True
    conda:
        "../envs/doctor.yaml"
    params:
        rooms=expected_rooms(workflow),
    script:
        "../workflow_scripts/doctor.py"


rule fetch_nsd:
    handover: True
    conda:
        "../envs/fetch.yaml"
    script:
        "../workflow_scripts/fetch_nsd.py"
