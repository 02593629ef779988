"""What a file leaves open and evidence can settle: other readings of a source whose first reading failed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from transforms.errors import Reason
from transforms.records.outcome import Evidence, MigrationOutcome, MigrationRequest, Status


def other_readings(request: MigrationRequest, first: MigrationOutcome) -> Iterator[tuple[MigrationRequest, str]]:
    """Other readings, each with the sentence that says why it holds if it gives the golden outputs.

    Golden outputs that contradict an assumed backend or `dim_ordering` may confirm another; weights that do not fit
    under an assumed `dim_ordering` may under the other.

    Args:
        request: as it was tried.
        first: how that ended.
    """
    contradicted = first.status is Status.MISMATCH and first.evidence is Evidence.GOLDEN
    misfit = first.status is Status.REFUSED and first.reason is Reason.WEIGHTS_MISMATCH
    backend = "tensorflow" if first.backend == "theano" else "theano"
    ordering = "tf" if first.dim_ordering_assumed == "th" else "th"
    decides = "golden outputs decide" if contradicted else "weights' shapes decide"
    of_backend = f"The file records no backend: the {decides} for {backend}, against {first.backend}."
    of_ordering = f"Layers store no dim_ordering: the {decides} for {ordering}, against {first.dim_ordering_assumed}."
    if contradicted and first.backend_assumed:
        yield replace(request, backend=backend), of_backend
    if (contradicted or misfit) and first.dim_ordering_assumed:
        yield replace(request, dim_ordering=ordering), of_ordering
        if contradicted and first.backend_assumed:
            yield replace(request, backend=backend, dim_ordering=ordering), f"{of_backend} {of_ordering}"
