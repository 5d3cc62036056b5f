# brainstruct: brain alignment of instruction-tuned multimodal models.
#
# snakemake -n --configfile config/demo.yaml     shows what would be done
# snakemake --profile slurm                      does it on a cluster
import sys

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.0")
sys.path.insert(0, f"{workflow.basedir}/workflow_scripts")

from brainstruct.asking import asks, expected_rooms
from brainstruct.choose import Choose
from brainstruct.config.loading import load_study
from brainstruct.errors import InputError
from brainstruct.identity import folder_identity, stage_identity
from brainstruct.inputs import Inputs
from brainstruct.leftovers import cancel_leftovers, finish_leftovers
from brainstruct.resources import grow
from brainstruct.targets import Targets


# The study that is run is config.yaml with the user's --configfile over it.
configfile: f"{workflow.basedir}/config/instructions.yaml"
configfile: f"{workflow.basedir}/config/checkpoints.yaml"
configfile: f"{workflow.basedir}/config/config.yaml"


try:
    study = load_study(config)
    targets = Targets(study)
    inputs = Inputs(study, tolerant=asks(sys.argv))
    choose = Choose(study, targets, inputs)
    inputs.found  # a hole in the sessions is an error here, not amid the DAG
except InputError as error:
    raise WorkflowError(str(error))


wildcard_constraints:
    subject="subj0[1-8]",
    model="[A-Za-z0-9-]+",
    instruction="[A-Za-z0-9-]+",
    block="[a-z0-9]+-[0-9]+",
    checkpoint="[A-Za-z0-9-]+",
    surface=r"[A-Za-z0-9_][A-Za-z0-9_.-]*",


report: "report/workflow.rst"


onstart:
    finish_leftovers(workflow)


onerror:
    cancel_leftovers(workflow)


rule all:
    default_target: True
    input:
        # Named although figures need them: a file that is gone is made again.
        targets.all_responses,
        targets.all_embeddings,
        targets.all_fits,
        targets.all_scores,
        targets.all_tables,
        targets.all_statistics,
        targets.all_figures,
        targets.all_viewers,
        targets.methods(),
        choose.answers_page,


include: "rules/data.smk"
include: "rules/models.smk"
include: "rules/encoding.smk"
include: "rules/statistics.smk"
include: "rules/figures.smk"
include: "rules/asking.smk"
include: "rules/viewer.smk"
include: "rules/methods.smk"
include: "rules/plan.smk"


if study.synthetic is not None:

    include: "rules/synthetic.smk"


rule stimuli:
    input:
        targets.all_stimuli,


rule responses:
    input:
        targets.all_responses,


rule embeddings:
    input:
        targets.all_embeddings,


rule fits:
    input:
        targets.all_fits,


rule scores:
    input:
        targets.all_scores,


rule statistics:
    input:
        targets.all_statistics,


rule figures:
    input:
        targets.all_figures,


rule viewer:
    input:
        targets.all_viewers,
