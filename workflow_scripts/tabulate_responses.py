"""Rule tabulate_responses: what one model answered to one instruction, image by image."""

from pathlib import Path

from brainstruct.jobs.run import log, script
from brainstruct.responses.table import collect_responses, prompt_of
from brainstruct.store.files import write_text
from brainstruct.store.tables import write_table


@script
def tabulate_responses(*, embeddings: list[Path], id_name: str, table: Path, prompt: Path) -> None:
    """Join the blocks, and keep the prompt beside them."""
    answers = collect_responses(embeddings, id_name)
    log.info(
        "%d responses, %d different, %d empty, %d cut",
        len(answers),
        answers["response"].nunique(),
        (answers["n_tokens"] == 0).sum(),
        answers["truncated"].sum(),
    )
    write_text(prompt_of(embeddings[0]), prompt)
    write_table(answers, table)
