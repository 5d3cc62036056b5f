# brainstruct: brain alignment of instruction-tuned multimodal models.
#
# snakemake -n --configfile config/demo.yaml     shows what would be done
# snakemake --profile slurm                      does it on a cluster
import sys
from runpy import run_path

from snakemake.exceptions import WorkflowError
from snakemake.sourcecache import LocalSourceFile
from snakemake.utils import min_version

min_version("9.0")
# Where the library is: here, or unpacked from the repository that this is a module of.
home = str(workflow.current_basedir)
if not isinstance(workflow.current_basedir, LocalSourceFile):
    hosted = run_path(
        workflow.source_path("workflow_scripts/brainstruct/workflow/hosted.py")
    )
    home = hosted["unpack"](workflow.current_basedir, workflow.sourcecache.cache_path)
sys.path.insert(0, f"{home}/workflow_scripts")

from brainstruct.config.files import reread
from brainstruct.config.loading import load_study, settle_paths
from brainstruct.errors import InputError
from brainstruct.workflow.control import Control
from brainstruct.workflow.discarding import made_of_embeddings
from brainstruct.workflow.formats import stage_format
from brainstruct.workflow.identity import folder_identity, stage_identity
from brainstruct.workflow.leftovers import cancel_leftovers, finish_leftovers
from brainstruct.workflow.module import expected_rooms, module_config
from brainstruct.workflow.rooms import Rooms


# The study that is run is config.yaml with the user's --configfile over it.
configfile: f"{home}/config/instructions.yaml"
configfile: f"{home}/config/checkpoints.yaml"
configfile: f"{home}/config/config.yaml"


try:
    config = module_config(workflow, config, home)
    study = load_study(config, given=reread(workflow, config))
    settle_paths(config, study)
    rooms = Rooms.of(study)
    inputs = rooms.data.inputs
    inputs.settle()  # what it does not know is an error here, not amid the DAG
    control = Control.begin(workflow, rooms, sys.argv)
except InputError as error:
    raise WorkflowError(str(error))

# One for each file of rules, which takes its names and parameters from it.
data, models, answers = rooms.data, rooms.models, rooms.answers
encoding, statistics = rooms.encoding, rooms.statistics
figures, viewer, methods = rooms.figures, rooms.viewer, rooms.methods
synthetic, exports = rooms.synthetic, rooms.exports


wildcard_constraints:
    subject=data.wildcard(study.subjects),
    participant=data.wildcard(exports.participants),
    model="[A-Za-z0-9-]+",
    instruction="[A-Za-z0-9-]+",
    block="[a-z0-9]+-[0-9]+",
    checkpoint="[A-Za-z0-9-]+",
    surface=r"[A-Za-z0-9_][A-Za-z0-9_.-]*",


report: "report/workflow.rst"


onstart:
    control.signals.stand()
    control.explain()
    try:
        finish_leftovers(workflow)
    except InputError as error:
        raise WorkflowError(str(error))
    control.requests.stand()
    control.signals.send()


onsuccess:
    from brainstruct.workflow.closing import (
        close,
    )  # only now: parsing is to be quick

    control.end(succeeded=True)
    close(workflow, rooms)


onerror:
    control.end()
    cancel_leftovers(workflow)
    control.say_what_failed()


# Named by functions: parsing, which every job repeats, has no use for thousands of files.
rule all:
    default_target: True
    input:
        # Named although figures need them: a file that is gone is made again.
        lambda wildcards: data.of_subjects(data.responses),
        lambda wildcards: models.needed_embeddings(),
        lambda wildcards: encoding.all_fits,
        lambda wildcards: encoding.of_pairs(encoding.scores),
        encoding.all_tables,
        synthetic.all_tables,
        statistics.all_statistics,
        lambda wildcards: figures.all_figures + synthetic.all_figures,
        viewer.all_viewers,
        methods.methods(),
        answers.page,


include: "rules/data.smk"
include: "rules/models.smk"
include: "rules/answers.smk"
include: "rules/encoding.smk"
include: "rules/statistics.smk"
include: "rules/figures.smk"
include: "rules/asking.smk"
include: "rules/viewer.smk"
include: "rules/methods.smk"
include: "rules/exports.smk"


if study.synthetic is not None:

    include: "rules/synthetic.smk"


rule stimuli:
    input:
        data.all_stimuli,


rule responses:
    input:
        data.of_subjects(data.responses),


rule embeddings:
    input:
        lambda wildcards: models.all_embeddings,


rule fits:
    input:
        lambda wildcards: encoding.all_fits,


rule scores:
    input:
        lambda wildcards: encoding.of_pairs(encoding.scores),


rule statistics:
    input:
        statistics.all_statistics,


rule figures:
    input:
        lambda wildcards: figures.all_figures + synthetic.all_figures,


rule viewer:
    input:
        viewer.all_viewers,


rule exports:
    input:
        exports.all_exports,
