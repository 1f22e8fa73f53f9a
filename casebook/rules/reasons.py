"""Why a value changes or a form was not done: the coded reasons offered, and the sentence that is kept. Pure."""

from __future__ import annotations

CHANGE_REASONS = {
    "TYPO": "Typing mistake",
    "SOURCE": "The source was corrected",
    "NEW": "New information",
    "PLACE": "Entered for the wrong subject, visit or row",
    "OTHER": "Other",
}
CONFIRM_REASONS = {
    "SOURCE": "Checked against the source, it is correct",
    "CLINICAL": "Correct; explained by the patient's condition",
    "OTHER": "Other",
}

NOT_DONE_REASONS = {
    "DECLINED": "The patient declined",
    "UNWELL": "The patient was too unwell",
    "OMITTED": "Forgotten, or not possible that day",
    "NA": "Not needed for this patient",
    "OTHER": "Other",
}
"""Why a whole form was not done."""


def reason_sentence(code: str, text: str, offered: dict[str, str]) -> str:
    """The sentence for the trail; empty when no valid reason was given ("Other" needs words).

    Parameters
    ----------
    code
        One of the codes in `offered`, or free words where somebody types instead of choosing.
    """
    words = text.strip()
    if code == "OTHER":
        return words
    label = offered.get(code, code.strip())
    return f"{label}: {words}" if label and words else label
