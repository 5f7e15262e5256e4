"""A subject's receipt: verified, then shown as a page, as a file for programs, and on paper."""

from dataclasses import dataclass
from typing import Any

from assent.apps.web.site import Visit
from assent.consent.clearance import Act, Modality
from assent.consent.notice import wording
from assent.consent.paper import draw_receipt
from assent.consent.receipt import read_receipt
from assent.consent.record import ConsentRecord
from assent.kit.errors import NotFoundError
from assent.kit.store.tables import ConsentRow

__all__ = ["Kept", "kept_receipt", "receipt_copy", "receipt_facts", "receipt_paper"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A verified receipt and where it stands."""

    row: ConsentRow
    record: ConsentRecord
    token: str
    countersigned: str


def kept_receipt(visit: Visit) -> Kept:
    """Return the receipt of the session's person that the path names; raises `NotFoundError`."""
    with visit.studio.database.session() as session:
        row = session.get(ConsentRow, visit.request.path_params["row"])
    if row is None or row.person_id != visit.person.id or row.receipt is None:
        raise NotFoundError("there is no such receipt")
    receipt = read_receipt(row.receipt, subject=visit.person.key, studio=visit.studio.signing_key)
    return Kept(
        row=row, record=receipt.record, token=row.receipt, countersigned=receipt.countersigned
    )


def receipt_copy(kept: Kept) -> dict[str, Any]:
    """Return the copy to keep, the same that `assent consent accept --receipt` writes."""
    return {
        "receipt": kept.token,
        "salt": kept.row.salt,
        "receipt_hash": kept.row.receipt_hash,
        "log_index": kept.row.log_index,
        "record": kept.record.to_json(),
    }


def receipt_facts(visit: Visit, kept: Kept) -> list[tuple[str, list[str]]]:
    """Return what the record says, by name, in the words of the page."""
    t, notice, scope = visit.words(), wording(visit.language), kept.record.scope
    return [
        (t("label_modalities"), [notice.things([m for m in Modality if m in scope.modalities])]),
        (t("label_acts"), [notice.acts[act.value] for act in Act if act in scope.acts]),
        (t("label_channels"), [", ".join(sorted(scope.channels))]),
        (t("label_territory"), [scope.territory]),
        (
            t("label_term"),
            [t("label_term_value", starts=t.day(scope.starts), ends=t.day(scope.ends))],
        ),
        (t("label_releases"), [str(scope.most_releases)]),
        (t("label_pay"), [scope.compensation]),
        (
            t("label_never"),
            [t("never_intimate"), *(notice.forbidden[f] for f in sorted(kept.record.forbidden))],
        ),
        (t("label_approval"), [t("yes") if kept.record.final_approval else t("no")]),
        (t("label_contact"), [f"{kept.record.controller.name}, {kept.record.controller.contact}"]),
        (t("receipt_id"), [kept.record.record_id, t("home_version", version=kept.record.version)]),
        (t("receipt_signed"), [kept.countersigned]),
        (t("receipt_log"), [str(kept.row.log_index)]),
        (t("receipt_hash"), [str(kept.row.receipt_hash)]),
        (
            t("receipt_status"),
            [t("receipt_status_text", index=kept.row.status_index, list=kept.row.status_list)],
        ),
    ]


def receipt_paper(visit: Visit, kept: Kept) -> bytes:
    """Return the receipt as PDF."""
    t = visit.words()
    return draw_receipt(
        title=f"{t('receipt_title')}: {kept.record.project.title}",
        lead=t("receipt_lead", studio=kept.record.controller.name),
        notice=kept.record.notice.text,
        facts=receipt_facts(visit, kept),
        proof_label=t("receipt_proof"),
        token=kept.token,
        language=visit.language,
    )
